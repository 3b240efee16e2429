package transfer

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vodupload/vodupload/upload/internal/wire"
)

func TestRetryPausesWithoutASlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, fiveParts)
		b.slots = newSlots(1)
		b.remote.before = on("UploadPart", 2, func(_ context.Context, c fakeCall) error {
			if c.nth <= 3 {
				return &wire.Error{Class: wire.Retry, Status: 500}
			}
			return nil
		})
		others := make(chan time.Time, 5)
		b.remote.after = on("UploadPart", 0, func(context.Context, fakeCall) error {
			others <- time.Now()
			return nil
		})
		began := time.Now()
		if _, err := b.run(); err != nil {
			t.Fatal(err)
		}
		took := time.Since(began)
		if low, high := 14*time.Second*3/4, 14*time.Second*5/4; took < low || took > high {
			t.Errorf("took %v, want the three pauses of 2, 4 and 8 s: %v to %v", took, low, high)
		}
		for range 4 {
			if at := <-others; at != began {
				t.Errorf("a part was sent after %v, want all others at once: the one that pauses holds no slot", at.Sub(began))
			}
		}
		b.wantRetries(3)
		b.left(0, 0)
	})
}

// wantRetries compares the events of one request that was made again.
func (b *bubble) wantRetries(n int) {
	b.Helper()
	retries := b.seen.of(Retrying)
	if len(retries) != n {
		b.Errorf("got %d events of retries, want %d", len(retries), n)
	}
	for i, e := range retries {
		if e.Attempt != i+1 || e.Delay <= 0 || e.Err == nil || e.Part != 2 {
			b.Errorf("event %d: got %+v, want part 2, its attempt, its delay and its cause", i+1, e)
		}
	}
	if went := b.seen.of(Recovered); len(went) != 1 {
		b.Errorf("got %d events that the upload went on, want 1", len(went))
	}
}

func TestServerAsksForAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, 100)
		b.remote.before = on("Put", 0, func(_ context.Context, c fakeCall) error {
			if c.nth == 1 {
				return &wire.Error{Class: wire.Throttle, Status: 503, Delay: time.Minute}
			}
			return nil
		})
		began := time.Now()
		if _, err := b.run(); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < time.Minute || took > 75*time.Second {
			t.Errorf("took %v, want the minute that was asked for, and up to a quarter more", took)
		}
	})
}

// The others get through meanwhile: that the endpoint is there does not end the pause.
func TestServerAsksOneRequestForAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, fiveParts)
		b.opts.OutageWait = 10 * time.Minute
		b.remote.before = on("UploadPart", 0, func(_ context.Context, c fakeCall) error {
			switch {
			case c.part != 2:
				time.Sleep(time.Second)
			case c.nth == 1:
				return &wire.Error{Class: wire.Throttle, Status: 503, Delay: time.Minute}
			}
			return nil
		})
		began := time.Now()
		if _, err := b.run(); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < time.Minute || took > 75*time.Second {
			t.Errorf("took %v, want the minute that was asked for", took)
		}
		b.wantRetries(1)
		b.left(0, 0)
	})
}

func TestGivesUpWithTheCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, fiveParts)
		b.remote.before = on("UploadPart", 3, func(context.Context, fakeCall) error {
			return &wire.Error{Class: wire.Retry, Status: 500}
		})
		_, err := b.run()
		var we *wire.Error
		if !errors.As(err, &we) || we.Part != 3 || !strings.Contains(err.Error(), "gave up after 3 retries") {
			t.Errorf("got %v, want the error of part 3, and that it was given up after 3 retries", err)
		}
		if n := b.remote.count("UploadPart3"); n != 4 {
			t.Errorf("part 3 was sent %d times, want 4", n)
		}
		b.left(1, 1)
	})
}

// Each wait of an upload, and what brings it there.
var waits = []struct {
	name string
	size int
	wait func(b *bubble)
}{
	{"for a slot", fiveParts, func(b *bubble) { _ = b.slots.Acquire(b.ctx); b.slots.free = fullOf(5) }},
	{"for credentials", fiveParts, func(b *bubble) { b.gate.Expired(1, nil) }},
	{"between retries of Put", 100, retried("Put")},
	{"between retries of Initiate", fiveParts, retried("Initiate")},
	{"between retries of a part", fiveParts, retried("UploadPart")},
	{"between retries of Complete", fiveParts, retried("Complete")},
	{"in Put", 100, hanging("Put")},
	{"in Initiate", fiveParts, hanging("Initiate")},
	{"in the parts", fiveParts, hanging("UploadPart")},
	{"in Complete", fiveParts, hanging("Complete")},
	{"in HEAD", fiveParts, func(b *bubble) {
		b.remote.before = func(ctx context.Context, c fakeCall) error {
			switch c.op {
			case "Head":
				return hangs(ctx, c)
			case "Complete":
				return &wire.Error{Class: wire.Retry}
			}
			return nil
		}
	}},
	{"for the checkpoint to begin", fiveParts, func(b *bubble) { b.store.begin = waitFor }},
	{"for the checkpoint to be durable", fiveParts, func(b *bubble) { b.store.flush = waitFor }},
}

