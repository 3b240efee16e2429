package wire

import (
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"
)

func TestClock(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	day := 24 * time.Hour
	for name, c := range map[string]struct {
		served time.Time
		used   time.Duration
		learns bool
	}{
		"a day ahead":                 {now.Add(day), 0, true},
		"a day behind":                {now.Add(-day), 0, true},
		"right again after a day off": {now, day, true},
		"as it was used already":      {now.Add(day + 30*time.Second), day, false},
		"as the machine's":            {now.Add(-30 * time.Second), 0, false},
		"no date":                     {time.Time{}, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			var k clock
			if got := k.learn(c.served, now, c.used); got != c.learns {
				t.Fatalf("got %t, want %t", got, c.learns)
			}
			want := time.Duration(0)
			if c.learns {
				want = c.served.Sub(now)
			}
			if _, got := k.now(); got != want {
				t.Errorf("got an offset of %v, want %v", got, want)
			}
		})
	}
}

// Without a Date header, the error's own field tells the time.
func TestSkewWithoutADate(t *testing.T) {
	skew := 24 * time.Hour
	o := newObject(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		server := time.Now().Add(skew)
		if d, err := http.ParseTime(r.Header.Get("Date")); err == nil && server.Sub(d).Abs() < time.Minute {
			accept(w, r)
			w.Header().Set("ETag", `"A"`)
			w.Header().Del("x-oss-hash-crc64ecma")
			return
		}
		w.Header()["Date"] = nil
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, "<Error><Code>RequestTimeTooSkewed</Code><ServerTime>%s</ServerTime></Error>",
			server.UTC().Format("2006-01-02T15:04:05.000Z"))
	}), nil)
	_, err := putPart(t.Context(), o, bodyOf("x"))
	wantError(t, err, Skew)
	if _, err := putPart(t.Context(), o, bodyOf("x")); err != nil {
		t.Errorf("corrected: %v", err)
	}
}
