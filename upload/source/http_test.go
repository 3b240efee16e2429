package source_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
	"github.com/vodupload/vodupload/upload/source"
)

func TestEachPartIsOneGET(t *testing.T) {
	for _, parts := range []int{1, 2, 32} {
		o, d := newOrigin(t, parts*100*kib-3), newDestination(t)
		src := o.source(t, nil)
		res, err := d.upload(t, src)
		if err != nil {
			t.Fatal(err)
		}
		if res.Parts != parts || !bytes.Equal(d.content(t), o.data) {
			t.Errorf("got %d parts, want %d; or the object has other bytes", res.Parts, parts)
		}
		if got := o.asked(); len(got) != 1+parts {
			t.Errorf("got %d requests for %d parts, want one each and one before: %q", len(got), parts, got)
		}
	}
}

func TestAnEmptyFile(t *testing.T) {
	for name, lie := range map[string]func(http.ResponseWriter, *http.Request) bool{
		"200": nil,
		"416": func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Content-Range", "bytes */0")
			w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
			return true
		},
	} {
		t.Run(name, func(t *testing.T) {
			o, d := newOrigin(t, 0), newDestination(t)
			if lie != nil {
				o.lies(lie)
			}
			if _, err := d.upload(t, o.source(t, nil)); err != nil {
				t.Fatal(err)
			}
			if len(d.content(t)) != 0 {
				t.Error("the object is not empty")
			}
		})
	}
}

// TestAnotherMachineReadsNothingAgain: it has another signed URL, which a redirect of
// another server leads from.
func TestAnotherMachineReadsNothingAgain(t *testing.T) {
	for name, c := range map[string]struct {
		etag   string
		sample int // parts that are read to be compared
	}{"strong ETag": {etag, 0}, "Last-Modified": {"", 1}} {
		t.Run(name, func(t *testing.T) {
			o, d := newOrigin(t, 800*kib), newDestination(t)
			o.etag = c.etag
			signed := func(signature string) *source.HTTP {
				src, err := source.NewHTTP(t.Context(), o.URL+"/talk.mp4?signature="+signature, &source.HTTPOptions{Transport: transport(t)})
				if err != nil {
					t.Fatal(err)
				}
				return src
			}
			d.Inject(osstest.Fail(osstest.OpUploadPart, 403, "AccessDenied").Nth(6))
			if _, err := d.upload(t, signed("one")); err == nil {
				t.Fatal("want the error of the sixth part")
			}
			var got atomic.Int32 // without those that the first run has left under way
			o.lies(func(_ http.ResponseWriter, r *http.Request) bool {
				if r.URL.Query().Get("signature") == "two" {
					got.Add(1)
				}
				return false
			})
			res, err := d.upload(t, signed("two"))
			if err != nil {
				t.Fatal(err)
			}
			kept := res.ResumedParts
			if kept < 5 || !bytes.Equal(d.content(t), o.data) {
				t.Errorf("resumed %d parts, want 5 at least; or the object has other bytes", kept)
			}
			// A part that OSS got as the first run ended was never acknowledged: it is compared.
			if least := 1 + c.sample + 8 - kept; int(got.Load()) < least || int(got.Load()) > least+kept-5 {
				t.Errorf("got %d requests, want 1, %d to compare, one for each of %d parts, and one at most for each of %d more", got.Load(), c.sample, 8-kept, kept-5)
			}
		})
	}
}

func TestAllowWeak(t *testing.T) {
	o, d := newOrigin(t, 250*kib), newDestination(t)
	o.etag = `W/"v1"`
	src := o.source(t, &source.HTTPOptions{AllowWeak: true})
	if src.StrongFingerprint() {
		t.Error("the fingerprint is strong")
	}
	if _, err := d.upload(t, src); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(d.content(t), o.data) {
		t.Error("the object has other bytes")
	}
	o.etag = `W/"v2"`
	if _, err := src.ReadAt(make([]byte, 9), 0); !errors.Is(err, upload.ErrFileChanged) {
		t.Errorf("got %v, want ErrFileChanged", err)
	}
}

func TestConditions(t *testing.T) {
	for _, c := range []struct{ etag, match, unmodified string }{
		{etag, etag, ""},
		{"", "", modified.Format(http.TimeFormat)},
	} {
		o := newOrigin(t, 100)
		o.etag = c.etag
		src := o.source(t, nil)
		o.lies(func(w http.ResponseWriter, r *http.Request) bool {
			if h := r.Header; h.Get("If-Match") != c.match || h.Get("If-Unmodified-Since") != c.unmodified || h.Get("Accept-Encoding") != "identity" {
				t.Errorf("got %v, want If-Match %q, If-Unmodified-Since %q", h, c.match, c.unmodified)
			}
			return false
		})
		if n, err := src.ReadAt(make([]byte, 9), 95); n != 5 || err != io.EOF {
			t.Errorf("got %d, %v, want 5 bytes and io.EOF", n, err)
		}
	}
}

