package slots

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// A line is what a simulated upload goes over: requests that each take their
// latency, and a capacity that they share.
type line struct {
	latency  time.Duration
	capacity float64 // bytes per second
	part     int64
	quota    int     // requests in flight; above it the server throttles. 0: none
	noise    float64 // how much each request is slower or faster, at most
}

// goodput is what so many requests in flight bring.
func (l *line) goodput(inFlight int) float64 {
	return math.Min(l.capacity, float64(inFlight)*float64(l.part)/l.latency.Seconds())
}

// drive runs a over the line in fake time, and returns the limit at the end and the
// bytes that got through in each second.
func (l *line) drive(a *auto, start time.Time, length time.Duration) (now time.Time, seconds []float64) {
	rng := rand.New(rand.NewPCG(1, 2))
	now = start
	for now.Sub(start) < length {
		step := float64(l.part) / l.goodput(a.limit) * (1 + l.noise*(2*rng.Float64()-1))
		now = now.Add(time.Duration(step * float64(time.Second)))
		if l.quota > 0 && a.limit > l.quota && rng.IntN(4) == 0 {
			a.throttled(now)
			a.requestEnded(now, true)
			continue
		}
		for len(seconds) <= int(now.Sub(start)/time.Second) {
			seconds = append(seconds, 0)
		}
		seconds[len(seconds)-1] += float64(l.part)
		a.acked(l.part)
		a.requestEnded(now, true)
	}
	return now, seconds
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

func TestAuto(t *testing.T) {
	const kib, mib = 1 << 10, 1 << 20
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, tt := range []struct {
		name      string
		line      line
		low, high int     // of the limit at the end
		least     float64 // goodput of seconds 3 to 60, as a part of the line's best
		times     float64 // the same, as a multiple of the default's
	}{
		{"four times the default where latency rules", line{latency: 50 * time.Millisecond, capacity: 1e12, part: 100 * kib, noise: 0.2}, 40, 64, 0.6, 4},
		{"stays near the default where the machine or the line is full", line{latency: time.Millisecond, capacity: 1e9, part: mib, noise: 0.1}, 5, 12, 0.95, 0.97},
		{"finds the knee", line{latency: 50 * time.Millisecond, capacity: 20 * 100 * kib / 0.05, part: 100 * kib, noise: 0.1}, 15, 40, 0.9, 3},
		{"a slow line takes no more than the default", line{latency: 100 * time.Millisecond, capacity: 1e6, part: mib, noise: 0.1}, 5, 12, 0.95, 0.97},
		{"keeps to what the server takes", line{latency: 50 * time.Millisecond, capacity: 1e12, part: 100 * kib, quota: 20, noise: 0.1}, 8, 26, 0.1, 1.5},
		{"goes below the default for a server that wants it", line{latency: 50 * time.Millisecond, capacity: 1e12, part: 100 * kib, quota: 2, noise: 0.1}, 1, 3, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := newAuto()
			_, seconds := tt.line.drive(a, start, 60*time.Second)
			got := mean(seconds[2:60])
			t.Logf("limit %d, %.3g bytes/s", a.limit, got)
			if a.limit < tt.low || a.limit > tt.high {
				t.Errorf("the limit is %d, want %d to %d", a.limit, tt.low, tt.high)
			}
			if best := tt.line.goodput(AutoMost); got < tt.least*best {
				t.Errorf("goodput is %.2f of the best, want %.2f", got/best, tt.least)
			}
			if plain := tt.line.goodput(autoFloor); got < tt.times*plain {
				t.Errorf("goodput is %.2f times the default's, want %.2f", got/plain, tt.times)
			}
		})
	}
}

func TestAutoFollowsTheLine(t *testing.T) {
	long := line{latency: 50 * time.Millisecond, capacity: 1e12, part: 100 << 10, noise: 0.1}
	full := line{latency: 50 * time.Millisecond, capacity: 5 * 100 << 10 / 0.05, part: 100 << 10, noise: 0.1}
	a := newAuto()
	now, _ := long.drive(a, time.Unix(0, 0), 20*time.Second)
	if a.limit < 40 {
		t.Fatalf("the limit is %d, want 40 at least", a.limit)
	}
	now, _ = full.drive(a, now, 5*time.Minute)
	if a.limit > 30 {
		t.Errorf("on a line that five fill, the limit is still %d", a.limit)
	}
	long.drive(a, now, 2*time.Minute)
	if a.limit < 40 {
		t.Errorf("on a long line again, the limit is still %d", a.limit)
	}
}

func TestAutoGivesBackWhatBringsNothing(t *testing.T) {
	full := line{latency: 50 * time.Millisecond, capacity: 5 * 100 << 10 / 0.05, part: 100 << 10, noise: 0.1}
	for _, limit := range []int{6, 20, 40, AutoMost} {
		a := &auto{limit: limit, kept: limit}
		full.drive(a, time.Unix(0, 0), 5*time.Minute)
		if a.limit > 12 {
			t.Errorf("from %d, on a line that five fill, the limit came down to %d, want 12 at most", limit, a.limit)
		}
	}
}

func TestAutoWaitsForWork(t *testing.T) {
	a := newAuto()
	now := time.Unix(0, 0)
	for range 10_000 {
		now = now.Add(10 * time.Millisecond)
		a.acked(1 << 20)
		if a.requestEnded(now, false) != autoFloor {
			t.Fatal("the limit was changed although slots were free")
		}
	}
}

func TestAutoThrottled(t *testing.T) {
	now := time.Unix(100, 0)
	a := newAuto()
	a.limit = 64
	for i := range 10 {
		a.throttled(now.Add(time.Duration(i) * time.Millisecond))
	}
	if a.limit != 32 {
		t.Errorf("after answers to requests that were in flight together, the limit is %d, want 32", a.limit)
	}
	for i := range 100 {
		a.throttled(now.Add(time.Duration(i) * time.Second))
	}
	if a.limit != autoLeast {
		t.Errorf("the limit is %d, want %d", a.limit, autoLeast)
	}
}
