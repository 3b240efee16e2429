package upload_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// TestSetParallel changes the number of requests in flight, each of which takes 2 s.
func TestSetParallel(t *testing.T) {
	for name, add := range map[string]func(b *testbed, c *upload.Client){
		"the parts of one file": func(b *testbed, c *upload.Client) { b.add(c, b.bytesOf("talk", 200*100*kib)) },
		"many files": func(b *testbed, c *upload.Client) {
			for i := range 200 {
				b.add(c, b.bytesOf(fmt.Sprint("small", i), 100))
			}
		},
		"a Reader": func(b *testbed, c *upload.Client) {
			f := b.bytesOf("stream", 1)
			f.Source, f.Reader = nil, bytes.NewReader(make([]byte, 200*100*kib))
			b.add(c, f)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newDirectTestbed(t)
				for _, op := range []osstest.Op{osstest.OpPutObject, osstest.OpUploadPart} {
					b.server.Inject(osstest.Delay(op, 2*time.Second).Always())
				}
				b.opts.Parallel = 3
				c := b.client()
				add(b, c)
				if err := c.Start(b.ctx); err != nil {
					t.Fatal(err)
				}
				for _, step := range []struct {
					parallel int
					after    time.Duration
					want     int
				}{{3, 900 * time.Millisecond, 3}, {20, 900 * time.Millisecond, 20}, {1, 5 * time.Second, 1}, {7, 900 * time.Millisecond, 7}} {
					if err := c.SetParallel(step.parallel); err != nil {
						t.Fatal(err)
					}
					time.Sleep(step.after)
					if got := c.Stats().InFlight; got != step.want {
						t.Errorf("%v after SetParallel(%d): %d requests in flight", step.after, step.parallel, got)
					}
				}
				if err := c.SetParallel(upload.Auto); err != nil {
					t.Fatal(err)
				}
				if err := c.Wait(b.ctx); err != nil {
					t.Fatal(err)
				}
				if n := b.server.MaxInFlight(); n < 10 {
					t.Errorf("at most %d requests were in flight", n)
				}
			})
		})
	}
}

func TestSetParallelLetsMoreFilesStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newDirectTestbed(t)
		b.server.Inject(osstest.Delay(osstest.AnyOp, 2*time.Second).Always())
		b.opts.Parallel = 1
		c := b.client()
		for i := range 1000 {
			b.add(c, b.bytesOf(fmt.Sprint("small", i), 100))
		}
		if err := errors.Join(c.Start(b.ctx), c.SetParallel(600)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if got := c.Stats(); got.InFlight != 600 || got.Files[upload.FileUploading] < 600 {
			t.Errorf("%d requests in flight, %d files under way; want 600 of the one and as many of the other", got.InFlight, got.Files[upload.FileUploading])
		}
		if err := c.Wait(b.ctx); err != nil {
			t.Fatal(err)
		}
	})
}

func TestSetParallelRefuses(t *testing.T) {
	c := newTestbed(t).client()
	for n, want := range map[int]string{0: "got 0, want 1 to 1000, or Auto", -1: "got -1", 1001: "got 1001"} {
		err := c.SetParallel(n)
		if !errors.Is(err, upload.ErrInvalidArgument) || !strings.Contains(err.Error(), "SetParallel: "+want) {
			t.Errorf("SetParallel(%d): got %v", n, err)
		}
	}
	if err := errors.Join(c.Close()); err != nil {
		t.Fatal(err)
	}
	if err := c.SetParallel(3); !errors.Is(err, upload.ErrClosed) {
		t.Errorf("after Close: got %v, want ErrClosed", err)
	}
}

// TestLimitsChangeFromEverywhere is for the race detector: callbacks and other
// goroutines change the limits all the time.
func TestLimitsChangeFromEverywhere(t *testing.T) {
	b := newTestbed(t)
	b.opts.Callbacks = upload.Callbacks{
		OnProgress: func(c *upload.Client, _ upload.FileInfo, uploaded, _ int64) { _ = c.SetParallel(1 + int(uploaded)%7) },
		OnSucceeded: func(c *upload.Client, _ upload.FileInfo, _ upload.Result) {
			_ = c.SetBandwidthLimit(50 * mib)
			_ = c.FollowTimetable(b.ctx, must(upload.ParseTimetable("08:00,60M 09:00,70M")))
		},
	}
	c := b.client()
	files := []upload.File{b.bytesOf("parts", 4000*kib), b.bytesOf("small", kib), b.bytesOf("parts2", 2000*kib)}
	stream := b.to("stream")
	stream.Reader = struct{ io.Reader }{bytes.NewReader(make([]byte, 3000*kib))}
	b.add(c, append(files, stream)...)
	var wg sync.WaitGroup
	done := make(chan struct{})
	for i := range 2 {
		wg.Go(func() {
			for n := i; ; n++ {
				select {
				case <-done:
					return
				default:
					_ = c.SetParallel([]int{1, 20, upload.Auto, 3}[n%4])
					_ = c.SetBandwidthLimit([]int64{0, 90 * mib, 80 * mib}[n%3])
					time.Sleep(time.Millisecond)
				}
			}
		})
	}
	if err := errors.Join(c.Start(b.ctx), c.Wait(b.ctx)); err != nil {
		t.Error(err)
	}
	close(done)
	wg.Wait()
	for _, f := range files {
		b.sameBytes(f)
	}
	b.clean()
}
