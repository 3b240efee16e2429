package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A brokenBody is the body of an answer that a careless wrapper returns.
type brokenBody struct {
	io.Reader
	read  func(p []byte) (int, error)
	close func() error
}

func (b *brokenBody) Read(p []byte) (int, error) {
	if b.read != nil {
		return b.read(p)
	}
	return b.Reader.Read(p)
}

func (b *brokenBody) Close() error {
	if b.close != nil {
		return b.close()
	}
	return nil
}

func all(r io.Reader) {
	if r != nil {
		_, _ = io.Copy(io.Discard, r)
	}
}

// TestOddTransports: whatever a RoundTripper does is an answer or an error of the
// request. want is part of the error's text; empty: success.
func TestOddTransports(t *testing.T) {
	const name = "<InitiateMultipartUploadResult><UploadId>U</UploadId></InitiateMultipartUploadResult>"
	good := func(r *http.Request) *http.Response {
		all(r.Body)
		return &http.Response{
			StatusCode: 200, ContentLength: int64(len(name)), Header: http.Header{headerETag: {`"A"`}, headerRequestID: {"R"}, "Content-Length": {"9"}},
			Body: io.NopCloser(strings.NewReader(name)), Request: r,
		}
	}
	with := func(change func(res *http.Response)) roundTripFunc {
		return func(r *http.Request) (*http.Response, error) {
			res := good(r)
			change(res)
			return res, nil
		}
	}
	closed := false
	for what, c := range map[string]struct {
		transport            roundTripFunc
		put, initiate, heads string
	}{
		"an answer as it should be": {with(func(*http.Response) {}), "", "", ""},
		"no body":                   {with(func(res *http.Response) { res.Body = nil }), "", "answer is empty", ""},
		"no body, and no header":    {with(func(res *http.Response) { res.Body, res.Header = nil, nil }), "no ETag", "answer is empty", "no ETag"},
		"no header":                 {with(func(res *http.Response) { res.Header = nil }), "no ETag", "", "no ETag"},
		"no length":                 {with(func(res *http.Response) { res.ContentLength = 0 }), "", "", ""},
		"a negative length":         {with(func(res *http.Response) { res.ContentLength = -7 }), "", "", "no size"},
		"no request in it":          {with(func(res *http.Response) { res.Request = nil }), "", "", ""},
		"status 0":                  {with(func(res *http.Response) { res.StatusCode = 0 }), "status 0", "status 0", "status 0"},
		"status -200":               {with(func(res *http.Response) { res.StatusCode = -200 }), "status -200", "status -200", "status -200"},
		"neither answer nor error":  {func(*http.Request) (*http.Response, error) { return nil, nil }, "neither", "neither", "neither"},
		"both answer and error": {func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: &brokenBody{close: func() error { closed = true; return nil }}}, errors.New("no luck")
		}, "no luck", "no luck", "no luck"},
		"both, without a body": {func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200}, errors.New("no luck")
		}, "no luck", "no luck", "no luck"},
		"a panic": {func(*http.Request) (*http.Response, error) { panic("oh") }, "panicked: oh", "panicked: oh", "panicked: oh"},
		"a body whose Read panics": {with(func(res *http.Response) {
			res.Body = &brokenBody{read: func([]byte) (int, error) { panic("oh") }}
		}), "panicked: oh", "panicked: oh", "panicked: oh"},
		"a body whose Close panics": {with(func(res *http.Response) {
			res.Body = &brokenBody{Reader: res.Body, close: func() error { panic("oh") }}
		}), "panicked: oh", "panicked: oh", "panicked: oh"},
		"a body whose Close fails": {with(func(res *http.Response) {
			res.Body = &brokenBody{Reader: res.Body, close: func() error { return errors.New("no luck") }}
		}), "", "", ""},
		"a body that never gives anything": {with(func(res *http.Response) {
			res.Body = &brokenBody{read: func([]byte) (int, error) { return 0, nil }}
		}), "", "multiple Read calls return no data", ""},
		"a body that counts wrong": {with(func(res *http.Response) {
			res.Body = &brokenBody{read: func(p []byte) (int, error) { return len(p) + 1, io.EOF }}
		}), "panicked", "panicked", "panicked"},
		"a body that ends in an error": {with(func(res *http.Response) {
			res.Body = &brokenBody{Reader: io.MultiReader(strings.NewReader("<"), errorReader{errors.New("no luck")})}
		}), "", "no luck", ""},
		"a body that is never read": {func(r *http.Request) (*http.Response, error) {
			res := good(&http.Request{})
			return res, nil
		}, "answered after 0 of 1000 bytes", "", ""},
		"a body that is read twice": {func(r *http.Request) (*http.Response, error) {
			all(r.Body)
			all(r.Body)
			return good(r), nil
		}, "", "", ""},
		"a changed request": {func(r *http.Request) (*http.Response, error) {
			all(r.Body)
			r.Header, r.Body, r.URL, r.Method, r.ContentLength = nil, nil, nil, "", -3
			return good(r), nil
		}, "", "", ""},
	} {
		t.Run(what, func(t *testing.T) {
			o := newObject(t, "http://oss-cn-hangzhou.aliyuncs.com", &Options{HTTPClient: &http.Client{Transport: c.transport}})
			_, put := o.Put(t.Context(), testKey, bodyOf(data(1000)), nil)
			_, initiate := o.Initiate(t.Context(), testKey, nil)
			_, head := o.Head(t.Context(), testKey)
			for op, got := range map[string]struct {
				err  error
				want string
			}{"PutObject": {put, c.put}, "Initiate": {initiate, c.initiate}, "HeadObject": {head, c.heads}} {
				switch {
				case got.want == "" && got.err != nil:
					t.Errorf("%s: got %v, want success", op, got.err)
				case got.want != "" && (got.err == nil || !strings.Contains(got.err.Error(), got.want)):
					t.Errorf("%s: got %v, want %q in it", op, got.err, got.want)
				case got.want != "":
					wantError(t, got.err, Retry)
				}
			}
		})
	}
	if !closed {
		t.Error("the body of an answer that came with an error stays open")
	}
}

