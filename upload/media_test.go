package upload_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/internal/transfer"
	"github.com/vodupload/vodupload/upload/osstest"
)

func TestSameVideoAfter(t *testing.T) {
	t.Run("a failure", func(t *testing.T) {
		b, m, f := newMedia(t, mib)
		b.server.Inject(osstest.Fail(osstest.OpUploadPart, 403, "AccessDenied").Nth(8))
		c := b.client()
		id := must(c.AddFile(f))
		start(t, b, c)
		if err := c.Wait(b.ctx); err == nil {
			t.Fatal("the first run succeeded")
		}
		if err := c.ResumeFile(id); err != nil {
			t.Fatal(err)
		}
		if err := c.Wait(b.ctx); err != nil {
			t.Fatal(err)
		}
		if r := must(c.File(id)).Result; m.said() != ",video1" || r.ResumedParts == 0 {
			t.Errorf("calls with %q, %d parts resumed; want the second with video1, and some", m.said(), r.ResumedParts)
		}
		b.there(f, "video1")
		b.clean()
	})
	t.Run("the end of the process", func(t *testing.T) {
		b, m, f := newMedia(t, mib)
		b.server.Inject(osstest.Fail(osstest.OpUploadPart, 403, "AccessDenied").Nth(8))
		c := b.client()
		if _, err := c.Upload(b.ctx, f); err == nil {
			t.Fatal("the first run succeeded")
		}
		_ = c.Close()
		r, err := b.client().Upload(b.ctx, f)
		if err != nil || r.VideoID != "video1" || r.ResumedParts == 0 || m.said() != ",video1" {
			t.Errorf("got %+v, %v after calls with %q; want video1 resumed", r, err, m.said())
		}
		b.clean()
	})
	t.Run("the end of the process, with the file restored from a copy", func(t *testing.T) {
		b, m, f := newMedia(t, mib)
		b.server.Inject(osstest.Fail(osstest.OpUploadPart, 403, "AccessDenied").Nth(8))
		c := b.client()
		if _, err := c.Upload(b.ctx, f); err == nil {
			t.Fatal("the first run succeeded")
		}
		_ = c.Close()
		film, info, next := must(os.ReadFile(f.Path)), must(os.Stat(f.Path)), f.Path+".next"
		if err := errors.Join(os.WriteFile(next, film, 0o600), os.Chtimes(next, info.ModTime(), info.ModTime()), os.Rename(next, f.Path)); err != nil {
			t.Fatal(err)
		}
		r, err := b.client().Upload(b.ctx, f)
		if err != nil || r.VideoID != "video1" || r.ResumedParts == 0 || m.said() != ",video1" {
			t.Errorf("got %+v, %v after calls with %q; want video1 resumed", r, err, m.said())
		}
		b.clean()
	})
	t.Run("Pause, without another call", func(t *testing.T) {
		b, m, f := newMedia(t, mib)
		hang := osstest.Hang(osstest.OpUploadPart).Nth(4)
		b.server.Inject(hang)
		c := b.client()
		id := must(c.AddFile(f))
		start(t, b, c)
		<-hang.Fired()
		if err := c.Pause(); err != nil {
			t.Fatal(err)
		}
		c.AwaitIdle(t)
		if left := must(b.store.List(b.ctx)); len(left) != 2 || left[0].InUse || left[1].InUse {
			t.Errorf("while it is paused the store has %+v, want a claim and a checkpoint that are free", left)
		}
		if err := c.Resume(); err != nil {
			t.Fatal(err)
		}
		if err := c.Wait(b.ctx); err != nil {
			t.Fatal(err)
		}
		if m.said() != "" || must(c.File(id)).VideoID != "video1" {
			t.Errorf("calls with %q, want one", m.said())
		}
		b.there(f, "video1")
		b.clean()
	})
	t.Run("Pause, in which another process finished it", func(t *testing.T) {
		b, m, f := newMedia(t, mib)
		hang := osstest.Hang(osstest.OpUploadPart).Nth(4)
		b.server.Inject(hang)
		c := b.client()
		must(c.AddFile(f))
		start(t, b, c)
		<-hang.Fired()
		if err := c.Pause(); err != nil {
			t.Fatal(err)
		}
		c.AwaitIdle(t)
		if r, err := b.client().Upload(b.ctx, f); err != nil || r.VideoID != "video1" {
			t.Fatalf("the other got %+v, %v", r, err)
		}
		if err := c.Resume(); err != nil {
			t.Fatal(err)
		}
		if err := c.Wait(b.ctx); err != nil {
			t.Fatal(err)
		}
		if m.said() != ",video1,video1" {
			t.Errorf("calls with %q, want the third about the same video", m.said())
		}
		b.there(f, "video1")
		b.clean()
	})
	t.Run("Pause while it is made", func(t *testing.T) {
		b, m, f := newMedia(t, mib)
		c := b.client()
		asked := make(chan struct{})
		m.authorize = func(ctx context.Context, _ upload.FileInfo) error {
			m.authorize = nil
			close(asked)
			<-ctx.Done() // the answer comes all the same
			return nil
		}
		must(c.AddFile(f))
		start(t, b, c)
		<-asked
		if err := c.Pause(); err != nil {
			t.Fatal(err)
		}
		c.AwaitIdle(t)
		if err := c.Resume(); err != nil {
			t.Fatal(err)
		}
		if err := c.Wait(b.ctx); err != nil {
			t.Fatal(err)
		}
		if m.made != 1 || m.said() != "" {
			t.Errorf("%d videos were made by calls with %q, want 1", m.made, m.said())
		}
		b.there(f, "video1")
		b.clean()
	})
}

