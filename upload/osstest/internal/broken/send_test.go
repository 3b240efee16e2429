package broken

import (
	"bytes"
	"testing"
	"time"
)

func TestStopAt(t *testing.T) {
	for _, tt := range []struct {
		name        string
		after       int64
		head, body  int
		mayHaveBody bool
		want        int
	}{
		{"where it is wanted", 5, 10, 10, true, 5},
		{"not before the beginning", -2, 10, 10, true, 0},
		{"before the last byte of the body", 99, 10, 10, true, 19},
		{"before the last byte of a bare head", 99, 10, 0, false, 9},
		{"halfway in the body", Halfway, 10, 8, true, 14},
		{"after the head, of a body that does not come", Halfway, 10, 0, true, 10},
		{"short of the head's end where there is no body", Halfway, 10, 0, false, 8},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := StopAt(tt.after, tt.head, tt.body, tt.mayHaveBody); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}

func TestSend(t *testing.T) {
	var sent bytes.Buffer
	seen := ""
	stop := func(at int, more bool) Stop {
		return Stop{At: at, Do: func() bool { seen += sent.String() + "|"; return more }}
	}
	last := func() { seen += sent.String() + "!" }
	for _, tt := range []struct {
		name  string
		stops []Stop
		want  string // what was sent at each stop, and before the last byte
		whole bool
	}{
		{"whole", nil, "abcde!", true},
		{"holds in their order", []Stop{stop(4, true), stop(0, true), stop(2, true)}, "|ab|abcd|abcde!", true},
		{"ends at a stop", []Stop{stop(2, false), stop(4, true)}, "ab|", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sent.Reset()
			seen = ""
			whole := Link{}.Send(&sent, []byte("abcdef"), tt.stops, last)
			if whole != tt.whole || seen != tt.want || whole && sent.String() != "abcdef" {
				t.Errorf("got %v, %q and sent %q; want %v, %q", whole, seen, sent.String(), tt.whole, tt.want)
			}
		})
	}
}

func TestSendAtARate(t *testing.T) {
	var sent bytes.Buffer
	var paused time.Duration
	link := Link{Rate: 20, Pause: func(d time.Duration) bool {
		paused += d
		return sent.Len() < 3
	}}
	if link.Send(&sent, []byte("abcdef"), nil, func() {}) || sent.String() != "abc" || paused != 150*time.Millisecond {
		t.Errorf("sent %q in %v, want abc in 150ms", sent.String(), paused)
	}
}
