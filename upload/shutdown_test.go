package upload_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

func TestShutdownKeepsTheCheckpoints(t *testing.T) {
	for name, background := range map[string]bool{"with time": true, "with a context that has ended": false} {
		t.Run(name, func(t *testing.T) {
			b := newTestbed(t)
			b.opts.Parallel = 1
			rec := b.recorded()
			hang := osstest.Hang(osstest.OpUploadPart).Nth(3)
			b.server.Inject(hang)
			c := b.client()
			f := b.file("talk", 500*kib)
			b.add(c, f)
			if err := c.Start(b.ctx); err != nil {
				t.Fatal(err)
			}
			<-hang.Fired()
			ctx, cancel := context.WithCancel(b.ctx)
			defer cancel()
			if !background {
				cancel()
			}
			if err := c.Shutdown(ctx); background && err != nil || err != nil && !errors.Is(err, context.Canceled) {
				t.Errorf("Shutdown returned %v", err)
			}
			for call, err := range map[string]error{"Shutdown": c.Shutdown(b.ctx), "Close": c.Close(), "Start": c.Start(b.ctx)} {
				if !errors.Is(err, upload.ErrClosed) {
					t.Errorf("%s after it: got %v, want ErrClosed", call, err)
				}
			}
			b.eventually("the end of the file", func() bool { return strings.HasSuffix(rec.of("in/talk"), "Failed") })
			hang.Release()
			if r, err := b.client().Upload(b.ctx, f); err != nil || r.ResumedParts < 2 {
				t.Errorf("the next client resumed %d parts, want at least 2; %v", r.ResumedParts, err)
			}
		})
	}
}

func TestShutdownGivesUp(t *testing.T) {
	reason := errors.New("the orchestrator kills us now")
	t.Run("on a source that hangs", func(t *testing.T) {
		b := newTestbed(t)
		release, hangs := make(chan struct{}), make(chan struct{}, 100)
		f := b.to("talk")
		f.Source = &faulty{Reader: bytes.NewReader(make([]byte, 50*kib)), fail: func(_, _ int64) error {
			hangs <- struct{}{}
			<-release
			return nil
		}}
		c := b.client()
		b.add(c, f)
		if err := c.Start(b.ctx); err != nil {
			t.Fatal(err)
		}
		<-hangs
		ctx, cancel := context.WithTimeoutCause(b.ctx, 50*time.Millisecond, reason)
		defer cancel()
		began := time.Now()
		err := c.Shutdown(ctx)
		for _, part := range []string{"Shutdown gave up waiting", "1 file has not ended: ", "/talk: reading the source at byte 0"} {
			if !errors.Is(err, reason) || !strings.Contains(err.Error(), part) {
				t.Errorf("got %v, want it to say %q and to be the cause", err, part)
			}
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("it took %v", took)
		}
		close(release)
		c.AwaitIdle(t)
	})
	t.Run("on a clean-up", func(t *testing.T) {
		b := newTestbed(t)
		ended := goroutinesEnd(t)
		part, abort := osstest.Hang(osstest.OpUploadPart).Always(), osstest.Hang(osstest.OpAbortMultipartUpload).Always()
		b.server.Inject(part, abort)
		rec := b.recorded()
		c := b.client()
		id := b.add(c, b.bytesOf("talk", 500*kib))[0]
		if err := c.Start(b.ctx); err != nil {
			t.Fatal(err)
		}
		<-part.Fired()
		if err := c.CancelFile(id); err != nil {
			t.Fatal(err)
		}
		<-abort.Fired()
		ctx, cancel := context.WithTimeoutCause(b.ctx, 50*time.Millisecond, reason)
		defer cancel()
		if err := c.Shutdown(ctx); !errors.Is(err, reason) || !strings.Contains(err.Error(), ": memory/talk") {
			t.Errorf("got %v, want the cause and the file", err)
		}
		if got := rec.of("talk"); !strings.HasSuffix(got, "Canceled") {
			t.Errorf("got %s, want Canceled at the end: what is cut off ends by itself", got)
		}
		part.Release()
		abort.Release()
		b.server.Close()
		ended()
	})
	t.Run("on a callback", func(t *testing.T) {
		b := newTestbed(t)
		stuck := make(chan struct{})
		defer close(stuck)
		b.opts.Callbacks.OnFinished = func(*upload.Client) { <-stuck }
		c := b.client()
		b.add(c, b.bytesOf("talk", 1))
		if err := c.Start(b.ctx); err != nil {
			t.Fatal(err)
		}
		b.eventually("the end of the list", func() bool { return c.Status() == upload.StateFinished })
		ctx, cancel := context.WithTimeoutCause(b.ctx, 50*time.Millisecond, reason)
		defer cancel()
		if err := c.Shutdown(ctx); !errors.Is(err, reason) || !strings.Contains(err.Error(), "callback OnFinished has not returned for") {
			t.Errorf("got %v, want the cause and the callback", err)
		}
	})
}

func TestShutdownInACallback(t *testing.T) {
	b := newTestbed(t)
	ended := make(chan error, 1)
	b.opts.Callbacks.OnSucceeded = func(c *upload.Client, _ upload.FileInfo, _ upload.Result) {
		ended <- c.Shutdown(b.ctx)
	}
	c := b.client()
	b.add(c, b.bytesOf("talk", 1), b.bytesOf("next", 500*kib))
	if err := c.Start(b.ctx); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("got %v, want nil", err)
	}
}