func waitFor(ctx context.Context) error {
	<-ctx.Done()
	return context.Cause(ctx)
}

func fullOf(n int) chan struct{} {
	c := make(chan struct{}, n)
	for range n {
		c <- struct{}{}
	}
	return c
}

func retried(op string) func(*bubble) {
	return func(b *bubble) {
		b.remote.before = on(op, 0, func(context.Context, fakeCall) error { return &wire.Error{Class: wire.Retry} })
	}
}

func hanging(op string) func(*bubble) {
	return func(b *bubble) { b.remote.before = on(op, 0, hangs) }
}

func TestEachWaitEndsWithItsContext(t *testing.T) {
	for _, cause := range []error{errPause, ErrAbandon} {
		for _, tt := range waits {
			t.Run(fmt.Sprintf("%s, %v", tt.name, cause), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b := newBubble(t, tt.size)
					tt.wait(b)
					done := make(chan error)
					go func() {
						_, err := b.start()
						done <- err
					}()
					synctest.Wait()
					select {
					case err := <-done:
						t.Fatalf("it ended before: %v", err)
					default:
					}
					began := time.Now()
					b.stop(cause)
					err := <-done
					if !errors.Is(err, cause) {
						t.Errorf("got %v, want %v", err, cause)
					}
					if took := time.Since(began); took > 0 && cause == errPause {
						t.Errorf("it took %v", took)
					}
				})
			})
		}
	}
}

// A request that fails as the upload is interrupted is not told to be retried.
func TestFailureThatMeetsAnInterruption(t *testing.T) {
	for _, op := range []string{"Put", "UploadPart", "Complete"} {
		synctest.Test(t, func(t *testing.T) {
			size := fiveParts
			if op == "Put" {
				size = 100
			}
			b := newBubble(t, size)
			b.opts.Retry.Count = 1
			b.remote.before = on(op, 0, func(context.Context, fakeCall) error {
				b.stop(errPause)
				return &wire.Error{Class: wire.Retry}
			})
			_, err := b.run()
			if !errors.Is(err, errPause) || len(b.seen.of(Retrying)) != 0 {
				t.Errorf("%s: got %v and %d retries, want %v and none", op, err, len(b.seen.of(Retrying)), errPause)
			}
		})
	}
}

func TestNoSlotIsHeldWhileWaitingForCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, fiveParts)
		b.remote.before = func(_ context.Context, c fakeCall) error {
			if c.op == "UploadPart" && c.gen == 1 {
				time.Sleep(time.Second) // so that all are under way
				return &wire.Error{Class: wire.Token, Status: 403}
			}
			return nil
		}
		done := make(chan error)
		go func() {
			_, err := b.run()
			done <- err
		}()
		time.Sleep(time.Hour)
		if n := b.slots.inUse(); n != 0 {
			t.Errorf("%d slots are held", n)
		}
		b.gate.give(key(2))
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if b.gate.asked != 1 || b.gate.refusals != 5 {
			t.Errorf("%d parts were refused, and credentials asked for %d times; want 5, 1", b.gate.refusals, b.gate.asked)
		}
		if n := len(b.seen.of(Retrying)); n != 0 {
			t.Errorf("%d retries were reported, want none: expiry is not one", n)
		}
		for part := 1; part <= 5; part++ {
			if n := b.remote.count(fmt.Sprint("UploadPart", part)); n != 2 {
				t.Errorf("part %d was sent %d times, want 2", part, n)
			}
		}
		b.left(0, 0)
	})
}

