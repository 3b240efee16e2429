package appserver_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vodupload/vodupload/sts/appserver"
	"github.com/vodupload/vodupload/sts/ststest"
)

// direct is a transport without sockets: it calls a handler.
type direct struct{ handler http.Handler }

func (d direct) RoundTrip(req *http.Request) (*http.Response, error) {
	w := newRecorder()
	d.handler.ServeHTTP(w, req)
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: w.status, Header: w.header, Body: readCloser{strings.NewReader(w.body.String())}, Request: req}, nil
}

// A thousand clients at once, over real connections: one call of STS.
func TestStampede(t *testing.T) {
	const clients = 1000
	r := newRig(t, appserver.Options{Rate: -1}, nil)
	release := r.sts.Hold()
	ids := make([]string, clients)
	var wg, started sync.WaitGroup
	started.Add(clients)
	transport := &http.Transport{MaxConnsPerHost: 200}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	for i := range clients {
		wg.Go(func() {
			started.Done()
			resp, err := client.Get(r.url)
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			ids[i] = readToken(t, resp)
		})
	}
	started.Wait()
	if err := r.sts.WaitInFlight(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	release()
	wg.Wait()
	slices.Sort(ids)
	if got := slices.Compact(ids); len(got) != 1 || got[0] == "" {
		t.Errorf("%d different tokens, want 1", len(got))
	}
	if s := r.sts.Stats(); s.Calls != 1 || s.MaxInFlight != 1 {
		t.Errorf("%d calls of STS, %d at once; want 1 and 1", s.Calls, s.MaxInFlight)
	}
}

// simulated is an app server and STS in fake time, without sockets.
func simulated(t *testing.T, opts appserver.Options) (*appserver.Handler, *ststest.Server) {
	t.Helper()
	s, err := ststest.New(&ststest.Options{Users: users()})
	if err != nil {
		t.Fatal(err)
	}
	opts.HTTPClient = &http.Client{Transport: direct{s}}
	opts.Rate = -1
	h, err := appserver.New(config("http://sts.test"), &opts)
	if err != nil {
		t.Fatal(err)
	}
	return h, s
}

func ask(t *testing.T, ctx context.Context, h http.Handler, user string) *recorder {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1/", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.RemoteAddr = "127.0.0.1:1234"
	req.Header.Set("User", user)
	w := newRecorder()
	h.ServeHTTP(w, req)
	return w
}

// Two hours with a thousand clients, at least one a second or so: about one call of STS for each identity
// and twelve minutes, and no client ever gets a token that is nearly over.
func TestTokensAreSharedUntilShortlyBeforeTheyExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const hours, identities = 2, 4
		h, s := simulated(t, appserver.Options{Authenticate: func(r *http.Request) (appserver.Identity, error) {
			return appserver.Identity{Name: r.Header.Get("User")}, nil
		}})
		defer h.Close()
		s.SetDelay(500 * time.Millisecond)
		end := time.Now().Add(hours * time.Hour)
		var wg sync.WaitGroup
		for i := range 1000 {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * 1200 * time.Millisecond)
				for time.Now().Before(end) {
					w := ask(t, t.Context(), h, fmt.Sprint("user", i%identities))
					c := tokenOf(t, w.body.Bytes())
					if left := time.Until(c.Expiration); left < 2*time.Minute-time.Second {
						t.Errorf("a client got a token with %v left: %s", left, w.body.String())
						return
					}
					time.Sleep(20 * time.Minute)
				}
			})
		}
		wg.Wait()
		synctest.Wait()
		stats := s.Stats()
		if low, high := identities*hours*60/13, identities*(hours*60*10/105+2); stats.Calls < low || stats.Calls > high {
			t.Errorf("%d calls of STS, want %d to %d", stats.Calls, low, high)
		}
		if stats.MaxInFlight > identities {
			t.Errorf("%d calls of STS at once, want at most one for each identity", stats.MaxInFlight)
		}
	})
}

func TestTokenThatIsNearlyOverIsNotHandedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := simulated(t, appserver.Options{})
		defer h.Close()
		tokenOf(t, ask(t, t.Context(), h, "").body.Bytes())
		time.Sleep(13*time.Minute + 30*time.Second)
		c := tokenOf(t, ask(t, t.Context(), h, "").body.Bytes())
		if left := time.Until(c.Expiration); left < 14*time.Minute {
			t.Errorf("a client got a token with %v left, want a new one", left)
		}
	})
}

