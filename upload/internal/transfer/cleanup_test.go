package transfer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vodupload/vodupload/upload/internal/wire"
)

func TestAbortComesAfterTheParts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, 20*partSize)
		b.remote.before = func(ctx context.Context, c fakeCall) error {
			switch c.op {
			case "UploadPart":
				<-ctx.Done()
				time.Sleep(time.Duration(c.part) * time.Second) // its connection takes its time to close
				return &wire.Error{Class: wire.Canceled, Err: context.Cause(ctx)}
			case "Abort":
				if c.busy > 0 {
					t.Errorf("aborted while %d requests were in flight", c.busy)
				}
			}
			return nil
		}
		time.AfterFunc(time.Minute, func() { b.stop(ErrAbandon) })
		_, err := b.run()
		if !errors.Is(err, ErrAbandon) {
			t.Errorf("got %v, want %v", err, ErrAbandon)
		}
		b.left(0, 0)
	})
}

func TestCleanupIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, fiveParts)
		b.opts.CleanupTimeout = 7 * time.Second
		b.remote.before = func(ctx context.Context, c fakeCall) error {
			if c.op == "Abort" || c.op == "UploadPart" {
				return hangs(ctx, c)
			}
			return nil
		}
		time.AfterFunc(time.Minute, func() { b.stop(ErrAbandon) })
		began := time.Now()
		_, err := b.run()
		if !errors.Is(err, ErrAbandon) {
			t.Errorf("got %v, want %v", err, ErrAbandon)
		}
		if took := time.Since(began); took != 67*time.Second {
			t.Errorf("took %v, want 7 s after the minute", took)
		}
		b.wantWarning("clean-up took too long: more than 7s")
		b.left(1, 1)
	})
}

// wantWarning wants one warning, with the text in it.
func (b *bubble) wantWarning(text string) {
	b.Helper()
	wantWarning(b, &b.seen, text)
}

func wantWarning(t testing.TB, seen *eventLog, text string) {
	t.Helper()
	all := seen.of(Warning)
	if len(all) != 1 || !strings.Contains(all[0].Err.Error(), text) {
		t.Errorf("got warnings %v, want one with %q", texts(all), text)
	}
}

func texts(events []Event) (all []string) {
	for _, e := range events {
		all = append(all, e.Err.Error())
	}
	return all
}

// What is aborted because the source changed is found again by the next run: there is
// no need to let anybody wait for it.
func TestCleanupOfAChangedSourceCanBeInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, fiveParts)
		b.remote.before = on("Abort", 0, hangs)
		b.src.check = func() error {
			if b.remote.count("UploadPart1") > 0 {
				return ErrChanged
			}
			return nil
		}
		time.AfterFunc(time.Second, func() { b.stop(errPause) })
		began := time.Now()
		_, err := b.run()
		if !errors.Is(err, ErrChanged) || time.Since(began) != time.Second {
			t.Errorf("got %v after %v, want %v after 1 s", err, time.Since(began), ErrChanged)
		}
		b.left(1, 1)
	})
}

// Cancelling for good wins over a clean-up that could be interrupted.
func TestAbandonDuringCleanup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, fiveParts)
		b.remote.before = on("Abort", 0, func(ctx context.Context, c fakeCall) error {
			time.Sleep(2 * time.Second)
			return nil
		})
		b.src.check = func() error {
			if b.remote.count("UploadPart1") > 0 {
				return ErrChanged
			}
			return nil
		}
		time.AfterFunc(time.Second, func() { b.stop(ErrAbandon) })
		if _, err := b.run(); !errors.Is(err, ErrChanged) {
			t.Errorf("got %v, want %v", err, ErrChanged)
		}
		b.left(0, 0)
	})
}

func TestAbortIsRepeatedUntilNothingIsThere(t *testing.T) {
	for _, tt := range []struct {
		survives int // aborts
		aborts   int
		uploads  int
	}{{0, 1, 0}, {2, 3, 0}, {9, 3, 1}} {
		t.Run(fmt.Sprint(tt.survives), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBubble(t, fiveParts)
				b.remote.before = on("UploadPart", 0, hangs)
				b.remote.after = on("Abort", 0, func(_ context.Context, c fakeCall) error {
					if c.nth <= tt.survives {
						b.remote.mu.Lock()
						b.remote.uploads["UPLOAD1"] = map[int]wire.Part{}
						b.remote.mu.Unlock()
					}
					return nil
				})
				time.AfterFunc(time.Second, func() { b.stop(ErrAbandon) })
				_, _ = b.run()
				if n := b.remote.count("Abort"); n != tt.aborts {
					t.Errorf("aborted %d times, want %d", n, tt.aborts)
				}
				b.left(tt.uploads, tt.uploads) // what is still there can be found again
			})
		})
	}
}
