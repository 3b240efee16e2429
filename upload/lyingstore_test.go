package upload_test

import (
	"context"
	"testing"

	"github.com/vodupload/vodupload/checkpoint"
)

// A lyingStore gives other records than it was given.
type lyingStore struct {
	checkpoint.Store
	lie func(*checkpoint.Record)
}

func (s lyingStore) Open(ctx context.Context, key checkpoint.Key) (checkpoint.Claim, error) {
	u, err := s.Store.Open(ctx, key)
	return lyingUpload{u, s.lie}, err
}

type lyingUpload struct {
	checkpoint.Claim
	lie func(*checkpoint.Record)
}

func (u lyingUpload) Load() (checkpoint.Record, []checkpoint.Part, bool) {
	rec, parts, ok := u.Claim.Load()
	u.lie(&rec)
	return rec, parts, ok
}

// TestRecordThatWasNeverWritten: a store that gives one costs that all is sent again.
func TestRecordThatWasNeverWritten(t *testing.T) {
	for name, lie := range map[string]func(*checkpoint.Record){
		"no upload ID":            func(r *checkpoint.Record) { r.UploadID = "" },
		"an upload ID of 2 lines": func(r *checkpoint.Record) { r.UploadID = "a\nb" },
		"of another upload":       func(r *checkpoint.Record) { r.Key.Object = "other" },
		"part size 0":             func(r *checkpoint.Record) { r.PartSize = 0 },
		"nothing":                 func(r *checkpoint.Record) { *r = checkpoint.Record{} },
	} {
		t.Run(name, func(t *testing.T) {
			b := newTestbed(t)
			f := b.file("a", 500*kib)
			leave(b, f)
			b.opts.Checkpoints = lyingStore{b.store, lie}
			r, err := b.client().Upload(b.ctx, f)
			if err != nil || r.ResumedParts > 0 {
				t.Fatalf("%d parts resumed, %v; want none", r.ResumedParts, err)
			}
			b.same(f)
		})
	}
}
