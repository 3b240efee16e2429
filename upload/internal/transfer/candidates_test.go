package transfer

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/target"
	"github.com/vodupload/vodupload/upload/internal/wire"
)

func TestCandidates(t *testing.T) {
	now := someTime
	serverNow := now.Add(time.Hour)
	here := must(target.Locator{}.Target("oss-cn-hangzhou.aliyuncs.com", media, "in/"))
	entry := func(id, bucket, object string, age time.Duration) checkpoint.Entry {
		return checkpoint.Entry{Parts: 3, Saved: now.Add(-age), Record: checkpoint.Record{
			UploadID: id, PartSize: 100, Source: checkpoint.Source{Size: 250},
			Key: checkpoint.Key{Source: "/a", Endpoint: here.Endpoint.String(), Bucket: bucket, Object: object},
		}}
	}
	inUse := func(e checkpoint.Entry) checkpoint.Entry {
		e.InUse = true
		return e
	}
	at := func(endpoint string, e checkpoint.Entry) checkpoint.Entry {
		e.Record.Key.Endpoint = endpoint
		return e
	}
	began := func(e checkpoint.Entry, age time.Duration) checkpoint.Entry {
		e.Record.Started = now.Add(-age)
		return e
	}
	unsaved := func(e checkpoint.Entry) checkpoint.Entry {
		e.Saved = time.Time{}
		return e
	}
	old, young := 25*time.Hour, 23*time.Hour
	claim := checkpoint.Entry{InUse: true, Record: checkpoint.Record{Key: checkpoint.Key{Source: "/a"}}}
	for _, tt := range []struct {
		name    string
		entries []checkpoint.Entry
		listed  []wire.Unfinished
		job     SweepJob
		want    []string
		err     error
	}{
		{name: "an old record", entries: []checkpoint.Entry{entry("R", media, "in/a", old)}, want: []string{"R"}},
		{name: "a young record: none", entries: []checkpoint.Entry{entry("R", media, "in/a", young)}},
		{name: "a young record, at any age", entries: []checkpoint.Entry{entry("R", media, "in/a", 0)}, job: SweepJob{OlderThan: -1}, want: []string{"R"}},
		{name: "a record in use: none", entries: []checkpoint.Entry{inUse(entry("R", media, "in/a", old))}},
		{name: "a record of another prefix: none", entries: []checkpoint.Entry{entry("R", media, "out/a", old)}},
		{name: "a record of another endpoint: none", entries: []checkpoint.Entry{at("https://oss-cn-beijing.aliyuncs.com", entry("R", media, "in/a", old))}},
		{name: "records of anywhere, without a bucket", entries: []checkpoint.Entry{entry("R", media, "out/a", old), at("https://oss-cn-beijing.aliyuncs.com", entry("S", "other", "in/a", old))},
			job: SweepJob{Target: target.Target{Object: "in/"}}, want: []string{"R", "S"}},
		{name: "an old record that was written to lately: none", entries: []checkpoint.Entry{began(entry("R", media, "in/a", young), old)}},
		{name: "an old record, of a store that does not know when it was written", entries: []checkpoint.Entry{began(unsaved(entry("R", media, "in/a", young)), old)}, want: []string{"R"}},
		{name: "a young record, of such a store: none", entries: []checkpoint.Entry{began(unsaved(entry("R", media, "in/a", old)), young)}},
		{name: "a record of another bucket: none", entries: []checkpoint.Entry{entry("R", "other", "in/a", old)}},
		{name: "a record that a file of the list resumes: none", entries: []checkpoint.Entry{entry("R", media, "in/a", old)},
			job: SweepJob{Wanted: func(k checkpoint.Key) bool { return k.Object == "in/a" }}},
		{name: "an old upload of the server", listed: []wire.Unfinished{{Object: "in/a", UploadID: "S", Initiated: serverNow.Add(-old)}}, want: []string{"S"}},
		{name: "a young one, by the server's clock: none", listed: []wire.Unfinished{{Object: "in/a", UploadID: "S", Initiated: serverNow.Add(-young)}}},
		{name: "one without a time: none", listed: []wire.Unfinished{{Object: "in/a", UploadID: "S"}}},
		{name: "one that a record in use names: none", entries: []checkpoint.Entry{inUse(entry("S", media, "in/a", old))},
			listed: []wire.Unfinished{{Object: "in/a", UploadID: "S", Initiated: serverNow.Add(-old)}}},
		{name: "one that a young record names: none", entries: []checkpoint.Entry{entry("S", media, "in/a", young)},
			listed: []wire.Unfinished{{Object: "in/a", UploadID: "S", Initiated: serverNow.Add(-old)}}},
		{name: "one that an unreadable record may name: an error", entries: []checkpoint.Entry{{InUse: true}},
			listed: []wire.Unfinished{{Object: "in/a", UploadID: "S", Initiated: serverNow.Add(-old)}}, want: []string{"S"}, err: errUnreadable},
		{name: "a claim on a source hides nothing", entries: []checkpoint.Entry{claim},
			listed: []wire.Unfinished{{Object: "in/a", UploadID: "S", Initiated: serverNow.Add(-old)}}, want: []string{"S"}},
		{name: "records first", entries: []checkpoint.Entry{entry("R", media, "in/b", old)},
			listed: []wire.Unfinished{{Object: "in/a", UploadID: "S", Initiated: serverNow.Add(-old)}}, want: []string{"R", "S"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.job.Target.Object == "" {
				tt.job.Target = here
			}
			if tt.job.OlderThan == 0 {
				tt.job.OlderThan = 24 * time.Hour
			}
			var got []string
			for _, c := range tt.job.candidates(viewOf(tt.entries), tt.listed, now, serverNow) {
				got = append(got, c.UploadID)
				if !errors.Is(c.Err, tt.err) {
					t.Errorf("%s: got error %v, want %v", c.UploadID, c.Err, tt.err)
				}
				if c.recorded && c.Bytes != 250 {
					t.Errorf("%s: got %d bytes, want no more than the source has", c.UploadID, c.Bytes)
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}