func TestReadAt(t *testing.T) {
	o := newOrigin(t, 100)
	src := o.source(t, nil)
	o.asked()
	for _, c := range []struct {
		len, n int
		off    int64
		err    error
	}{{9, 9, 0, nil}, {9, 9, 91, nil}, {9, 5, 95, io.EOF}, {9, 0, 100, io.EOF}, {9, 0, 1 << 40, io.EOF}, {0, 0, 5, nil}} {
		p := make([]byte, c.len)
		n, err := src.ReadAt(p, c.off)
		if n != c.n || err != c.err || n > 0 && !bytes.Equal(p[:n], o.data[c.off:c.off+int64(n)]) {
			t.Errorf("%d bytes at %d: got %d, %v, want %d, %v", c.len, c.off, n, err, c.n, c.err)
		}
	}
	if _, err := src.ReadAt(make([]byte, 1), -1); !errors.Is(err, upload.ErrInvalidArgument) {
		t.Errorf("got %v, want ErrInvalidArgument", err)
	}
	for _, s := range [][2]int64{{-1, 1}, {0, 0}, {0, 101}, {100, 1}, {1, 1<<63 - 1}} {
		if _, err := src.Section(t.Context(), s[0], s[1]); !errors.Is(err, upload.ErrInvalidArgument) {
			t.Errorf("Section(%d, %d): got %v, want ErrInvalidArgument", s[0], s[1], err)
		}
	}
	if got := o.asked(); len(got) != 3 {
		t.Errorf("got %q, want three requests", got)
	}
}

func TestStall(t *testing.T) {
	for name, begin := range map[string]bool{"before the answer": false, "within the body": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOrigin(t, 100)
			src := o.source(t, &source.HTTPOptions{StallTimeout: 2 * time.Second}) // the first answer has to come within it
			release := make(chan struct{})
			defer close(release)
			o.lies(func(w http.ResponseWriter, r *http.Request) bool {
				return o.answer(w, r, func(h http.Header, b []byte) (int, []byte) {
					if begin {
						h.Set("Content-Length", "9")
						w.WriteHeader(206)
						_, _ = w.Write(b[:1])
						_ = http.NewResponseController(w).Flush()
					}
					select {
					case <-release:
					case <-r.Context().Done():
					}
					panic(http.ErrAbortHandler)
				})
			})
			_, err := src.ReadAt(make([]byte, 9), 0)
			var timeout net.Error
			if err == nil || !strings.Contains(err.Error(), "nothing came from the server for 2s") || !(errors.As(err, &timeout) || isTimeout(err)) {
				t.Errorf("got %v, want the stall", err)
			}
		})
	}
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

func TestSectionEndsWithItsContext(t *testing.T) {
	o := newOrigin(t, 100)
	src := o.source(t, nil)
	o.lies(func(_ http.ResponseWriter, r *http.Request) bool { <-r.Context().Done(); return true })
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	time.AfterFunc(10*time.Millisecond, func() { cancel(enough) })
	if _, err := src.Section(ctx, 0, 9); !errors.Is(err, enough) {
		t.Errorf("got %v, want the cause", err)
	}
}

// A brokenTransport says what it was asked for, and not in one form.
type brokenTransport struct{ after *atomic.Int32 }

func (b brokenTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if b.after.Add(-1) >= 0 {
		return http.DefaultTransport.RoundTrip(req)
	}
	_, password, _ := req.BasicAuth()
	return nil, fmt.Errorf("GET %s failed (query %s, %s, password %s, header %s)", req.URL, req.URL.RawQuery, req.URL.Query().Get("sig"), password, req.Header.Get("X-Key"))
}

func TestNoSecretInErrors(t *testing.T) {
	defer http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	o := newOrigin(t, 100)
	after := new(atomic.Int32)
	after.Store(1)
	u := strings.Replace(o.URL, "://", "://user:pass-secret@", 1) + "/talk.mp4?sig=a%2Fsecret&user=b"
	src, err := source.NewHTTP(t.Context(), u, &source.HTTPOptions{Transport: brokenTransport{after}, Authorize: func(h http.Header) { h.Set("X-Key", "key-secret") }})
	if err != nil {
		t.Fatal(err)
	}
	_, err = src.ReadAt(make([]byte, 1), 0)
	for ; err != nil; err = errors.Unwrap(err) {
		if strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err.Error()), "secret") {
			t.Errorf("got %v", err)
		}
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if text := fmt.Sprintf(verb, src); strings.Contains(text, "secret") {
			t.Errorf("%s: %s", verb, text)
		}
	}
}

func TestRetryAfterIsTheLeastPause(t *testing.T) {
	o := newOrigin(t, 100)
	src := o.source(t, nil)
	for text, want := range map[string]time.Duration{
		"7": 7 * time.Second, modified.Add(time.Minute).Format(http.TimeFormat): time.Minute,
		"": 0, "soon": 0, "-5": 0, modified.Add(-time.Hour).Format(http.TimeFormat): 0,
	} {
		o.lies(func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Date", modified.Format(http.TimeFormat))
			w.Header().Set("Retry-After", text)
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		})
		_, err := src.ReadAt(make([]byte, 1), 0)
		var asks interface{ RetryAfter() time.Duration }
		if !errors.As(err, &asks) || asks.RetryAfter() != want {
			t.Errorf("%q: got %v, want %v", text, err, want)
		}
	}
}
