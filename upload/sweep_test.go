package upload_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/checkpoint/checkpointtest"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

func TestSweep(t *testing.T) {
	r := newTrial(t, t.TempDir(), scene{size: 450 * kib}, 1)
	defer r.close()
	b := r.testbed
	f := b.file("film.mp4", 450*kib)
	r.file = f
	r.interrupt() // a process that ended leaves its checkpoint and three parts
	c := r.client()
	where := upload.SweepOptions{Endpoint: r.server.URL, Bucket: bucket, OnlyThisMachine: true}

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
	if _, err := c.Sweep(r.ctx, upload.SweepOptions{Bucket: "UPPER", Endpoint: r.server.URL, OnlyThisMachine: true}); !errors.Is(err, upload.ErrInvalidArgument) {
		t.Errorf("got %v, want ErrInvalidArgument", err)
	}
}

// A sweep leaves alone what a file of the list is to continue with, however old it is.
func TestSweepSparesTheList(t *testing.T) {
	b := newTestbed(t)
	f := b.bytesOf("a", 500*kib)
	hang := osstest.Hang(osstest.OpUploadPart).Nth(4).Always()
	b.server.Inject(hang)
	c := b.client()
	id := b.add(c, f)[0]
	if err := c.Start(b.ctx); err != nil {
		t.Fatal(err)
	}
	<-hang.Fired()
	if err := c.Pause(); err != nil {
		t.Fatal(err)
	}
	c.AwaitIdle(t)
	b.server.ClearFaults()
	hang.Release()
	sweep := func(c *upload.Client) []upload.Leftover {
		return must(c.Sweep(b.ctx, upload.SweepOptions{Endpoint: f.Endpoint, Bucket: bucket, OlderThan: -1, DryRun: true}))
	}
	if found := sweep(c); len(found) > 0 {
		t.Errorf("found %+v, want nothing: the file is paused", found)
	}
	if found := sweep(b.client()); len(found) != 1 {
		t.Errorf("another client found %+v, want the one upload", found)
	}
	if err := c.CancelFile(id); err != nil {
		t.Fatal(err)
	}
}

// A file that is added while its old checkpoint is being swept begins again.
func TestFileAddedDuringItsSweep(t *testing.T) {
	b := newTestbed(t)
	f := b.bytesOf("a", 500*kib)
	leave(b, f)
	hang := osstest.Hang(osstest.OpAbortMultipartUpload)
	b.server.Inject(hang)
	c := b.client()
	swept := make(chan error, 1)
	go func() {
		_, err := c.Sweep(b.ctx, upload.SweepOptions{OlderThan: -1})
		swept <- err
	}()
	<-hang.Fired()
	done := make(chan error, 1)
	go func() {
		_, err := c.Upload(b.ctx, f)
		done <- err
	}()
	select {
	case err := <-done:
		t.Errorf("got %v while the sweep holds the checkpoint", err)
		done <- nil
	case <-time.After(50 * time.Millisecond):
	}
	hang.Release()
	for _, ended := range []chan error{swept, done} {
		select {
		case err := <-ended:
			if err != nil {
				t.Error(err)
			}
		case <-b.ctx.Done():
			t.Fatal("it did not end")
		}
	}
	b.sameBytes(f)
	b.clean()
}

func TestSweepSaysWhichRightIsMissing(t *testing.T) {
	r := newTrial(t, t.TempDir(), scene{size: 450 * kib}, 1)
	defer r.close()
	b := r.testbed
	r.file = b.file("film.mp4", 450*kib)
	r.interrupt()
	c := r.client()
	where := upload.SweepOptions{Endpoint: r.server.URL, Bucket: bucket, Prefix: "in/", OlderThan: -1, OnlyThisMachine: true}
	var about *upload.Error

	r.server.Inject(osstest.Fail(osstest.OpAbortMultipartUpload, 403, "AccessDenied").Always())
	found, err := c.Sweep(r.ctx, where)
	if err != nil || len(found) != 1 || !errors.As(found[0].Err, &about) || about.Status != 403 || about.Path != r.file.Path || !strings.Contains(about.Error(), "oss:AbortMultipartUpload") {
		t.Errorf("got %+v, %v; want what the policy has to allow", found, err)
	}
	r.server.Inject(osstest.Fail(osstest.OpListMultipartUploads, 403, "AccessDenied").Always())
	if _, err := c.Sweep(r.ctx, where); !errors.As(err, &about) || about.Bucket != bucket || !strings.Contains(err.Error(), "oss:ListMultipartUploads") {
		t.Errorf("error is %v, want what the policy has to allow", err)
	}
}

// An error without an answer is of the type that one with an answer has.
func TestSweepWithoutAnAnswer(t *testing.T) {
	b := newTestbed(t)
	b.server.Inject(osstest.LoseAnswer(osstest.OpListMultipartUploads))
	b.opts.RetryCount, b.opts.OutageWait = -1, -1
	_, err := b.client().Sweep(b.ctx, upload.SweepOptions{Endpoint: b.server.URL, Bucket: bucket, DryRun: true})
	if about := (*upload.Error)(nil); !errors.As(err, &about) || about.Code != upload.CodeClientException || about.Op != "ListMultipartUploads" || about.Bucket != bucket {
		t.Errorf("error is %#v", err)
	}
}

// TestSweepOfMachinesWithTheirOwnStores: what another machine uploads looks like nobody's to
// a store of this one, so that aborting it has to be asked for.
func TestSweepOfMachinesWithTheirOwnStores(t *testing.T) {
	b := newTestbed(t)
	leases := checkpointtest.NewLeases()
	b.opts.Checkpoints = leases.Store("other")
	hold := osstest.Hang(osstest.OpUploadPart).Nth(3)
	b.server.Inject(hold)
	f := b.file("a", 500*kib)
	other := b.client()
	_ = must(other.AddFile(f))
	start(t, b, other)
	<-hold.Fired()
	where := upload.SweepOptions{Endpoint: b.server.URL, Bucket: bucket, OlderThan: -1}

	b.opts.Checkpoints = checkpoint.NewMemory()
	c := b.client()
	_, err := c.Sweep(b.ctx, where)
	if !errors.Is(err, upload.ErrInvalidArgument) || !strings.Contains(err.Error(), "OnlyThisMachine") {
		t.Errorf("error is %v, want one about OnlyThisMachine", err)
	}
	if _, err := c.Sweep(b.ctx, upload.SweepOptions{OlderThan: -1}); err != nil {
		t.Errorf("by the checkpoints alone: %v", err)
	}
	dry := where
	dry.DryRun = true
	if found, err := c.Sweep(b.ctx, dry); err != nil || len(found) != 1 {
		t.Errorf("dry run: found %v, %v; want one upload", found, err)
	}
	if n := len(b.server.Uploads(bucket)); n != 1 {
		t.Fatalf("%d uploads are at the server, want that of the other machine", n)
	}

	b.opts.Checkpoints = leases.Store("third")
	if found, err := b.client().Sweep(b.ctx, where); err != nil || len(found) > 0 {
		t.Errorf("with a shared store: found %v, %v; want nothing", found, err)
	}
	hold.Release()
	if err := other.Wait(b.ctx); err != nil {
		t.Errorf("the other machine: %v", err)
	}
	b.same(f)
}
