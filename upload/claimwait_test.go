package upload_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/checkpoint/checkpointtest"
	"github.com/vodupload/vodupload/upload"
)

// TestClaimOfAnotherHolder: a file waits for the end of a lease that nobody renews. One that
// is renewed, or is none, is ErrInUse. Neither is an ERROR in the log.
func TestClaimOfAnotherHolder(t *testing.T) {
	const term = checkpointtest.LeaseTerm
	for name, tt := range map[string]struct {
		wait   time.Duration
		stop   bool          // the holder
		close  time.Duration // when the holder gives the claim up; 0: never
		memory bool          // the store knows no leases
		took   time.Duration
		waits  bool
		err    error
	}{
		"is taken over when the lease of a dead holder ends": {stop: true, took: term, waits: true},
		"is ErrInUse when the holder has renewed its lease":  {took: 5 * time.Second, waits: true, err: upload.ErrInUse},
		"is ErrInUse at once, of a store without leases":     {memory: true, err: upload.ErrInUse},
		"is ErrInUse at once, where it is not waited for":    {wait: -1, stop: true, err: upload.ErrInUse},
		"is waited for as long as ClaimWait says":            {wait: time.Minute, took: time.Minute, waits: true, err: upload.ErrInUse},
		"is taken over when it is given up":                  {wait: time.Minute, close: 40 * time.Second, took: 40 * time.Second, waits: true},
		"is waited for, of a store without leases":           {wait: time.Minute, close: 40 * time.Second, memory: true, took: 40 * time.Second, waits: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newDirectTestbed(t)
				leases := checkpointtest.NewLeases()
				first := leases.Store("worker-1 on media-7")
				var holder checkpoint.Store = first
				b.opts.Checkpoints = leases.Store("worker-2")
				if tt.memory {
					holder = checkpoint.NewMemory()
					b.opts.Checkpoints = holder
				}
				f := b.bytesOf("a", 500*kib)
				key := checkpoint.Key{Source: f.Path, Endpoint: f.Endpoint, Bucket: f.Bucket, Object: f.Object}
				claim := must(holder.Open(b.ctx, key))
				if tt.stop {
					first.Stop()
				}
				var text logBuffer
				b.opts.Logger = slog.New(slog.NewTextHandler(&text, nil))
				b.opts.ClaimWait = tt.wait
				c := b.client()
				began := time.Now()
				id := must(c.AddFile(f))
				start(t, b, c)
				done := make(chan struct{})
				go func() { // time of the engine
					for second := 1; ; second++ {
						select {
						case <-done:
							return
						case <-time.After(time.Second):
						}
						if time.Duration(second)*time.Second == tt.close {
							_ = claim.Close()
						}
						if second%5 == 0 {
							leases.Advance(5 * time.Second)
						}
					}
				}()
				if tt.waits {
					time.Sleep(2500 * time.Millisecond)
					w := must(c.File(id)).Waiting
					if w == nil || w.For != upload.WaitClaim || !errors.Is(w.Err, checkpoint.ErrInUse) {
						t.Errorf("waiting is %v, want for the claim", w)
					} else if !tt.memory && !strings.Contains(w.String(), "worker-1 on media-7") {
						t.Errorf("waiting %q does not name the holder", w)
					}
				}
				err := c.Wait(b.ctx)
				took := time.Since(began)
				close(done)
				synctest.Wait() // for the log of how the run ended
				if !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) {
					t.Errorf("error is %v, want %v", err, tt.err)
				}
				if took < tt.took || took > tt.took+1500*time.Millisecond {
					t.Errorf("it took %v, want %v to a second more", took, tt.took)
				}
				if log := text.String(); strings.Contains(log, "level=ERROR") || strings.Contains(log, "waits for a claim") != tt.waits ||
					strings.Contains(log, `msg="in use"`) != (err != nil) || !tt.memory && !strings.Contains(log, `holder="worker-1 on media-7" until=`) {
					t.Errorf("the log has\n%s", log)
				}
				first.Continue()
				_ = claim.Close()
				synctest.Wait()
			})
		})
	}
}

// TestWaitForAClaimEnds with the caller's context, which says what was waited for, and with
// a pause.
func TestWaitForAClaimEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newDirectTestbed(t)
		leases := checkpointtest.NewLeases()
		b.opts.Checkpoints = leases.Store("worker-2")
		f := b.bytesOf("a", 500*kib)
		claim := must(leases.Store("worker-1").Open(b.ctx, checkpoint.Key{Source: f.Path, Endpoint: f.Endpoint, Bucket: f.Bucket, Object: f.Object}))
		c := b.client()
		id := must(c.AddFile(f))
		start(t, b, c)
		time.Sleep(1500 * time.Millisecond)
		if err := c.Pause(); err != nil {
			t.Fatal(err)
		}
		b.until(c, id, upload.FilePaused)
		_ = claim.Close()
		if err := c.Resume(); err != nil {
			t.Fatal(err)
		}
		if err := c.Wait(b.ctx); err != nil {
			t.Error(err)
		}
	})
}
