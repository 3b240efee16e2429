package upload_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// TestClockWrongByADay: the server's clock is another one than this machine's, by a
// day at most, in each operation and under both signatures. Nothing of it is seen
// from the outside.
func TestClockWrongByADay(t *testing.T) {
	const day = 24 * time.Hour
	for _, region := range []string{"", "cn-hangzhou"} {
		for _, skew := range []time.Duration{time.Hour, -time.Hour, day, -day} {
			signature := "V1"
			if region != "" {
				signature = "V4"
			}
			t.Run(fmt.Sprintf("%s, server ahead by %v", signature, skew), func(t *testing.T) {
				t.Parallel()
				b := newTestbed(t)
				b.server = osstest.NewServer(&osstest.Options{
					Buckets: []string{bucket}, Now: func() time.Time { return time.Now().Add(skew) },
				})
				t.Cleanup(b.server.Close)
				b.opts.Region = region
				rec := b.recorded()
				b.everyOperation()
				if n := rec.told("OnRetry", "") + rec.told("OnTokenExpired", ""); n > 0 {
					t.Errorf("%d retries and tokens were spent on it, want none", n)
				}
				if !slices.ContainsFunc(b.server.Requests(), func(q osstest.Request) bool { return q.Status >= 400 && q.Key == "put" }) {
					t.Error("no request was refused for its time: the test looks at nothing")
				}
			})
		}
	}
}

// everyOperation makes each of the operations, with a new client for each file: none
// of them knows from another what time it is.
func (b *testbed) everyOperation() {
	b.t.Helper()
	small, big := b.bytesOf("put", 50*kib), b.bytesOf("parts", 350*kib)
	for _, f := range []upload.File{small, big} {
		if _, err := b.client().Upload(b.ctx, f); err != nil {
			b.t.Errorf("%s: %v", f.Object, err)
		}
		b.sameBytes(f)
	}
	resumed := b.bytesOf("resumed", 450*kib)
	leave(b, resumed)
	if r, err := b.client().Upload(b.ctx, resumed); err != nil || r.ResumedParts < 1 {
		b.t.Errorf("resume: %d parts resumed, %v; want some", r.ResumedParts, err)
	}
	b.sameBytes(resumed)

	lost := b.bytesOf("lost answer", 250*kib)
	b.server.Inject(osstest.LoseAnswer(osstest.OpCompleteMultipartUpload))
	if r, err := b.client().Upload(b.ctx, lost); err != nil || !r.Verified {
		b.t.Errorf("a Complete whose answer is lost: got %+v, %v", r, err)
	}
	b.sameBytes(lost)
	begun := 0
	for _, q := range b.server.Requests(osstest.OpInitiateMultipartUpload) {
		if q.Key == lost.Object && q.Status == 200 {
			begun++
		}
	}
	if begun != 1 {
		b.t.Errorf("a Complete whose answer is lost: %d uploads were begun, want one", begun)
	}

	hang := osstest.Hang(osstest.OpUploadPart).Nth(2)
	b.server.Inject(hang)
	c := b.client()
	id := b.add(c, b.bytesOf("canceled", 250*kib))[0]
	if err := c.Start(b.ctx); err != nil {
		b.t.Fatal(err)
	}
	<-hang.Fired()
	if err := errors.Join(c.CancelFile(id), c.Close()); err != nil {
		b.t.Errorf("cancel: %v", err)
	}
	hang.Release()
	b.clean()

	leave(b, b.bytesOf("swept", 250*kib))
	where := upload.SweepOptions{Endpoint: b.server.URL, Bucket: bucket, OnlyThisMachine: true}
	b.opts.Checkpoints = checkpoint.NewMemory() // of another machine
	if found, err := b.client().Sweep(b.ctx, where); err != nil || len(found) > 0 {
		b.t.Errorf("Sweep: got %+v, %v; want nothing, it is younger than a day by the server's clock", found, err)
	}
	b.opts.Checkpoints, where.OlderThan = b.store, -1
	if found, err := b.client().Sweep(b.ctx, where); err != nil || len(found) != 1 || !found[0].Aborted {
		b.t.Errorf("Sweep: got %+v, %v; want one upload aborted", found, err)
	}
	b.clean()
	for _, op := range []osstest.Op{
		osstest.OpPutObject, osstest.OpInitiateMultipartUpload, osstest.OpUploadPart, osstest.OpCompleteMultipartUpload,
		osstest.OpListParts, osstest.OpHeadObject, osstest.OpAbortMultipartUpload, osstest.OpListMultipartUploads,
	} {
		if b.server.Count(op) == 0 {
			b.t.Errorf("no %s was made: the test looks at nothing", op)
		}
	}
}
