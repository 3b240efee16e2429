package wire

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// drain takes n bytes in pieces as a body does, and returns how long it took.
func drain(t *testing.T, l *Limiter, n int) time.Duration {
	start := time.Now()
	for n > 0 {
		piece := min(n, l.chunk())
		if !l.take(piece) {
			if err := l.WaitN(t.Context(), piece); err != nil {
				t.Error(err)
			}
		}
		n -= piece
	}
	return time.Since(start)
}

func TestLimiterKeepsTheRate(t *testing.T) {
	for _, rate := range []int64{2_000, 100_000, 1 << 20, 50 << 20} {
		synctest.Test(t, func(t *testing.T) {
			took := drain(t, NewLimiter(rate), int(10*rate))
			if off := took.Seconds()/10 - 1; off > 0.03 || off < -0.03 {
				t.Errorf("%d bytes/s: 10 s worth of bytes took %v", rate, took)
			}
		})
	}
}

func TestLimiterSharesAmongParts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const rate, parts = 1 << 20, 5
		l := NewLimiter(rate)
		var sent [parts]int
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		var wg sync.WaitGroup
		for i := range parts {
			wg.Go(func() {
				for {
					n := l.chunk()
					if l.WaitN(ctx, n) != nil {
						return
					}
					sent[i] += n
				}
			})
		}
		wg.Wait()
		total := 0
		for i, n := range sent {
			total += n
			if share := float64(n) / (10 * rate / parts); share < 0.97 || share > 1.03 {
				t.Errorf("part %d got %.3f of its share", i, share)
			}
		}
		if r := float64(total) / (10 * rate); r < 0.97 || r > 1.03 {
			t.Errorf("all together got %.3f of the rate", r)
		}
	})
}

func TestLimiterForgetsIdleTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter(1 << 20)
		time.Sleep(time.Hour)
		if took := drain(t, l, 1<<20); took < 900*time.Millisecond {
			t.Errorf("after an idle hour, a second's worth of bytes took %v", took)
		}
	})
}

func TestLimiterMakesUpForLateTimers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const rate = 1 << 20
		l := NewLimiter(rate)
		start := time.Now()
		for range 10 * rate / maxChunk {
			if err := l.WaitN(t.Context(), maxChunk); err != nil {
				t.Error(err)
			}
			time.Sleep(5 * time.Millisecond) // what sending takes
		}
		if took := time.Since(start); took > 10300*time.Millisecond {
			t.Errorf("10 s worth of bytes took %v", took)
		}
	})
}

func TestLimiterWaitEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter(1000)
		cause := errors.New("stopped")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(cause) })
		// Three who give up, and one behind them who must not wait for their bytes.
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if err := l.WaitN(ctx, 10_000); !errors.Is(err, cause) {
					t.Errorf("got %v, want the cause", err)
				}
			})
		}
		synctest.Wait()
		start := time.Now()
		if err := l.WaitN(t.Context(), 2000); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took > 2100*time.Millisecond {
			t.Errorf("2 s worth of bytes took %v", took)
		}
		wg.Wait()
	})
}

func TestLimiterSetRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter(1)
		time.AfterFunc(time.Second, func() { l.SetRate(1000) })
		start := time.Now()
		if err := l.WaitN(t.Context(), 1000); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took > 2100*time.Millisecond {
			t.Errorf("took %v, want a second at either rate", took)
		}
		l.SetRate(0)
		if took := drain(t, l, 1<<30); took != 0 {
			t.Errorf("without a limit, took %v", took)
		}
		l.SetRate(1 << 20)
		if took := drain(t, l, 1<<20); took < 900*time.Millisecond {
			t.Errorf("limited again, a second's worth of bytes took %v", took)
		}
	})
}
