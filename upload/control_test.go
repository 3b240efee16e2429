package upload_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

func TestStartOfAnEndedContext(t *testing.T) {
	b := newTestbed(t)
	c := b.client()
	ctx, cancel := context.WithCancel(b.ctx)
	cancel()
	if err := c.Start(ctx); !errors.Is(err, context.Canceled) || c.Status() != upload.StateInit {
		t.Errorf("got %v, and the client is %s; want context.Canceled, and init", err, c.Status())
	}
	if _, err := c.Upload(ctx, b.bytesOf("a", 1)); !errors.Is(err, context.Canceled) || len(c.Files()) != 0 {
		t.Errorf("Upload: got %v, %d files in the list; want context.Canceled, and none", err, len(c.Files()))
	}
}

func TestEndOfStartsContext(t *testing.T) {
	reason := errors.New("the ship is sinking")
	for name, c := range map[string]struct {
		wait func(b *testbed, ctx context.Context) context.Context // that Wait is given
		is   []error
	}{
		"Wait with another context": {func(b *testbed, _ context.Context) context.Context { return b.ctx }, []error{upload.ErrStopped, context.Canceled, reason}},
		"Wait with the same":        {func(_ *testbed, ctx context.Context) context.Context { return ctx }, []error{upload.ErrStopped, reason}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newTestbed(t)
			hang := osstest.Hang(osstest.OpUploadPart).Always()
			defer hang.Release()
			b.server.Inject(hang)
			client := b.client()
			id := b.add(client, b.bytesOf("a", 500*kib))[0]
			ctx, cancel := context.WithCancelCause(b.ctx)
			if err := client.Start(ctx); err != nil {
				t.Fatal(err)
			}
			<-hang.Fired()
			cancel(reason)
			err := client.Wait(c.wait(b, ctx))
			for _, is := range c.is {
				if !errors.Is(err, is) {
					t.Errorf("got %v, want it to be %v", err, is)
				}
			}
			b.eventually("the client to stop", func() bool { return client.Status() == upload.StateStopped })
			b.until(client, id, upload.FileInit)
			if err := client.Wait(b.ctx); !errors.Is(err, upload.ErrStopped) || !errors.Is(err, reason) {
				t.Errorf("a later Wait: got %v, want it to be ErrStopped as well", err)
			}
		})
	}
}

// TestPauseWhileExpired: the token is still missing after Resume.
func TestPauseWhileExpired(t *testing.T) {
	s := newClientInState(t, upload.StateExpired)
	c := s.client
	s.do(c.Pause())
	s.do(c.Resume())
	if got := c.Status(); got != upload.StateExpired {
		t.Errorf("after Resume the client is %s, want expired", got)
	}
	s.do(c.Pause())
	s.do(c.ResumeWithToken(s.newToken(1)))
	if got := c.Status(); got != upload.StatePaused {
		t.Errorf("a token has made the client %s, want it still paused", got)
	}
	s.do(c.Resume())
	if got := c.Status(); got != upload.StateStarted && got != upload.StateFinished {
		t.Errorf("after Resume the client is %s, want started", got)
	}
	s.do(ignoreFailed(c.Wait(s.ctx)))
	if got := s.rec.of("uploading"); got != "Started Progress TokenExpired Progress Succeeded" {
		t.Errorf("got %s, want one TokenExpired, and the end", got)
	}
}

// TestStartAndStopAThousandTimes leaks nothing.
func TestStartAndStopAThousandTimes(t *testing.T) {
	b := newTestbed(t)
	server := b.server
	c := b.client()
	for i := range 10 {
		b.add(c, b.bytesOf(fmt.Sprint(i), 150*kib))
	}
	hang := osstest.Hang(osstest.AnyOp).Always()
	server.Inject(hang)
	round := func() {
		if err := errors.Join(c.Start(b.ctx), c.Stop()); err != nil {
			t.Fatal(err)
		}
	}
	for range 100 {
		round()
	}
	server.ResetRequests() // how many there are depends on how fast a round is
	goroutines, before := runtime.NumGoroutine(), heap()
	for range 1000 {
		round()
	}
	hang.Release()
	b.eventually("goroutines to end", func() bool { return runtime.NumGoroutine() <= goroutines+20 })
	server.ResetRequests()
	if after := heap(); after > before+4<<20 {
		t.Errorf("%d KiB of heap after 1,000 rounds, %d KiB before", after>>10, before>>10)
	}
	server.ClearFaults()
	if err := errors.Join(c.Start(b.ctx), c.Wait(b.ctx)); err != nil {
		t.Fatal(err)
	}
	ended := goroutinesEnd(t)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	ended()
}