type errorReader struct{ err error }

func (r errorReader) Read([]byte) (int, error) { return 0, r.err }

// One answer for all requests, as doubles in tests return it, is not written to.
func TestSharedAnswer(t *testing.T) {
	shared := &http.Response{StatusCode: 200, Header: http.Header{headerETag: {`"A"`}}, Body: http.NoBody}
	o := newObject(t, "http://oss-cn-hangzhou.aliyuncs.com", &Options{
		HTTPClient: &http.Client{Transport: roundTripFunc(func(r *http.Request) (*http.Response, error) {
			all(r.Body)
			return shared, nil
		})},
	})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				if _, err := putPart(t.Context(), o, bodyOf("x")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// A transport may return before it has read the body, and read on (net/http,
// RoundTripper): what it reads then is nobody's.
func TestTransportThatReadsOn(t *testing.T) {
	var late sync.WaitGroup
	o := newObject(t, "http://oss-cn-hangzhou.aliyuncs.com", &Options{
		HTTPClient: &http.Client{Transport: roundTripFunc(func(r *http.Request) (*http.Response, error) {
			if r.Body != nil {
				late.Go(func() { all(r.Body); r.Body.Close() })
			}
			return &http.Response{StatusCode: 503}, nil
		})},
	})
	for range 50 {
		src := &guardedSource{t: t}
		_, err := putPart(t.Context(), o, Body{R: src, Size: 1 << 20})
		src.ended.Store(true)
		wantError(t, err, Retry)
	}
	late.Wait()
}

// A transport that makes the request again by itself, after an answer that we never
// see, is not ended for that answer.
func TestTransportThatRetriesByItself(t *testing.T) {
	tries := 0
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if tries++; tries == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		accept(w, r)
	})
	base := &http.Transport{}
	t.Cleanup(base.CloseIdleConnections)
	again := roundTripFunc(func(r *http.Request) (*http.Response, error) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		for {
			r2 := r.Clone(r.Context())
			r2.Body = io.NopCloser(bytes.NewReader(body))
			res, err := base.RoundTrip(r2)
			if err != nil || res.StatusCode < 500 {
				return res, err
			}
			all(res.Body)
			res.Body.Close()
		}
	})
	o := newObject(t, url, &Options{HTTPClient: &http.Client{Transport: again}})
	if p, err := putPart(t.Context(), o, bodyOf(data(1000))); err != nil || !p.HasCRC64 || tries != 2 {
		t.Errorf("got %+v and %v after %d tries", p, err, tries)
	}
}

// A transport that follows a redirect has read the body by then.
func TestTransportThatFollowsRedirects(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		all(r.Body)
		if r.URL.Path == "/elsewhere" {
			fmt.Fprint(w, "hello")
			return
		}
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
	})
	base := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(base.CloseIdleConnections)
	o := newObject(t, url, &Options{HTTPClient: &http.Client{Transport: roundTripFunc(func(r *http.Request) (*http.Response, error) {
		r = r.Clone(r.Context())
		r.RequestURI = ""
		return base.Do(r)
	})}})
	_, err := putPart(t.Context(), o, bodyOf(data(1000)))
	if e := wantError(t, err, Retry); !strings.Contains(e.Error(), `answer has no ETag: 5 bytes of text/plain; charset=utf-8: "hello"`) {
		t.Errorf("got %v", e)
	}
}

// A transport of which net/http knows nothing does not say when it has connected: what
// it reads of the body is progress.
func TestTransportThatDoesNotSayThatItConnected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newObject(t, "http://oss-cn-hangzhou.aliyuncs.com", &Options{
			HTTPClient: &http.Client{Transport: roundTripFunc(func(r *http.Request) (*http.Response, error) {
				for buf := make([]byte, 100<<10); ; time.Sleep(10 * time.Second) {
					select {
					case <-r.Context().Done():
						return nil, r.Context().Err()
					default:
					}
					if _, err := r.Body.Read(buf); err != nil {
						return &http.Response{StatusCode: 200, Header: http.Header{headerETag: {"A"}}}, nil
					}
				}
			})},
		})
		if _, err := putPart(t.Context(), o, bodyOf(data(1<<20))); err != nil {
			t.Errorf("got %v, want that to be left alone", err)
		}
	})
}
