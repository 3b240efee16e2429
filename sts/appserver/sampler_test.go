package appserver

import (
	"testing"
	"time"
)

func TestSampler(t *testing.T) {
	var s sampler
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	if n, due := s.sample(at); n != 0 || !due {
		t.Errorf("first: %d, %t", n, due)
	}
	for i := range 10 {
		if _, due := s.sample(at.Add(time.Duration(i) * 99 * time.Millisecond)); due {
			t.Errorf("number %d within the second is due", i)
		}
	}
	if n, due := s.sample(at.Add(time.Second)); n != 10 || !due {
		t.Errorf("a second later: %d, %t; want 10 that were skipped", n, due)
	}
}
