package checkpoint

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestLeaseEndsByTheClockThatRanFurther(t *testing.T) {
	const term = 30 * time.Second
	for _, tt := range []struct {
		name       string
		wall, mono time.Duration // since the lease was asked for
		lost       bool
	}{
		{"at once", 0, 0, false},
		{"just before two thirds", 20*time.Second - 1, 20*time.Second - 1, false},
		{"at two thirds", 20 * time.Second, 20 * time.Second, true},
		{"the machine slept: the monotonic clock stood still", time.Hour, time.Second, true},
		{"the wall clock was set back", -time.Hour, 20 * time.Second, true},
		{"the wall clock was set back a little", -time.Second, 19 * time.Second, false},
		{"the wall clock was set forward", 20 * time.Second, time.Second, true},
		{"the process was stopped for long", time.Hour, time.Hour, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			asked := instantOf(time.Now())
			now := asked
			l := newLease(term, asked, func() instant { return now })
			defer l.End()
			l.mu.Lock() // against look
			now = instant{wall: asked.wall.Add(tt.wall), mono: asked.mono.Add(tt.mono)}
			l.mu.Unlock()
			if err := l.Err(); errors.Is(err, ErrLost) != tt.lost || (err == nil) == tt.lost {
				t.Errorf("error is %v, lost should be %v", err, tt.lost)
			}
			if closed := isClosed(l.Lost()); closed != tt.lost {
				t.Errorf("Lost is closed: %v, want %v", closed, tt.lost)
			}
		})
	}
}

func TestLease(t *testing.T) {
	const term = 30 * time.Second
	bubble := func(name string, fn func(t *testing.T, l *Lease)) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := NewLease(term, time.Now())
				defer l.End()
				fn(t, l)
			})
		})
	}
	bubble("is lost when nobody looks", func(t *testing.T, l *Lease) {
		time.Sleep(20*time.Second - 1)
		if isClosed(l.Lost()) {
			t.Error("lost too early")
		}
		time.Sleep(2 * time.Nanosecond)
		if !isClosed(l.Lost()) {
			t.Error("not lost after two thirds of its term")
		}
	})
	bubble("holds as long as it is renewed", func(t *testing.T, l *Lease) {
		for range 100 {
			time.Sleep(19 * time.Second)
			if err := l.Renewed(time.Now()); err != nil {
				t.Fatal(err)
			}
		}
		if until := l.Until(); !until.Equal(time.Now().Add(20 * time.Second)) {
			t.Errorf("lost at %v, want in 20 s", until)
		}
	})
	bubble("counts from the request and not from its answer", func(t *testing.T, l *Lease) {
		asked := time.Now()
		time.Sleep(10 * time.Second)
		if err := l.Renewed(asked); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		if err := l.Err(); !errors.Is(err, ErrLost) {
			t.Errorf("error is %v, want %v", err, ErrLost)
		}
	})
	bubble("answers in another order do not shorten it", func(t *testing.T, l *Lease) {
		early := time.Now()
		time.Sleep(15 * time.Second)
		late := time.Now()
		if err := errors.Join(l.Renewed(late), l.Renewed(early)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(19 * time.Second)
		if err := l.Err(); err != nil {
			t.Error(err)
		}
	})
	bubble("stays lost", func(t *testing.T, l *Lease) {
		time.Sleep(21 * time.Second)
		if err := l.Renewed(time.Now()); !errors.Is(err, ErrLost) {
			t.Errorf("Renewed: error is %v, want %v", err, ErrLost)
		}
		for _, err := range []error{l.Err(), l.Lose(errors.New("late")), l.End(), l.End()} {
			if !errors.Is(err, ErrLost) {
				t.Errorf("error is %v, want %v", err, ErrLost)
			}
		}
	})
	bubble("keeps what the engine said", func(t *testing.T, l *Lease) {
		said := errors.New("sequence 7, not 5")
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() { _ = l.Lose(said) })
		}
		wg.Wait()
		if err := l.Err(); !errors.Is(err, ErrLost) || !errors.Is(err, said) {
			t.Errorf("error is %v, want %v: %v", err, ErrLost, said)
		}
		if !isClosed(l.Lost()) {
			t.Error("not lost")
		}
	})
	bubble("that was given up is not lost later", func(t *testing.T, l *Lease) {
		if err := l.End(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if isClosed(l.Lost()) {
			t.Error("lost after it was given up")
		}
		if err := l.Err(); err != ErrClosed {
			t.Errorf("error is %v, want %v", err, ErrClosed)
		}
	})
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func TestInUseErrorNamesTheHolder(t *testing.T) {
	until := time.Date(2026, 3, 1, 12, 0, 30, 0, time.UTC)
	for want, err := range map[string]error{
		"checkpoint: upload is in use by another client or process":                                                       &InUseError{},
		`checkpoint: upload is in use by another client or process: held by "w\n1"`:                                       &InUseError{Holder: "w\n1"},
		`checkpoint: upload is in use by another client or process: held by "worker-3", lease until 2026-03-01T12:00:30Z`: &InUseError{"worker-3", until},
	} {
		if err.Error() != want {
			t.Errorf("text is\n%s, want\n%s", err, want)
		}
		if !errors.Is(err, ErrInUse) {
			t.Errorf("%v is no ErrInUse", err)
		}
	}
}
