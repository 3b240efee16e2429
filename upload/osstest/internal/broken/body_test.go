package broken

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"time"
)

// newBody returns a body of ten bytes, and what happened while it was read.
func newBody(size int64) (b *Body, log *strings.Builder) {
	log = &strings.Builder{}
	return &Body{
		Source: io.NopCloser(strings.NewReader("0123456789")),
		Size:   size,
		Over:   func() bool { return false },
		Count:  func(n int) { fmt.Fprintf(log, "%d ", n) },
		Pause:  func(d time.Duration) bool { fmt.Fprintf(log, "%v ", d); return true },
	}, log
}

func TestBodyHolds(t *testing.T) {
	for _, tt := range []struct {
		name  string
		after []int64
		size  int64
		want  string // bytes read, and the holds
	}{
		{"at a point", []int64{4}, 10, "4 hold4 6 "},
		{"before the first byte", []int64{0}, 10, "hold0 10 "},
		{"at points in their order", []int64{7, 4}, 10, "4 hold4 3 hold7 3 "},
		{"at the end", []int64{AtEnd}, 10, fmt.Sprintf("10 hold%d ", int64(math.MaxInt64))},
		{"at the end of a shorter body", []int64{50}, 10, "10 hold50 "},
		{"at an end that was not announced", []int64{50}, -1, "10 0 hold50 "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, log := newBody(tt.size)
			for _, after := range tt.after {
				b.HoldAt(after, func() bool { fmt.Fprintf(log, "hold%d ", after); return true })
			}
			text, err := io.ReadAll(b)
			if got := strings.TrimSuffix(log.String(), "0 "); string(text) != "0123456789" || err != nil ||
				got != tt.want && log.String() != tt.want {
				t.Errorf("got %q, %q, %v; want %q", log, text, err, tt.want)
			}
		})
	}
}

func TestBodyIsSlowed(t *testing.T) {
	b, log := newBody(10)
	b.SlowDown(100, func() { log.WriteString("slow ") })
	if text, err := io.ReadAll(b); string(text) != "0123456789" || err != nil {
		t.Errorf("got %q, %v", text, err)
	}
	if want := "5 slow 50ms 5 slow 50ms 0 slow 0s "; log.String() != want {
		t.Errorf("got %q, want %q", log, want)
	}
}

func TestBodyEndsWithItsCall(t *testing.T) {
	b, _ := newBody(10)
	b.HoldAt(4, func() bool { return false })
	if n, err := b.Read(make([]byte, 10)); n != 4 || !errors.Is(err, Err) {
		t.Errorf("after a hold: got %d, %v; want 4, Err", n, err)
	}
	b, _ = newBody(10)
	b.Over = func() bool { return true }
	if n, err := b.Read(make([]byte, 10)); n != 0 || !errors.Is(err, Err) {
		t.Errorf("when over: got %d, %v; want 0, Err", n, err)
	}
}
