package appserver

import (
	"fmt"
	"testing"
	"time"
)

func TestLimiter(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	l := newLimiter(10)
	allowed := func(client string, n int) (got int) {
		for range n {
			if l.allow(client, at) {
				got++
			}
		}
		return got
	}
	if got := allowed("a", 100); got != 20 {
		t.Errorf("%d of 100 at once, want a burst of 20", got)
	}
	if got := allowed("b", 100); got != 20 {
		t.Errorf("another client: %d of 100 at once, want 20", got)
	}
	at = at.Add(500 * time.Millisecond)
	if got := allowed("a", 100); got != 5 {
		t.Errorf("%d half a second later, want 5", got)
	}
	at = at.Add(-time.Hour)
	if got := allowed("a", 1); got != 0 {
		t.Error("a clock that goes back gives requests away")
	}
	at = at.Add(48 * time.Hour)
	if got := allowed("a", 100); got != 20 {
		t.Errorf("%d two days later, want 20", got)
	}
	if got := newLimiter(-1); !got.allow("a", at) {
		t.Error("no limit refuses")
	}
}

func TestLimiterIsBounded(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	l := newLimiter(1)
	for i := range maxClients + 5000 {
		l.allow(fmt.Sprint(i), at)
	}
	if n := len(l.buckets); n > maxClients {
		t.Errorf("%d clients remembered, want at most %d", n, maxClients)
	}
	at = at.Add(time.Minute)
	l.allow("new", at)
	if !l.allow("new", at) {
		t.Error("a new client is refused because others were many")
	}
}

func TestClientOf(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.7:1234":            "192.0.2.7",
		"[::ffff:192.0.2.7]:1234":   "192.0.2.7",
		"[2001:db8:1:2:3:4:5:6]:80": "2001:db8:1:2::/64",
		"[fe80::1%eth0]:80":         "fe80::/64",
		"@":                         "@",
	} {
		if got := clientOf(in); got != want {
			t.Errorf("clientOf(%q) = %q, want %q", in, got, want)
		}
	}
}