func TestOutageOfSTS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log syncBuffer
		h, s := simulated(t, appserver.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		defer h.Close()
		first := tokenOf(t, ask(t, t.Context(), h, "").body.Bytes())
		s.FailNext(1000, "InternalError")
		for time.Now().Before(first.Expiration) {
			if got := tokenOf(t, ask(t, t.Context(), h, "").body.Bytes()); got != first {
				t.Fatalf("%v before the expiration: %v, want the old token", time.Until(first.Expiration), got)
			}
			synctest.Wait()
			time.Sleep(time.Second)
		}
		before := s.Stats().Calls
		for range 600 {
			if body := ask(t, t.Context(), h, "").body.String(); !strings.Contains(body, `"ErrorCode":"InternalError"`) {
				t.Fatalf("after the expiration: %s", body)
			}
			time.Sleep(100 * time.Millisecond)
		}
		if n := s.Stats().Calls - before; n > 6 {
			t.Errorf("%d calls of STS in a minute of its outage, want at most 6", n)
		}
		if lines := strings.Count(log.String(), "no token from STS"); lines != s.Stats().Calls-1 {
			t.Errorf("%d lines in the log for %d failed calls", lines, s.Stats().Calls-1)
		}
		noSecret(t, "log", log.String())
	})
}

func TestCacheIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, s := simulated(t, appserver.Options{MaxTokens: 3, Authenticate: func(r *http.Request) (appserver.Identity, error) {
			return appserver.Identity{Name: r.Header.Get("User")}, nil
		}})
		defer h.Close()
		calls := func(users ...string) int {
			before := s.Stats().Calls
			for _, u := range users {
				tokenOf(t, ask(t, t.Context(), h, "user-"+u).body.Bytes())
			}
			return s.Stats().Calls - before
		}
		if n := calls("a", "b", "c", "a", "b", "c"); n != 3 {
			t.Errorf("%d calls of STS for three users, want 3", n)
		}
		if n := calls("d"); n != 1 {
			t.Errorf("%d calls of STS for a fourth, want 1", n)
		}
		if n := calls("b", "c", "d"); n != 0 {
			t.Errorf("%d calls of STS for those asked for last, want 0", n)
		}
		if n := calls("a"); n != 1 {
			t.Errorf("%d calls of STS for the one that was dropped, want 1", n)
		}
	})
}

func TestCallsOfSTSAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, s := simulated(t, appserver.Options{MaxCalls: 5, Authenticate: func(r *http.Request) (appserver.Identity, error) {
			return appserver.Identity{Name: r.Header.Get("User")}, nil
		}})
		defer h.Close()
		s.SetDelay(time.Second)
		var wg sync.WaitGroup
		for i := range 50 {
			wg.Go(func() { tokenOf(t, ask(t, t.Context(), h, fmt.Sprint("user", i)).body.Bytes()) })
		}
		wg.Wait()
		if s := s.Stats(); s.Calls != 50 || s.MaxInFlight != 5 {
			t.Errorf("%d calls of STS, %d at once; want 50 and 5", s.Calls, s.MaxInFlight)
		}
	})
}

func TestCloseEndsCallsOfSTS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, s := simulated(t, appserver.Options{})
		defer s.Hold()()
		got := make(chan string)
		go func() { got <- ask(t, t.Context(), h, "").body.String() }()
		synctest.Wait()
		h.Close()
		if body := <-got; !strings.Contains(body, `"ErrorCode":"Timeout"`) {
			t.Errorf("the waiting client got %s", body)
		}
		if body := ask(t, t.Context(), h, "").body.String(); !strings.Contains(body, "ShuttingDown") {
			t.Errorf("a client after Close got %s", body)
		}
	})
}

// One client that goes away does not take the token from the others.
func TestClientThatGoesAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, s := simulated(t, appserver.Options{})
		defer h.Close()
		release := s.Hold()
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { ask(t, ctx, h, "") })
		synctest.Wait()
		wg.Go(func() { tokenOf(t, ask(t, t.Context(), h, "").body.Bytes()) })
		synctest.Wait()
		cancel()
		synctest.Wait()
		release()
		wg.Wait()
		if n := s.Stats().Calls; n != 1 {
			t.Errorf("%d calls of STS, want 1", n)
		}
	})
}

func BenchmarkToken(b *testing.B) {
	s, err := ststest.New(&ststest.Options{Users: users()})
	if err != nil {
		b.Fatal(err)
	}
	for _, who := range []appserver.Identity{{}, {Name: "alice", ObjectPrefix: "alice/"}} {
		b.Run("prefix="+who.ObjectPrefix, func(b *testing.B) {
			h, err := appserver.New(config("http://sts.test"), &appserver.Options{Rate: -1, HTTPClient: &http.Client{Transport: direct{s}},
				Authenticate: func(*http.Request) (appserver.Identity, error) { return who, nil }})
			if err != nil {
				b.Fatal(err)
			}
			defer h.Close()
			b.RunParallel(func(pb *testing.PB) {
				req, _ := http.NewRequest(http.MethodGet, "http://127.0.0.1/", nil)
				for pb.Next() {
					w := newRecorder()
					h.ServeHTTP(w, req)
					if w.status != http.StatusOK {
						b.Errorf("HTTP %d", w.status)
					}
				}
			})
		})
	}
}
