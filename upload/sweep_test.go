package upload_test

import (
	"errors"
	"testing"

	"github.com/vodupload/vodupload/upload"
)

func TestSweep(t *testing.T) {
	r := newTrial(t, t.TempDir(), scene{size: 450 * kib}, 1)
	defer r.server.Close()
	b := r.bench
	f := b.file("film.mp4", 450*kib)
	r.file = f
	r.interrupt() // a process that ended leaves its checkpoint and three parts
	c := r.client()
	where := upload.SweepOptions{Endpoint: r.server.URL, Bucket: bucket}

	if found, err := c.Sweep(r.ctx, where); err != nil || len(found) > 0 {
		t.Errorf("got %v, %v; want nothing: it is younger than a day", found, err)
	}
	where.OlderThan = -1
	where.Prefix = "out/"
	if found, err := c.Sweep(r.ctx, where); err != nil || len(found) > 0 {
		t.Errorf("got %v, %v; want nothing: it is under another prefix", found, err)
	}
	where.Prefix = "in/"
	where.DryRun = true
	found, err := c.Sweep(r.ctx, where)
	if err != nil || len(found) != 1 || found[0].Aborted || found[0].Path != f.Path || found[0].Object != f.Object || found[0].Parts != 3 {
		t.Errorf("got %+v, %v; want the upload of %s with 3 parts, not aborted", found, err, f.Path)
	}
	where.DryRun = false
	if found, err = c.Sweep(r.ctx, where); err != nil || len(found) != 1 || !found[0].Aborted {
		t.Errorf("got %+v, %v; want one upload that was aborted", found, err)
	}
	b.clean()
	if _, err := c.Sweep(r.ctx, upload.SweepOptions{Bucket: "UPPER", Endpoint: r.server.URL}); !errors.Is(err, upload.ErrInvalidArgument) {
		t.Errorf("got %v, want ErrInvalidArgument", err)
	}
}
