package sts_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/sts/ststest"
)

// A handlerTransport sends requests to a handler in the same goroutine, without a
// network: time can be fake then.
type handlerTransport struct {
	handler http.Handler
	undated bool
}

func (h handlerTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, r)
	resp := w.Result()
	if h.undated {
		resp.Header.Del("Date")
	}
	return resp, nil
}

// The promise: a token that has expired by the service's clock is not handed out, and
// one that has not is, whatever this machine's clock says.
func TestTokensAreJudgedByTheServicesClock(t *testing.T) {
	for _, undated := range []bool{false, true} {
		for _, ahead := range []time.Duration{-14 * time.Minute, -3 * time.Minute, 0, 3 * time.Minute, 10 * time.Minute, 14 * time.Minute} {
			if undated && ahead < 0 {
				continue // without a Date, a clock that is ahead cannot be told
			}
			name := fmt.Sprintf("service ahead by %v, undated %t", ahead, undated)
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { judge(t, ahead, undated) })
			})
		}
	}
}

func judge(t *testing.T, ahead time.Duration, undated bool) {
	there := func() time.Time { return time.Now().Add(ahead) }
	s, err := ststest.New(&ststest.Options{Now: there})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	role, err := sts.NewAssumeRole(sts.Static(s.DefaultUser()), ststest.DefaultRole, &sts.AssumeRoleOptions{
		Duration: sts.MinDuration, HTTPClient: &http.Client{Transport: handlerTransport{s, undated}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	cache := newCache(t, role, &sts.CacheOptions{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	defer cache.Close()
	const hours = 3
	for range hours * 3600 / 7 {
		c := mustGet(t, cache)
		if left := c.Expiration.Sub(there()); left < time.Second {
			t.Fatalf("a token was handed out that expired %v ago by the service's clock", -left)
		}
		time.Sleep(7 * time.Second)
	}
	synctest.Wait() // for a renewal in the background, which logs
	if n := s.Stats().Issued; n > hours*60/10+2 {
		t.Errorf("%d tokens in %d hours, want one for 10 to 12 minutes", n, hours)
	}
	if warned := strings.Contains(log.String(), "clock is off"); warned != (ahead.Abs() > time.Minute) {
		t.Errorf("warned: %t, log %s", warned, log.String())
	}
}