// heap returns the bytes that are in use.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestSlotsAreNeverIdle sends 20 requests of one second each over 4 slots: the time
// that takes says whether one of them ever waited.
func TestSlotsAreNeverIdle(t *testing.T) {
	for name, list := range map[string]struct {
		files func(b *testbed) []upload.File
		took  time.Duration
	}{
		"small files": {func(b *testbed) []upload.File {
			var files []upload.File
			for i := range 20 {
				files = append(files, b.bytesOf(fmt.Sprint(i), 100*i))
			}
			return files
		}, 5 * time.Second},
		"a large one and small ones": {func(b *testbed) []upload.File {
			files := []upload.File{b.bytesOf("large", 800*kib)} // 10 requests, at least 4 s
			for i := range 10 {
				files = append(files, b.bytesOf(fmt.Sprint(i), 100*i))
			}
			return files
		}, 6 * time.Second}, // the last second may be left for Complete alone
		// One second for both to begin, and one in which only the last Complete is left.
		"two large ones": {func(b *testbed) []upload.File {
			return []upload.File{b.bytesOf("one", 800*kib), b.bytesOf("two", 800*kib)}
		}, 7 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newDirectTestbed(t)
				b.opts.Parallel = 4
				b.server.Inject(osstest.Delay(osstest.AnyOp, time.Second).Always())
				c := b.client()
				b.add(c, list.files(b)...)
				begin := time.Now()
				if err := errors.Join(c.Start(b.ctx), c.Wait(b.ctx)); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(begin); took < 5*time.Second || took >= list.took+time.Second {
					t.Errorf("20 requests of 1 s over 4 slots took %v, want at most %v", took, list.took)
				}
				if n := b.server.MaxInFlight(); n > 4 {
					t.Errorf("%d requests in flight, want at most 4", n)
				}
				if err := c.Close(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestFilesStartInOrder of the list, and those of Upload before them.
func TestFilesStartInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newDirectTestbed(t)
		b.opts.Parallel = 1
		rec := b.recorded()
		b.server.Inject(osstest.Delay(osstest.AnyOp, time.Second).Always())
		c := b.client()
		b.add(c, b.bytesOf("1", 500*kib), b.bytesOf("2", 500*kib), b.bytesOf("3", 1))
		if err := c.Start(b.ctx); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2500 * time.Millisecond) // in the second part of the first file
		begin := time.Now()
		if _, err := c.Upload(b.ctx, b.bytesOf("solo", 1)); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took > 1500*time.Millisecond {
			t.Errorf("Upload took %v beside a list that keeps all slots busy, want the next slot", took)
		}
		if err := errors.Join(c.Wait(b.ctx), c.Close()); err != nil {
			t.Fatal(err)
		}
		// When in between solo was started depends on when a slot was free for a moment;
		// that it got the next one is what counts, above.
		var order []string
		for _, line := range rec.log {
			if object, ok := strings.CutPrefix(line, "OnStarted "); ok && object != "solo" {
				order = append(order, object)
			}
		}
		if got := strings.Join(order, " "); got != "1 2 3" {
			t.Errorf("the list was started in the order %s, want 1 2 3", got)
		}
	})
}

func TestStatsWhileRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newDirectTestbed(t)
		b.opts.Parallel = 1
		b.server.Inject(osstest.Delay(osstest.OpUploadPart, time.Second).Always())
		c := b.client()
		b.add(c, b.bytesOf("a", 1000*kib), b.bytesOf("b", 500*kib))
		if s := c.Stats(); s.Speed != 0 || s.Left != -1 || s.Total != 1500*kib {
			t.Errorf("before Start: %+v", s)
		}
		if err := c.Start(b.ctx); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5500 * time.Millisecond)
		s := c.Stats()
		if s.Uploaded != 500*kib || s.Speed < 90*kib || s.Speed > 130*kib || s.InFlight != 1 {
			t.Errorf("after 5 parts in 5 s: %+v, want 500 KiB, about 100 KiB/s, one request in flight", s)
		}
		if s.Left < 8*time.Second || s.Left > 11*time.Second {
			t.Errorf("%v are left, want about 10 s for 1,000 KiB", s.Left)
		}
		if err := c.Pause(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if s := c.Stats(); s.Speed != 0 || s.Left != -1 || s.InFlight != 0 || s.Uploaded < 500*kib {
			t.Errorf("paused for a minute: %+v, want no speed", s)
		}
		if err := errors.Join(c.Resume(), c.Wait(b.ctx)); err != nil {
			t.Fatal(err)
		}
		if s := c.Stats(); s.Uploaded != s.Total || s.Left != 0 || s.Files[upload.FileSucceeded] != 2 || len(s.Files) != 1 {
			t.Errorf("at the end: %+v", s)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestCloseWithAServerThatHangs: the clean-up is given up in time, and no goroutine is left:
// synctest waits for all.
func TestCloseWithAServerThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newDirectTestbed(t)
		b.opts.CleanupTimeout = 200 * time.Millisecond
		rec := b.recorded()
		part := osstest.Hang(osstest.OpUploadPart).Always()
		abort := osstest.Hang(osstest.OpAbortMultipartUpload).Always()
		b.server.Inject(part, abort)
		c := b.client()
		id := b.add(c, b.bytesOf("a", 500*kib))[0]
		if err := c.Start(b.ctx); err != nil {
			t.Fatal(err)
		}
		<-part.Fired()
		if err := c.CancelFile(id); err != nil {
			t.Error(err)
		}
		began := time.Now()
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took != b.opts.CleanupTimeout {
			t.Errorf("Close took %v, want the %v of the clean-up", took, b.opts.CleanupTimeout)
		}
		if got := rec.of("a"); !strings.HasSuffix(got, "Canceled") {
			t.Errorf("got %s, want Canceled at the end", got)
		}
	})
}
