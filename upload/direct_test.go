package upload_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

func TestUploadInEachState(t *testing.T) {
	for _, state := range clientStates {
		t.Run(state.String(), func(t *testing.T) {
			t.Parallel()
			s := newClientInState(t, state)
			f := s.bytesOf("solo", 50*kib)
			before := len(s.client.Files())
			var beside sync.WaitGroup
			switch state {
			case upload.StateStarted: // its only slot hangs
				s.do(s.client.CancelFile(s.ids["uploading"]))
			case upload.StatePaused:
				beside.Go(func() {
					s.eventually("the file to be listed", func() bool { return len(s.client.Files()) > before })
					s.do(s.client.Resume())
					s.do(s.client.CancelFile(s.ids["paused"]))
				})
			case upload.StateExpired:
				beside.Go(func() {
					s.eventually("the file to be listed", func() bool { return len(s.client.Files()) > before })
					s.do(s.client.ResumeWithToken(s.newToken(1)))
				})
			}
			_, err := s.client.Upload(s.ctx, f)
			beside.Wait()
			if state == upload.StateClosed {
				if !errors.Is(err, upload.ErrClosed) {
					t.Errorf("got %v, want ErrClosed", err)
				}
				return
			}
			s.do(err)
			s.sameBytes(f)
			if state == upload.StateInit || state == upload.StateStopped || state == upload.StateFinished {
				if got := s.client.Status(); got != state {
					t.Errorf("Upload has made the client %s, want it still %s", got, state)
				}
			}
			if len(s.client.Files()) != before {
				t.Errorf("%d files are in the list, want %d as before", len(s.client.Files()), before)
			}
			if got := s.rec.of("solo"); got != "Started Progress Succeeded" {
				t.Errorf("told %s when Upload returned, want the end as well", got)
			}
			checkTotalsSoon(s)
		})
	}
}

// checkTotalsSoon stops what continues before it looks.
func checkTotalsSoon(s *clientInState) {
	s.t.Helper()
	s.do(s.client.Close())
	checkTotals(s.t, s.client)
}

// TestUploadEnds, in each way in which it can be ended, while it runs and while it
// waits for its turn.
func TestUploadEnds(t *testing.T) {
	reason := errors.New("enough")
	ends := map[string]struct {
		do   func(b *testbed, c *upload.Client, id upload.FileID, cancel context.CancelCauseFunc) error
		want error
		left int // uploads at the server that the next one continues with
	}{
		"its context": {func(_ *testbed, _ *upload.Client, _ upload.FileID, cancel context.CancelCauseFunc) error {
			cancel(reason)
			return nil
		}, reason, 1},
		"CancelFile": {func(_ *testbed, c *upload.Client, id upload.FileID, _ context.CancelCauseFunc) error {
			return c.CancelFile(id)
		}, upload.ErrCanceled, 0},
		"DeleteFile": {func(_ *testbed, c *upload.Client, id upload.FileID, _ context.CancelCauseFunc) error {
			return c.DeleteFile(id)
		}, upload.ErrCanceled, 0},
		"ClearFiles": {func(_ *testbed, c *upload.Client, _ upload.FileID, _ context.CancelCauseFunc) error {
			return c.ClearFiles()
		}, upload.ErrCanceled, 0},
		"Stop":  {func(_ *testbed, c *upload.Client, _ upload.FileID, _ context.CancelCauseFunc) error { return c.Stop() }, upload.ErrStopped, 1},
		"Close": {func(_ *testbed, c *upload.Client, _ upload.FileID, _ context.CancelCauseFunc) error { return c.Close() }, upload.ErrClosed, 1},
		"its context after Pause": {func(_ *testbed, c *upload.Client, _ upload.FileID, cancel context.CancelCauseFunc) error {
			err := c.Pause()
			cancel(reason)
			return err
		}, reason, 1},
		"its context in the middle of Pause": {func(_ *testbed, c *upload.Client, _ upload.FileID, cancel context.CancelCauseFunc) error {
			go cancel(reason)
			return c.Pause()
		}, reason, 1},
		"Stop after Pause": {func(_ *testbed, c *upload.Client, _ upload.FileID, _ context.CancelCauseFunc) error {
			return errors.Join(c.Pause(), c.Stop())
		}, upload.ErrStopped, 1},
		"Close after Pause": {func(_ *testbed, c *upload.Client, _ upload.FileID, _ context.CancelCauseFunc) error {
			return errors.Join(c.Pause(), c.Close())
		}, upload.ErrClosed, 1},
		"CancelFile after Pause": {func(_ *testbed, c *upload.Client, id upload.FileID, _ context.CancelCauseFunc) error {
			return errors.Join(c.Pause(), c.CancelFile(id))
		}, upload.ErrCanceled, 0},
	}
	for name, end := range ends {
		for _, queued := range []bool{false, true} {
			if queued && strings.HasSuffix(name, "Pause") {
				continue // that is what has it queued
			}
			t.Run(fmt.Sprintf("by %s, queued %t", name, queued), func(t *testing.T) {
				t.Parallel()
				b := newTestbed(t)
				b.opts.Parallel = 2
				rec := b.recorded()
				hang := osstest.Hang(osstest.OpUploadPart).Always()
				defer hang.Release()
				third := osstest.Hang(osstest.OpPutObject)
				defer third.Release()
				b.server.Inject(hang, third)
				c := b.client()
				ctx, cancel := context.WithCancelCause(b.ctx)
				defer cancel(nil)
				other := b.add(c, b.bytesOf("other", 500*kib))[0]
				if err := c.Start(b.ctx); err != nil {
					t.Fatal(err)
				}
				<-hang.Fired()
				if queued {
					if err := c.Pause(); err != nil {
						t.Fatal(err)
					}
				} else {
					if err := c.CancelFile(other); err != nil {
						t.Fatal(err)
					}
					b.add(c, b.bytesOf("third", 1)) // keeps a slot, and the client from being finished
				}
				ended := make(chan error, 1)
				f := b.bytesOf("solo", 500*kib)
				go func() {
					_, err := c.Upload(ctx, f)
					ended <- err
				}()
				id := b.listed(c, "solo")
				if !queued {
					b.until(c, id, upload.FileUploading)
					b.eventually("its first part", func() bool { return b.server.InFlight(osstest.OpUploadPart) > 0 && len(b.server.Uploads(bucket)) > 0 })
				}
				if err := end.do(b, c, id, cancel); err != nil {
					t.Fatal(err)
				}
				err := <-ended
				var e *upload.Error
				if !errors.Is(err, end.want) || !errors.As(err, &e) || e.Object != "solo" {
					t.Errorf("got %v, want an Error that is %v", err, end.want)
				}
				if strings.Contains(err.Error(), "\n") {
					t.Errorf("the error has more than one line: %q", err)
				}
				for _, f := range c.Files() {
					if f.Object == "solo" {
						t.Error("the file is still in the list")
					}
				}
				_ = c.Close()
				if n := rec.open(); n > 0 {
					t.Errorf("%d files got no end", n)
				}
				if end.left == 0 {
					for _, u := range b.server.Uploads(bucket) {
						if u.Key == "solo" && len(u.Parts) > 0 {
							t.Error("its upload is left at the server")
						}
					}
				}
			})
		}
	}
}

