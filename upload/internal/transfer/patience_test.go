package transfer

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vodupload/vodupload/upload/internal/tasks"
	"github.com/vodupload/vodupload/upload/internal/wire"
)

func TestMorePatience(t *testing.T) {
	silent, broken := &wire.Error{Class: wire.Retry, Unanswered: true}, &wire.Error{Class: wire.Retry}
	for _, tt := range []struct {
		name string
		n    int
		err  *wire.Error
		want int
	}{
		{"twice after no answer", 1, silent, 2},
		{"and twice again", 2, silent, 4},
		{"but not for ever", maxPatience, silent, maxPatience},
		{"no more after another error", 1, broken, 1},
		{"nor less", 4, broken, 4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := morePatience(tt.n, tt.err); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}

func TestPatienceIsKept(t *testing.T) {
	const timeout = 30 * time.Second
	for _, tt := range []struct {
		name string
		had  int32
		n    int
		took time.Duration
		want int
	}{
		{"nothing is known", 0, 1, time.Second, 1},
		{"what was needed", 0, 2, 35 * time.Second, 2},
		{"a slow part that was answered at once", 0, 1, 90 * time.Second, 1},
		{"less where less is needed", 4, 4, time.Second, 2},
		{"down to once", 2, 2, time.Second, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var p patience
			p.n.Store(tt.had)
			if p.answered(tt.n, tt.took, timeout); p.now() != tt.want {
				t.Errorf("got %d, want %d", p.now(), tt.want)
			}
		})
	}
}

// slow makes each answer of the operation take so long; any operation if it is empty.
// What the server was asked for, it does all the same, unless the client has gone.
func (b *bubble) slow(op string, d time.Duration) {
	b.remote.before = func(ctx context.Context, c fakeCall) error {
		if op != "" && c.op != op {
			return nil
		}
		limit := 30 * time.Second * time.Duration(wire.Patience(ctx))
		if tasks.Sleep(ctx, min(d, limit)) != nil {
			return &wire.Error{Class: wire.Canceled, Err: context.Cause(ctx)}
		}
		if d > limit {
			return &wire.Error{Class: wire.Retry, Unanswered: true}
		}
		return nil
	}
}

// Every answer takes 35 s. The first request shows it; none after it is made twice.
func TestAnswersThatAreSlowerThanTheTimeout(t *testing.T) {
	for _, size := range []int{100, fiveParts} {
		synctest.Test(t, func(t *testing.T) {
			b := newBubble(t, size)
			b.slow("", 35*time.Second)
			if _, err := b.run(); err != nil {
				t.Fatal(err)
			}
			if n := len(b.seen.of(Retrying)); n != 1 {
				t.Errorf("%d bytes: %d retries, want one", size, n)
			}
			b.left(0, 0)
		})
	}
}

// OSS continues with a Complete whose client is gone: however slow, the object is found.
func TestSlowComplete(t *testing.T) {
	for _, tt := range []struct {
		name    string
		retries int
		takes   time.Duration
		fails   bool
	}{
		{"35 s", 3, 35 * time.Second, false},
		{"five times the timeout", 3, 150 * time.Second, false},
		{"five times the timeout, without retries", 0, 150 * time.Second, false},
		{"for ever", 3, 24 * time.Hour, true},
		{"for ever, without retries", 0, 24 * time.Hour, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBubble(t, fiveParts)
				b.opts.Retry.Count = tt.retries
				completed := make(chan struct{})
				defer close(completed)
				b.remote.before = on("Complete", 0, func(ctx context.Context, c fakeCall) error {
					if c.nth == 1 {
						go b.goOnWith(ctx, tt.takes, completed)
					}
					_ = tasks.Sleep(ctx, 30*time.Second*time.Duration(wire.Patience(ctx)))
					b.remote.mu.Lock()
					defer b.remote.mu.Unlock()
					if len(b.remote.uploads) == 0 {
						return gone("Complete")
					}
					return &wire.Error{Class: wire.Retry, Unanswered: true}
				})
				begun := time.Now()
				res, err := b.run()
				if tt.fails {
					var we *wire.Error
					if took := time.Since(begun); !errors.As(err, &we) || !we.Unanswered || took > 10*time.Minute {
						t.Errorf("got %v after %v, want that there was no answer, within minutes", err, took)
					}
					b.left(1, 1)
					return
				}
				if err != nil || !res.Verified {
					t.Errorf("got %+v and %v, want the object found", res, err)
				}
				b.left(0, 0)
			})
		})
	}
}

// goOnWith makes the object after d, whether or not the client still waits.
func (b *bubble) goOnWith(ctx context.Context, d time.Duration, over <-chan struct{}) {
	select {
	case <-time.After(d):
	case <-over:
		return
	}
	f := b.remote
	f.mu.Lock()
	defer f.mu.Unlock()
	for id, have := range f.uploads {
		var parts []wire.Part
		info := wire.ObjectInfo{HasCRC64: true, ETag: "M", Type: typeMultipart, LastModified: time.Now()}
		for _, p := range have {
			parts = append(parts, p)
			info.Size += p.Size
		}
		slices.SortFunc(parts, func(a, b wire.Part) int { return a.Number - b.Number })
		info.CRC64 = combined(parts)
		f.object = &info
		delete(f.uploads, id)
	}
}

// Servers that disagree about the time, behind one name: what one of them asks for, the
// next refuses. That is an error that may pass.
func TestClocksThatDisagree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, 100)
		b.remote.before = on("Put", 0, func(_ context.Context, c fakeCall) error {
			if c.nth <= maxSkews+2 {
				return &wire.Error{Class: wire.Skew, Status: 403}
			}
			return nil
		})
		if _, err := b.run(); err != nil {
			t.Fatal(err)
		}
		if n := len(b.seen.of(Retrying)); n != 1 {
			t.Errorf("%d retries, want one", n)
		}
	})
}

// A token that expires has nothing to do with the request: it spends no retry, and
// gives none.
func TestExpiredTokenSpendsNoRetry(t *testing.T) {
	expired := &wire.Error{Class: wire.Token, Status: 403, Code: "SecurityTokenExpired"}
	broken := &wire.Error{Class: wire.Retry, Status: 500}
	for _, tt := range []struct {
		name    string
		retries int
		answers []*wire.Error
		ok      bool
	}{
		{"without retries", 0, []*wire.Error{expired, expired, expired}, true},
		{"between retries", 1, []*wire.Error{expired, broken, expired}, true},
		{"but others still do", 1, []*wire.Error{broken, expired, broken}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBubble(t, 100)
				b.opts.Retry.Count = tt.retries
				b.gate.renew = func(generation uint64) (Snapshot, error) { return key(generation + 1), nil }
				b.remote.before = on("Put", 0, func(_ context.Context, c fakeCall) error {
					if c.nth <= len(tt.answers) {
						return tt.answers[c.nth-1]
					}
					return nil
				})
				_, err := b.run()
				if (err == nil) != tt.ok {
					t.Errorf("got %v, want success: %t", err, tt.ok)
				}
				for i, e := range b.seen.of(Retrying) {
					if e.Attempt != i+1 || i >= tt.retries {
						t.Errorf("got %+v as retry %d of %d", e, i+1, tt.retries)
					}
				}
			})
		})
	}
}
