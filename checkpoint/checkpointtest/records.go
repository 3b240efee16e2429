package checkpointtest

import (
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
)

var records = []test{
	{"a new upload has no record", func(t *testing.T, s checkpoint.Store) {
		u := claim(t, s, Key("a"))
		defer u.Close()
		holdsNothing(t, u)
	}},
	{"the record comes back, at once and after Close", func(t *testing.T, s checkpoint.Store) {
		rec := Record(Key("a"))
		u := begun(t, s, rec)
		holds(t, u, rec)
		u = reopened(t, s, u, rec.Key)
		defer u.Close()
		holds(t, u, rec)
	}},
	{"zero values come back", func(t *testing.T, s checkpoint.Store) {
		rec := checkpoint.Record{Version: checkpoint.Version, UploadID: "u", PartSize: 1}
		u := begun(t, s, rec, checkpoint.Part{Number: 1})
		u = reopened(t, s, u, rec.Key)
		defer u.Close()
		holds(t, u, rec, checkpoint.Part{Number: 1})
	}},
	{"a source without a destination needs neither upload ID nor part size", func(t *testing.T, s checkpoint.Store) {
		rec := checkpoint.Record{Version: checkpoint.Version, Key: checkpoint.Key{Source: "/a"}}
		u := begun(t, s, rec)
		rec.VideoID = "video"
		noError(t, "Begin with a video", u.Begin(t.Context(), rec))
		u = reopened(t, s, u, rec.Key)
		defer u.Close()
		holds(t, u, rec)
	}},
	{"big values come back", func(t *testing.T, s checkpoint.Store) {
		long := strings.Repeat("0123456789abcdef", 1<<10)
		rec := Record(checkpoint.Key{Source: "/" + long, Endpoint: long, Bucket: long, Object: long})
		rec.Source.Fingerprint, rec.UploadID, rec.VideoID = long, long, long
		rec.Source.Size, rec.PartSize = 1<<63-1, 1<<63-1
		part := checkpoint.Part{Number: 10_000, Size: 1<<63 - 1, ETag: long, CRC64: 1<<64 - 1}
		u := begun(t, s, rec, Part(9_999), part)
		u = reopened(t, s, u, rec.Key)
		defer u.Close()
		holds(t, u, rec, Part(9_999), part)
	}},
	{"any text comes back", func(t *testing.T, s checkpoint.Store) {
		rec := Record(checkpoint.Key{Source: `C:\视频\ü "1"`, Endpoint: "http://[::1]:80", Bucket: "b", Object: "a/../%2F\x00\xff\n会议🎬.mp4"})
		u := begun(t, s, rec)
		u = reopened(t, s, u, rec.Key)
		defer u.Close()
		holds(t, u, rec)
	}},
	{"times come back in UTC", func(t *testing.T, s checkpoint.Store) {
		rec := Record(Key("a"))
		want := rec
		rec.Version = 0
		rec.Started = rec.Started.In(time.FixedZone("CST", 8*60*60))
		u := begun(t, s, rec)
		holds(t, u, want)
		u = reopened(t, s, u, rec.Key)
		defer u.Close()
		holds(t, u, want)
	}},
	{"Begin replaces the record and forgets the parts", func(t *testing.T, s checkpoint.Store) {
		first, second := Record(Key("a")), Record(Key("a"))
		second.UploadID, second.PartSize = "another", 5<<20
		u := begun(t, s, first, Parts(1, 300)...)
		noError(t, "Begin", u.Begin(t.Context(), second))
		holds(t, u, second)
		add(t, u, Part(7))
		holds(t, u, second, Part(7))
		u = reopened(t, s, u, Key("a"))
		holds(t, u, second, Part(7))

		noError(t, "Begin after Open", u.Begin(t.Context(), first))
		u = reopened(t, s, u, Key("a"))
		defer u.Close()
		holds(t, u, first)
	}},
	{"Begin refuses what is not a record of this upload", func(t *testing.T, s checkpoint.Store) {
		u := begun(t, s, Record(Key("a")), Part(1))
		defer u.Close()
		for name, spoil := range map[string]func(*checkpoint.Record){
			"no upload ID":    func(r *checkpoint.Record) { r.UploadID = "" },
			"no part size":    func(r *checkpoint.Record) { r.PartSize = 0 },
			"negative size":   func(r *checkpoint.Record) { r.Source.Size = -1 },
			"another version": func(r *checkpoint.Record) { r.Version++ },
			"another key":     func(r *checkpoint.Record) { r.Key.Object += "x" },
		} {
			rec := Record(Key("a"))
			spoil(&rec)
			wantError(t, "Begin with "+name, u.Begin(t.Context(), rec), checkpoint.ErrInvalid)
		}
		holds(t, u, Record(Key("a")), Part(1))
	}},
}