// listed waits until a file for an object is in the list.
func (b *testbed) listed(c *upload.Client, object string) (id upload.FileID) {
	b.t.Helper()
	b.eventually("the file to be listed", func() bool {
		for _, f := range c.Files() {
			if f.Object == object {
				id = f.ID
			}
		}
		return id != 0
	})
	return id
}

func TestUploadGoesOnWithWhatTheLastOneLeft(t *testing.T) {
	b := newTestbed(t)
	f := b.bytesOf("a", 500*kib)
	hang := osstest.Hang(osstest.OpUploadPart).Nth(4).Always()
	b.opts.Parallel = 1
	b.server.Inject(hang)
	c := b.client()
	ctx, cancel := context.WithCancel(b.ctx)
	go func() {
		<-hang.Fired()
		cancel()
	}()
	if _, err := c.Upload(ctx, f); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want context.Canceled", err)
	}
	hang.Release()
	b.server.ClearFaults()
	r, err := c.Upload(b.ctx, f)
	if err != nil || r.ResumedParts < 3 {
		t.Errorf("got %v, %d parts resumed, want at least 3", err, r.ResumedParts)
	}
	b.sameBytes(f)
	b.clean()
}

// TestUploadThousandsOfTimes, in a row and at once, leaves nothing behind.
func TestUploadThousandsOfTimes(t *testing.T) {
	b := newTestbed(t)
	done := 0
	b.opts.Callbacks.OnSucceeded = func(*upload.Client, upload.FileInfo, upload.Result) { done++ }
	c := b.client()
	round := func(n int) {
		for i := range n {
			if _, err := c.Upload(b.ctx, b.bytesOf("same", i%10)); err != nil {
				t.Fatal(err)
			}
		}
	}
	round(200)
	b.server.ResetRequests()
	before := heap()
	round(1000)
	b.server.ResetRequests()
	if after := heap(); after > before+2<<20 {
		t.Errorf("%d KiB of heap after 1,000 Uploads, %d KiB before", after>>10, before>>10)
	}
	var wg sync.WaitGroup
	for i := range 500 {
		wg.Go(func() {
			if _, err := c.Upload(b.ctx, b.bytesOf(fmt.Sprint(i), 1)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(c.Files()) != 0 || done != 1700 || fmt.Sprint(c.Stats().Files) != "map[]" {
		t.Errorf("%d files are left, %d succeeded, %+v; want none, 1700", len(c.Files()), done, c.Stats())
	}
	if n := b.server.MaxInFlight(); n > upload.DefaultParallel {
		t.Errorf("%d requests in flight, want at most %d", n, upload.DefaultParallel)
	}
}

// TestUploadsThatTimeOutWhilePaused leave nothing in the queue either.
func TestUploadsThatTimeOutWhilePaused(t *testing.T) {
	b := newTestbed(t)
	c := b.client()
	hang := osstest.Hang(osstest.OpPutObject).Always()
	defer hang.Release()
	b.server.Inject(hang)
	b.add(c, b.bytesOf("list", 1))
	if err := errors.Join(c.Start(b.ctx), c.Pause()); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(b.ctx, time.Millisecond)
			defer cancel()
			if _, err := c.Upload(ctx, b.bytesOf(fmt.Sprint(i), 1)); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v, want the end of its context", err)
			}
		})
	}
	wg.Wait()
	if n := len(c.Files()); n != 1 {
		t.Errorf("%d files are in the list, want the one that was added", n)
	}
}

// Files that wait for their destination do not keep Upload waiting.
func TestUploadBesideManyThatWait(t *testing.T) {
	b := newTestbed(t)
	c := b.client()
	for i := range 300 {
		f := b.bytesOf(fmt.Sprint("waits", i), 10)
		f.Endpoint, f.Bucket, f.Object = "", "", ""
		must(c.AddFile(f))
	}
	if err := c.Start(b.ctx); err != nil {
		t.Fatal(err)
	}
	b.eventually("as many files to be started as may be", func() bool { return c.Stats().Files[upload.FileUploading] == 256 })
	if _, err := c.Upload(b.ctx, b.bytesOf("now", 10)); err != nil {
		t.Error(err)
	}
}