func TestNewVideoForOtherBytes(t *testing.T) {
	b, m, f := newMedia(t, mib)
	b.server.Inject(osstest.Fail(osstest.OpUploadPart, 403, "AccessDenied").Nth(8))
	c := b.client()
	id := must(c.AddFile(f))
	start(t, b, c)
	if err := c.Wait(b.ctx); err == nil {
		t.Fatal("the first run succeeded")
	}
	b.file("a.mp4", 2*mib)
	if err := c.ResumeFile(id); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(b.ctx); err != nil {
		t.Fatal(err)
	}
	if m.said() != "," {
		t.Errorf("calls with %q, want two without a video", m.said())
	}
	b.there(f, "video2")
	if left := must(b.store.List(b.ctx)); len(left) > 0 {
		t.Errorf("%+v is left in the store", left)
	}
}

// A process was killed while it made a video.
func TestKilledWhileTheVideoWasMade(t *testing.T) {
	b, m, f := newMedia(t, mib)
	key := checkpoint.Key{Source: f.Path}
	m.authorize = func(ctx context.Context, _ upload.FileInfo) error {
		m.authorize = nil
		entries := must(b.store.List(ctx))
		if len(entries) != 1 || entries[0].Record.Key != key || entries[0].Record.VideoID != "" {
			t.Errorf("while the video is made the store has %+v, want the mark", entries)
		}
		return errors.New("refused")
	}
	c := b.client()
	if _, err := c.Upload(b.ctx, f); err == nil {
		t.Fatal("the refused file succeeded")
	}
	b.clean()
	// What is on disk then:
	store := must(checkpoint.OpenDir(t.TempDir()))
	defer store.Close()
	b.store, b.opts.Checkpoints = store, store
	src := must(transfer.OpenFile(f.Path))
	cp := must(store.Open(b.ctx, key))
	mark := checkpoint.Record{Key: key, Source: src.State(), Started: time.Now()}
	if err := errors.Join(cp.Begin(b.ctx, mark), cp.Close(), src.Close()); err != nil {
		t.Fatal(err)
	}
	_, err := b.client().Upload(b.ctx, f)
	var e *upload.Error
	if !errors.Is(err, upload.ErrAnswerLost) || !errors.As(err, &e) || e.Code != upload.CodeAnswerLost {
		t.Fatalf("got %v, want ErrAnswerLost", err)
	}
	if _, err := b.client().Upload(b.ctx, f); err != nil {
		t.Fatal(err)
	}
	b.there(f, "video1")
	b.clean()
}

func TestNotRenewable(t *testing.T) {
	t.Run("begins anew", func(t *testing.T) {
		b, m, f := newMedia(t, mib)
		b.server.Inject(osstest.ExpireToken(osstest.OpUploadPart).Nth(4))
		m.renew = func() error { return fmt.Errorf("%w: it was deleted", upload.ErrNotRenewable) }
		r, err := b.client().Upload(b.ctx, f)
		if err != nil {
			t.Fatal(err)
		}
		if r.VideoID != "video2" || m.said() != "," {
			t.Errorf("got %s after calls with %q, want video2", r.VideoID, m.said())
		}
		b.there(f, "video2")
		if left := must(b.store.List(b.ctx)); len(left) > 0 {
			t.Errorf("%+v is left in the store", left)
		}
	})
	t.Run("once", func(t *testing.T) {
		b, m, f := newMedia(t, mib)
		b.server.Inject(osstest.ExpireToken(osstest.OpUploadPart).Always())
		m.renew = func() error { return upload.ErrNotRenewable }
		_, err := b.client().Upload(b.ctx, f)
		if !errors.Is(err, upload.ErrNotRenewable) || m.made != 2 {
			t.Errorf("%d videos were made, error %v; want 2, ErrNotRenewable", m.made, err)
		}
	})
}

// A file that is canceled before it is known what an earlier process made of it leaves
// no checkpoint that nothing would ever look at again.
func TestCanceledBeforeItIsAuthorizedAgain(t *testing.T) {
	b, m, f := newMedia(t, mib)
	b.server.Inject(osstest.Fail(osstest.OpUploadPart, 403, "AccessDenied").Nth(8))
	c := b.client()
	if _, err := c.Upload(b.ctx, f); err == nil {
		t.Fatal("the first run succeeded")
	}
	_ = c.Close()
	asked := make(chan struct{})
	m.authorize = func(ctx context.Context, _ upload.FileInfo) error {
		close(asked)
		<-ctx.Done()
		return ctx.Err()
	}
	c = b.client()
	id := must(c.AddFile(f))
	start(t, b, c)
	<-asked
	if err := c.CancelFile(id); err != nil {
		t.Fatal(err)
	}
	b.eventually("all checkpoints to go", func() bool { return len(must(b.store.List(b.ctx))) == 0 })
}