// The gate tells why no token comes, and that is the answer to an earlier request: it
// must not be taken for the answer to the one that waits.
func TestGateThatGivesUpEndsTheUpload(t *testing.T) {
	errNoToken := errors.New("no new token")
	for _, op := range []string{"Put", "Initiate", "UploadPart", "ListParts", "Complete"} {
		t.Run(op, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				size := fiveParts
				if op == "Put" {
					size = 100
				}
				b := newBubble(t, size)
				if op == "ListParts" {
					b.interrupted()
				}
				refusal := &wire.Error{Class: wire.Token, Status: 403, Code: "SecurityTokenExpired"}
				b.remote.before = on(op, 0, func(context.Context, fakeCall) error { return refusal })
				var waits atomic.Int32
				b.gate.renew = func(uint64) (Snapshot, error) {
					if waits.Add(1) > 20 {
						b.stop(errors.New("it goes on for ever"))
					}
					time.Sleep(10 * time.Minute)
					return Snapshot{}, fmt.Errorf("%w: %w", errNoToken, refusal)
				}
				began := time.Now()
				_, err := b.run()
				if !errors.Is(err, errNoToken) {
					t.Errorf("got %v, want %v", err, errNoToken)
				}
				if took := time.Since(began); took != 10*time.Minute {
					t.Errorf("took %v, want one wait of ten minutes", took)
				}
				if op != "Put" && op != "Initiate" {
					b.left(1, 1)
				}
			})
		})
	}
}

// interrupted leaves an upload of which parts 1 and 3 are there, and readies the
// bubble for the next run.
func (b *bubble) interrupted() {
	b.Helper()
	b.remote.before = on("UploadPart", 0, func(ctx context.Context, c fakeCall) error {
		if c.part == 1 || c.part == 3 {
			return nil
		}
		return hangs(ctx, c)
	})
	ctx, stop := context.WithCancelCause(b.ctx)
	whole, wholeStop := b.ctx, b.stop
	b.ctx, b.stop = ctx, stop
	done := make(chan error)
	go func() {
		_, err := b.run()
		done <- err
	}()
	synctest.Wait()
	stop(errPause)
	if err := <-done; !errors.Is(err, errPause) {
		b.Fatal(err)
	}
	b.ctx, b.stop, b.remote.before = whole, wholeStop, nil
	clear(b.remote.n)
	b.seen.events = nil
	b.left(1, 1)
}

func TestFirstErrorIsReturned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, 20*partSize)
		b.slots = newSlots(10) // one for each part that is begun: 3 is among them
		b.remote.before = on("UploadPart", 0, func(ctx context.Context, c fakeCall) error {
			if c.part == 3 {
				time.Sleep(time.Second)
				return &wire.Error{Class: wire.Permanent, Status: 403, Code: "AccessDenied"}
			}
			return hangs(ctx, c)
		})
		_, err := b.run()
		var we *wire.Error
		if !errors.As(err, &we) || we.Code != "AccessDenied" || we.Part != 3 {
			t.Errorf("got %v, want AccessDenied of part 3, not what it did to the others", err)
		}
		if strings.Contains(err.Error(), "context canceled") {
			t.Errorf("the text talks of contexts: %v", err)
		}
		for part := 11; part <= 20; part++ {
			if n := b.remote.count(fmt.Sprint("UploadPart", part)); n != 0 {
				t.Errorf("part %d was begun after the upload had failed", part)
			}
		}
		b.left(1, 1)
	})
}

// Progress never goes backwards while an upload continues, and comes in order.
func TestEventsComeInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, 40*partSize)
		var inside atomic.Int32
		b.seen.hook = func(Event) {
			if inside.Add(1) > 1 {
				t.Error("two events at once")
			}
			for range 10 {
				runtime.Gosched()
			}
			inside.Add(-1)
		}
		res, err := b.run()
		if err != nil {
			t.Fatal(err)
		}
		var last Event
		for i, e := range b.seen.events {
			if e.Uploaded < last.Uploaded || e.Sent < last.Sent || e.InFlight < 0 {
				t.Errorf("event %d: %+v after %+v", i, e, last)
			}
			last = e
		}
		if last.Uploaded != res.Size || last.InFlight != 0 || last.Sent != res.SentBytes || res.SentBytes != res.Size {
			t.Errorf("the last event is %+v, want all of %d bytes", last, res.Size)
		}
	})
}

func TestOneBadPartDoesNotSpendWhileOthersGetThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, 20*partSize)
		b.slots = newSlots(1)
		b.opts.Parallel = 1
		b.remote.before = on("UploadPart", 0, func(_ context.Context, c fakeCall) error {
			if c.part != 1 {
				time.Sleep(3 * time.Second)
				return nil
			}
			if c.nth <= 10 {
				return &wire.Error{Class: wire.Retry}
			}
			return nil
		})
		if _, err := b.run(); err != nil {
			t.Errorf("got %v, want success: ten failures of part 1, and another part got through between them", err)
		}
	})
}
