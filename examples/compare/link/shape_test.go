package link

import (
	"strings"
	"testing"
	"time"
)

func TestPacketsArrive(t *testing.T) {
	const ms = time.Millisecond
	// 1,250 bytes take 10 ms.
	shape := Shape{Rate: 1_000_000, RoundTrip: 40 * ms, Queue: 2500}
	type packet struct {
		now  time.Duration
		want time.Duration // 0: it gets lost
	}
	for name, packets := range map[string][]packet{
		"one after the time of its bytes and half the round trip": {{0, 30 * ms}},
		"the second after the first":                              {{0, 30 * ms}, {0, 40 * ms}},
		"at once where the link is free again":                    {{0, 30 * ms}, {50 * ms, 80 * ms}},
		"none that does not fit into the queue":                   {{0, 30 * ms}, {0, 40 * ms}, {0, 0}, {10 * ms, 50 * ms}},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDirection(shape, 1)
			for i, p := range packets {
				at, ok := d.arrive(p.now, 1250)
				if ok != (p.want > 0) || ok && (at-p.want).Abs() > time.Microsecond {
					t.Errorf("packet %d: got %v, %t, want %v", i, at, ok, p.want)
				}
			}
		})
	}
}

func TestShareThatGetsLost(t *testing.T) {
	for _, burst := range []int{0, 1, 3} {
		d := newDirection(Shape{Rate: 1e12, Loss: 0.01, Burst: burst}, 7)
		const n = 1_000_000
		lost, rows, before := 0, 0, false
		for range n {
			gone := d.lost()
			if gone {
				lost++
			}
			if gone && !before {
				rows++
			}
			before = gone
		}
		if lost < n/110 || lost > n/90 {
			t.Errorf("bursts of %d: %d of %d are lost, want 1 %%", burst, lost, n)
		}
		if length := float64(lost) / float64(rows); length < 0.97*float64(max(1, burst)) || length > 1.1*float64(max(1, burst)) {
			t.Errorf("bursts of %d: %.2f are lost in a row", burst, length)
		}
	}
}

func TestShapeSaysWhatIsWrong(t *testing.T) {
	good := Shape{Rate: 1e6, RoundTrip: time.Millisecond}
	if err := good.check(); err != nil {
		t.Fatal(err)
	}
	for field, change := range map[string]func(*Shape){
		"Rate":      func(s *Shape) { s.Rate = 0 },
		"RoundTrip": func(s *Shape) { s.RoundTrip = -1 },
		"Queue":     func(s *Shape) { s.Queue = 100 },
		"Loss":      func(s *Shape) { s.Loss = 1 },
		"Burst":     func(s *Shape) { s.Burst = -1 },
	} {
		s := good
		change(&s)
		if err := s.check(); err == nil || !strings.Contains(err.Error(), "Shape."+field) {
			t.Errorf("%s: got %v", field, err)
		}
	}
}
