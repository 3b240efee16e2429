package osscallback

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// newKeys are the keys of a verifier with the given options.
func newKeys(t *testing.T, server keyServer, o Options) *keys {
	t.Helper()
	o.HTTPClient = &http.Client{Transport: server}
	return &newVerifier(t, o).keys
}

func TestKeysFetchOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int32
		k := newKeys(t, func(r *http.Request) (*http.Response, error) {
			if r.URL.String() != "https://gosspublic.alicdn.com/callback_pub_key_v1.pem" || r.Method != http.MethodGet {
				t.Errorf("got %s %s, want the key by https", r.Method, r.URL)
			}
			asked.Add(1)
			time.Sleep(time.Second)
			return theKey(r)
		}, Options{})
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				if key, err := k.get(t.Context(), documentedKey); key == nil || err != nil {
					t.Errorf("got %v, %v", key, err)
				}
			})
		}
		all.Wait()
		time.Sleep(time.Hour - 2*time.Second)
		if _, err := k.get(t.Context(), documentedKey); err != nil || asked.Load() != 1 {
			t.Errorf("the key was fetched %d times, %v; want once for an hour", asked.Load(), err)
		}
		time.Sleep(3 * time.Second)
		if _, err := k.get(t.Context(), documentedKey); err != nil || asked.Load() != 2 {
			t.Errorf("the key was fetched %d times, %v; want again after an hour", asked.Load(), err)
		}
	})
}

// The request that fetches the key may end before it is there: others wait for it.
func TestKeysOutliveTheRequestThatFetchesThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKeys(t, func(r *http.Request) (*http.Response, error) {
			select {
			case <-time.After(2 * time.Second):
				return theKey(r)
			case <-r.Context().Done():
				return nil, r.Context().Err()
			}
		}, Options{})
		first, gone := context.WithCancel(t.Context())
		go func() { _, _ = k.get(first, documentedKey) }()
		synctest.Wait()
		gone()
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := k.get(short, documentedKey); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error is %v, want that of the request's own context", err)
		}
		if key, err := k.get(t.Context(), documentedKey); key == nil || err != nil {
			t.Errorf("got %v, %v; want the key that the first request fetched", key, err)
		}
	})
}

// A key server that fails is not asked with each callback, and keys that are there are
// used meanwhile.
func TestKeysOfAServerThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked, fails := 0, true
		k := newKeys(t, func(r *http.Request) (*http.Response, error) {
			asked++
			if fails {
				return answer(http.StatusServiceUnavailable, nil), nil
			}
			return theKey(r)
		}, Options{KeyLife: time.Minute})
		get := func() error {
			key, err := k.get(t.Context(), documentedKey)
			if (key == nil) == (err == nil) {
				t.Errorf("got %v, %v", key, err)
			}
			return err
		}
		for range 10 {
			if err := get(); err == nil || !strings.Contains(err.Error(), "answered 503") {
				t.Errorf("error is %v, want one with the status", err)
			}
		}
		if asked != 1 {
			t.Errorf("the server was asked %d times in one second, want once", asked)
		}
		fails = false
		time.Sleep(keyPause)
		if err := get(); err != nil || asked != 2 {
			t.Errorf("got %v after %d requests, want the key after the pause", err, asked)
		}
		fails = true
		time.Sleep(2 * time.Minute)
		for range 10 {
			if err := get(); err != nil {
				t.Errorf("got %v, want the key that is there", err)
			}
		}
		if asked != 3 {
			t.Errorf("the server was asked %d times, want once more", asked)
		}
		time.Sleep(staleLives * time.Minute)
		if err := get(); err == nil {
			t.Error("a key that has been too old for long is still used")
		}
	})
}

func TestKeysAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		k := newKeys(t, func(r *http.Request) (*http.Response, error) {
			asked++
			if strings.HasPrefix(r.URL.Path, "/no/") {
				return answer(http.StatusNotFound, nil), nil
			}
			return theKey(r)
		}, Options{})
		if _, err := k.get(t.Context(), documentedKey); err != nil {
			t.Fatal(err)
		}
		for i := range 1000 {
			if _, err := k.get(t.Context(), fmt.Sprintf("no/%d.pem", i)); err == nil {
				t.Fatal("got a key that does not exist")
			}
			if len(k.known) > maxKeys {
				t.Fatalf("%d keys are kept, want at most %d", len(k.known), maxKeys)
			}
		}
		before := asked
		if _, err := k.get(t.Context(), documentedKey); err != nil || asked != before {
			t.Errorf("the key was lost to those that do not exist: %v", err)
		}
	})
}

// Requests with keys that nobody has do not keep the documented one from being fetched.
func TestKeysThatHangLeaveRoomForTheDocumentedOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKeys(t, func(r *http.Request) (*http.Response, error) {
			if r.URL.Path == "/"+documentedKey {
				return theKey(r)
			}
			<-r.Context().Done()
			return nil, r.Context().Err()
		}, Options{})
		var all sync.WaitGroup
		var busy, slow atomic.Int32
		for i := range 20 {
			all.Go(func() {
				_, err := k.get(t.Context(), fmt.Sprintf("k%d.pem", i))
				switch {
				case err == nil:
					t.Error("got a key that does not exist")
				case strings.Contains(err.Error(), "too many"):
					busy.Add(1)
				case strings.Contains(err.Error(), "no answer within 3s"):
					slow.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		if _, err := k.get(t.Context(), documentedKey); err != nil {
			t.Errorf("the documented key: %v", err)
		}
		all.Wait()
		if slow.Load() != maxFetches || busy.Load() != 20-maxFetches {
			t.Errorf("%d were fetched and %d refused, want %d and %d", slow.Load(), busy.Load(), maxFetches, 20-maxFetches)
		}
	})
}

func TestKeysRefuse(t *testing.T) {
	for what, tt := range map[string]struct {
		server keyServer
		want   string
	}{
		"a redirect": {func(r *http.Request) (*http.Response, error) {
			if r.URL.Path != "/"+documentedKey {
				t.Error("the redirect was followed")
			}
			resp := answer(http.StatusFound, nil)
			resp.Header.Set("Location", "https://evil.example/key.pem")
			return resp, nil
		}, "answered 302"},
		"too many bytes": {func(*http.Request) (*http.Response, error) {
			return answer(http.StatusOK, append([]byte(ossKey), bytes.Repeat([]byte("\n"), maxKeyBytes)...)), nil
		}, "more than 8192 bytes"},
		"a page": {func(*http.Request) (*http.Response, error) { return answer(http.StatusOK, []byte("<html>")), nil }, "no public key in PEM"},
		"a proxy with a password": {func(*http.Request) (*http.Response, error) {
			return nil, errors.New(`invalid proxy address "http://me:hunter2@proxy": parse "http://me:hunter2@proxy"`)
		}, "[hidden]"},
	} {
		t.Run(what, func(t *testing.T) {
			_, err := newKeys(t, tt.server, Options{}).get(t.Context(), documentedKey)
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("error is %v, want one that says %q", err, tt.want)
			}
		})
	}
}

// A transport that panics ends one request, and none that wait for it.
func TestKeysOfATransportThatPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKeys(t, func(*http.Request) (*http.Response, error) { time.Sleep(time.Second); panic("x") }, Options{})
		go func() {
			defer func() { _ = recover() }()
			_, _ = k.get(t.Context(), documentedKey)
		}()
		synctest.Wait()
		if _, err := k.get(t.Context(), documentedKey); err == nil || !strings.Contains(err.Error(), "panicked") {
			t.Errorf("error is %v", err)
		}
	})
}
