package filelist

import (
	"testing"
	"time"
)

func TestRate(t *testing.T) {
	type step struct {
		at    time.Duration
		bytes int64
		want  float64 // after it
	}
	for name, steps := range map[string][]step{
		"nothing yet":                        {{0, 0, 0}},
		"a first part is no rate of its own": {{0, 1000, 1000}, {500 * time.Millisecond, 500, 1500}},
		"a steady flow": {
			{0, 1000, 1000}, {time.Second, 1000, 2000}, {2 * time.Second, 1000, 1500}, {4 * time.Second, 2000, 1250},
		},
		"what is long past does not count": {{0, 9000, 9000}, {time.Second, 80, 9080}, {8 * time.Second, 620, 100}},
		"a pause empties it":               {{0, 1000, 1000}, {time.Hour, 0, 0}, {time.Hour, 500, 500}},
		"a clock that stands still":        {{time.Minute, 10, 10}, {time.Minute, 10, 20}},
	} {
		t.Run(name, func(t *testing.T) {
			var r Rate
			begin := time.Now()
			for i, s := range steps {
				if s.bytes > 0 {
					r.add(begin.Add(s.at), s.bytes)
				}
				if got := r.PerSecond(begin.Add(s.at)); got != s.want {
					t.Errorf("step %d: got %v bytes per second, want %v", i, got, s.want)
				}
			}
		})
	}
}

func TestRateDecays(t *testing.T) {
	var r Rate
	begin := time.Now()
	for s := range 8 {
		r.add(begin.Add(time.Duration(s)*time.Second), 1000)
	}
	last := r.PerSecond(begin.Add(7 * time.Second))
	for s := 8; s < 15; s++ {
		now := r.PerSecond(begin.Add(time.Duration(s) * time.Second))
		if now >= last {
			t.Errorf("after %d s: %v bytes per second, %v before; want it to fall", s, now, last)
		}
		last = now
	}
	if got := r.PerSecond(begin.Add(16 * time.Second)); got != 0 {
		t.Errorf("got %v bytes per second after 8 s without any, want 0", got)
	}
}
