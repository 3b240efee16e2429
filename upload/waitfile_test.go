package upload_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// held returns a client that was started, with a file whose second part hangs.
func (b *testbed) held(name string) (*upload.Client, upload.FileID, *osstest.Fault) {
	b.t.Helper()
	hold := osstest.Hang(osstest.OpUploadPart).Nth(2)
	b.server.Inject(hold)
	b.opts.Parallel = 1
	c := b.client()
	id := must(c.AddFile(b.file(name, 300*kib)))
	check(b, c.Start(b.ctx))
	<-hold.Fired()
	return c, id, hold
}

// waiting calls WaitFile on a goroutine, and returns where its error will be, once the
// call waits.
func waiting(b *testbed, c *upload.Client, id upload.FileID) <-chan error {
	got := make(chan error, 1)
	go func() {
		_, err := c.WaitFile(b.ctx, id)
		got <- err
	}()
	for !c.Awaited(id) {
		time.Sleep(time.Millisecond)
	}
	return got
}

func TestWaitFile(t *testing.T) {
	t.Run("returns the result, after the callbacks", func(t *testing.T) {
		b := newTestbed(t)
		var returned atomic.Bool
		b.opts.Callbacks.OnSucceeded = func(*upload.Client, upload.FileInfo, upload.Result) {
			time.Sleep(20 * time.Millisecond)
			returned.Store(true)
		}
		c := b.client()
		f := b.file("a", 300*kib)
		id := must(c.AddFile(f))
		check(b, c.Start(b.ctx))
		res, err := c.WaitFile(b.ctx, id)
		if err != nil || res.Object != f.Object || res.Size != 300*kib || !res.Verified {
			t.Errorf("got %+v, %v", res, err)
		}
		if !returned.Load() {
			t.Error("OnSucceeded had not returned")
		}
		again, err := c.WaitFile(b.ctx, id)
		if err != nil || again.ETag != res.ETag {
			t.Errorf("got %+v, %v for a file that has ended", again, err)
		}
	})
	t.Run("many may wait", func(t *testing.T) {
		b := newTestbed(t)
		c, id, hold := b.held("a")
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() {
				if res, err := c.WaitFile(b.ctx, id); err != nil || res.Size != 300*kib {
					t.Errorf("got %+v, %v", res, err)
				}
			})
		}
		hold.Release()
		all.Wait()
	})
	t.Run("the error of a file that fails", func(t *testing.T) {
		b := newTestbed(t)
		c := b.client()
		f := b.file("a", 10)
		f.Bucket = "absent"
		id := must(c.AddFile(f))
		check(b, c.Start(b.ctx))
		_, err := c.WaitFile(b.ctx, id)
		var e *upload.Error
		if !errors.As(err, &e) || e.Code != "NoSuchBucket" || e.FileID != id {
			t.Errorf("got %v, want NoSuchBucket", err)
		}
	})
	t.Run("ErrFileNotExist for an unknown file", func(t *testing.T) {
		b := newTestbed(t)
		if _, err := b.client().WaitFile(b.ctx, 7); !errors.Is(err, upload.ErrFileNotExist) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("the end of its context, which leaves the file alone", func(t *testing.T) {
		b := newTestbed(t)
		c, id, hold := b.held("a")
		ctx, cancel := context.WithCancelCause(b.ctx)
		cancel(errors.New("enough"))
		if _, err := c.WaitFile(ctx, id); err == nil || err.Error() != "upload: WaitFile: enough" {
			t.Errorf("got %v, want the cause", err)
		}
		hold.Release()
		if _, err := c.WaitFile(b.ctx, id); err != nil {
			t.Errorf("got %v, want success", err)
		}
		if res, err := c.WaitFile(ctx, id); err != nil || res.Size == 0 {
			t.Errorf("got %v for a file that has ended, want its result", err)
		}
	})
	t.Run("the end of a file that was set back", func(t *testing.T) {
		b := newTestbed(t)
		b.server.Inject(osstest.Fail(osstest.OpPutObject, 403, "AccessDenied"))
		c := b.client()
		id := must(c.AddFile(b.file("a", 10)))
		check(b, c.Start(b.ctx))
		if _, err := c.WaitFile(b.ctx, id); err == nil {
			t.Error("want the first failure")
		}
		check(b, c.ResumeFile(id))
		if _, err := c.WaitFile(b.ctx, id); err != nil {
			t.Errorf("got %v, want success", err)
		}
	})
}

// What ends a wait other than the end of the file.
func TestWaitFileMeanwhile(t *testing.T) {
	for name, tt := range map[string]struct {
		do   func(*upload.Client, upload.FileID) error
		want error
		code string // empty: no *Error
	}{
		"canceled": {(*upload.Client).CancelFile, upload.ErrCanceled, upload.CodeCanceled},
		"deleted":  {(*upload.Client).DeleteFile, upload.ErrCanceled, upload.CodeCanceled},
		"cleared":  {func(c *upload.Client, _ upload.FileID) error { return c.ClearFiles() }, upload.ErrCanceled, upload.CodeCanceled},
		"stopped":  {func(c *upload.Client, _ upload.FileID) error { return c.Stop() }, upload.ErrStopped, ""},
		"closed":   {func(c *upload.Client, _ upload.FileID) error { return c.Close() }, upload.ErrClosed, upload.CodeClosed},
	} {
		t.Run(name, func(t *testing.T) {
			b := newTestbed(t)
			c, running, _ := b.held("running")
			queued := must(c.AddFile(b.file("queued", 300*kib)))
			first, second := waiting(b, c, running), waiting(b, c, queued)
			if name == "canceled" || name == "deleted" { // before it has the other's slot
				check(b, tt.do(c, queued))
			}
			check(b, tt.do(c, running))
			err := <-first
			checkEnd(t, "the file that runs", err, tt.want, tt.code)
			code := tt.code
			if name == "closed" { // it was never started
				code = ""
			}
			checkEnd(t, "the file that waits", <-second, tt.want, code)
		})
	}
}

func checkEnd(t *testing.T, which string, err, want error, code string) {
	t.Helper()
	var e *upload.Error
	if !errors.Is(err, want) || errors.As(err, &e) != (code != "") || e != nil && e.Code != code {
		t.Errorf("%s: got %v, want %v with code %q", which, err, want, code)
	}
}

func TestWaitFileOfAClientThatIsNot(t *testing.T) {
	b := newTestbed(t)
	c := b.client()
	id := must(c.AddFile(b.file("a", 10)))
	if _, err := c.WaitFile(b.ctx, id); !errors.Is(err, upload.ErrState) {
		t.Errorf("started: got %v, want ErrState", err)
	}
	check(b, c.Start(b.ctx))
	if _, err := c.WaitFile(b.ctx, id); err != nil {
		t.Error(err)
	}
	check(b, c.Stop())
	late := must(c.AddFile(b.file("b", 10)))
	if _, err := c.WaitFile(b.ctx, late); !errors.Is(err, upload.ErrStopped) {
		t.Errorf("stopped: got %v, want ErrStopped", err)
	}
	check(b, c.Close())
	if _, err := c.WaitFile(b.ctx, id); err != nil {
		t.Errorf("closed: got %v for the file that has succeeded before, want its result", err)
	}
	if _, err := c.WaitFile(b.ctx, late); !errors.Is(err, upload.ErrClosed) {
		t.Errorf("closed: got %v, want ErrClosed", err)
	}
}

// In a callback, WaitFile does not wait for the callbacks: they wait for it.
func TestWaitFileInACallback(t *testing.T) {
	b := newTestbed(t)
	f, g := b.file("f", 300*kib), b.file("g", 10)
	var own, others, direct error
	var ids []upload.FileID
	b.opts.Callbacks.OnStarted = func(c *upload.Client, i upload.FileInfo) {
		switch i.Object {
		case g.Object:
			_, others = c.WaitFile(b.ctx, ids[0])
		case "in/direct":
			_, direct = c.WaitFile(b.ctx, i.ID)
		}
	}
	b.opts.Callbacks.OnSucceeded = func(c *upload.Client, i upload.FileInfo, _ upload.Result) {
		if i.Object == f.Object {
			_, own = c.WaitFile(b.ctx, i.ID)
		}
	}
	c := b.client()
	ids = append(ids, must(c.AddFile(f)), must(c.AddFile(g)))
	check(b, c.Start(b.ctx))
	check(b, c.Wait(b.ctx))
	must(c.Upload(b.ctx, b.file("direct", 300*kib)))
	if own != nil || others != nil || direct != nil {
		t.Errorf("got %v of the file itself, %v of another, %v of one of Upload", own, others, direct)
	}
}

// A file that is taken out of the list as soon as it has ended had its end for those who
// waited.
func TestWaitFileOfAFileThatIsDeletedAtItsEnd(t *testing.T) {
	b := newTestbed(t)
	b.opts.Callbacks.OnSucceeded = func(c *upload.Client, f upload.FileInfo, _ upload.Result) { _ = c.DeleteFile(f.ID) }
	c, id, hold := b.held("a")
	got := waiting(b, c, id)
	hold.Release()
	if err := <-got; err != nil {
		t.Errorf("got %v, want success", err)
	}
	if _, err := c.WaitFile(b.ctx, id); !errors.Is(err, upload.ErrFileNotExist) {
		t.Errorf("got %v for a file that is gone, want ErrFileNotExist", err)
	}
}

// Each waits for its own file, while others end, fail and are deleted.
func TestWaitFileOfManyFiles(t *testing.T) {
	b := newTestbed(t)
	c := b.client()
	check(b, c.Start(b.ctx))
	var all sync.WaitGroup
	for i := range 200 {
		name := fmt.Sprint(i)
		f := b.to(name)
		f.Reader, f.Tag = bytes.NewReader([]byte(name)), i
		if i%5 == 1 {
			f.Bucket = "absent"
		}
		all.Go(func() {
			id := must(c.AddFile(f))
			if i%5 == 2 {
				_ = c.CancelFile(id)
			}
			res, err := c.WaitFile(b.ctx, id)
			switch {
			case i%5 == 1:
				if err == nil {
					t.Errorf("file %d succeeded without a bucket", i)
				}
			case i%5 == 2 && errors.Is(err, upload.ErrCanceled):
			case err != nil || res.Object != f.Object || res.Size != int64(len(name)):
				t.Errorf("file %d: got %+v, %v", i, res, err)
			}
			_ = c.DeleteFile(id)
		})
	}
	all.Wait()
}
