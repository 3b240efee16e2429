package source_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload/source"
)

// TestRenew: the signature expires in the middle of the film.
func TestRenew(t *testing.T) {
	o, d := newOrigin(t, 600*kib), newDestination(t)
	var valid atomic.Value
	valid.Store("1")
	o.lies(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Query().Get("signature") == valid.Load() {
			return false
		}
		w.WriteHeader(http.StatusForbidden)
		return true
	})
	var renewals atomic.Int32
	src, err := source.NewHTTP(t.Context(), o.URL+"/talk.mp4?signature=1", &source.HTTPOptions{
		Transport: transport(t),
		Renew: func(context.Context) (string, error) {
			renewals.Add(1)
			return o.URL + "/talk.mp4?signature=" + valid.Load().(string), nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	print := src.Fingerprint()
	valid.Store("2")
	var refused sync.WaitGroup
	for i := range 8 {
		refused.Go(func() {
			if _, err := src.ReadAt(make([]byte, 1), int64(i)); err != nil {
				t.Error(err)
			}
		})
	}
	refused.Wait()
	if n := renewals.Load(); n != 1 {
		t.Errorf("Renew was called %d times for 8 requests at once, want once", n)
	}
	valid.Store("3")
	if _, err := d.upload(t, src); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(d.content(t), o.data) || src.Fingerprint() != print || renewals.Load() != 2 {
		t.Errorf("the object has other bytes, or the fingerprint changed, or Renew was called %d times, want twice", renewals.Load())
	}

	t.Run("in vain", func(t *testing.T) {
		o.lies(func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(http.StatusForbidden); return true })
		renewals.Store(0)
		if _, err := src.ReadAt(make([]byte, 1), 0); !errors.Is(err, fs.ErrPermission) || renewals.Load() > 2 {
			t.Errorf("got %v after %d renewals, want fs.ErrPermission after 2 at most", err, renewals.Load())
		}
	})
}

func TestRenewThatFails(t *testing.T) {
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		url  string
		err  error
		want error
	}{
		"an error": {"", broken, broken},
		"no URL":   {"://secret", nil, errors.ErrUnsupported},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOrigin(t, 100)
			src := o.source(t, &source.HTTPOptions{Renew: func(context.Context) (string, error) { return c.url, c.err }})
			o.lies(func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(http.StatusUnauthorized); return true })
			if _, err := src.ReadAt(make([]byte, 1), 0); !errors.Is(err, c.want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

// TestRenewThatHangs is ended after StallTimeout, and called again when the part is retried.
func TestRenewThatHangs(t *testing.T) {
	o, d := newOrigin(t, 300*kib), newDestination(t)
	var valid atomic.Value
	valid.Store("1")
	o.lies(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Query().Get("signature") == valid.Load() {
			return false
		}
		w.WriteHeader(http.StatusForbidden)
		return true
	})
	var renewals atomic.Int32
	src, err := source.NewHTTP(t.Context(), o.URL+"/talk.mp4?signature=1", &source.HTTPOptions{
		Transport: transport(t), StallTimeout: 2 * time.Second,
		Renew: func(ctx context.Context) (string, error) {
			if renewals.Add(1) == 1 {
				<-ctx.Done()
				return "", ctx.Err()
			}
			return o.URL + "/talk.mp4?signature=2", nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	valid.Store("2")
	if _, err := d.upload(t, src); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(d.content(t), o.data) || renewals.Load() != 2 {
		t.Errorf("the object has other bytes, or Renew was called %d times, want twice", renewals.Load())
	}

	valid.Store("3")
	renewals.Store(0)
	if _, err := src.ReadAt(make([]byte, 1), 0); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "get a new URL: nothing for 2s") {
		t.Errorf("got %v, want that Renew took too long", err)
	}
}

// TestRedirectIsPinned: and where it has expired, the way is found again from its
// beginning. The other server gets no secret.
func TestRedirectIsPinned(t *testing.T) {
	cdn := newOrigin(t, 300*kib)
	var valid atomic.Value
	valid.Store("1")
	cdn.lies(func(w http.ResponseWriter, r *http.Request) bool {
		if _, _, ok := r.BasicAuth(); ok || r.Header.Get("X-Key") != "" || r.Header.Get("Cookie") != "" {
			t.Errorf("the other server got %v", r.Header)
		}
		if r.URL.Query().Get("token") == valid.Load() {
			return false
		}
		w.WriteHeader(http.StatusForbidden)
		return true
	})
	front := newOrigin(t, 0)
	front.lies(func(w http.ResponseWriter, r *http.Request) bool {
		if user, password, _ := r.BasicAuth(); user != "user" || password != "pass" || r.Header.Get("X-Key") != "secret" {
			t.Errorf("the server itself got %v", r.Header)
		}
		if r.URL.Path != "/second" {
			http.Redirect(w, r, "/second", http.StatusFound)
		} else {
			http.Redirect(w, r, cdn.URL+"/talk.mp4?token="+valid.Load().(string), http.StatusTemporaryRedirect)
		}
		return true
	})
	src, err := source.NewHTTP(t.Context(), strings.Replace(front.URL, "://", "://user:pass@", 1)+"/talk.mp4", &source.HTTPOptions{
		Transport: transport(t), Authorize: func(h http.Header) { h.Set("X-Key", "secret"); h.Set("Cookie", "a=b") },
	})
	if err != nil {
		t.Fatal(err)
	}
	if src.Name() != front.URL+"/talk.mp4" {
		t.Errorf("got name %s", src.Name())
	}
	d := newDestination(t)
	if _, err := d.upload(t, src); err != nil {
		t.Fatal(err)
	}
	if n := len(front.asked()); n != 2 {
		t.Errorf("the first server got %d requests, want 2", n)
	}
	valid.Store("2")
	if _, err := src.ReadAt(make([]byte, 1), 0); err != nil {
		t.Error(err)
	}
	if !bytes.Equal(d.content(t), cdn.data) {
		t.Error("the object has other bytes")
	}
}

func TestDowngradeIsRefused(t *testing.T) {
	plain := newOrigin(t, 100)
	secure := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { redirect(plain.URL+"/talk.mp4")(w, r) }))
	defer secure.Close()
	_, err := source.NewHTTP(t.Context(), secure.URL+"/talk.mp4", &source.HTTPOptions{Transport: secure.Client().Transport})
	if err == nil || !strings.Contains(err.Error(), "from https to http") {
		t.Errorf("got %v, want the downgrade", err)
	}
	if len(plain.asked()) > 0 {
		t.Error("the redirect was followed")
	}
}
