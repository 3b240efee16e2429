package roundtrip

import (
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
)

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

type body struct {
	io.Reader
	close func() error
}

func (b *body) Close() error { return b.close() }

type reader func([]byte) (int, error)

func (f reader) Read(p []byte) (int, error) { return f(p) }

// endless gives the letter a for ever.
func endless(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	return len(p), nil
}

func TestOddTransports(t *testing.T) {
	closed := 0
	count := func() error { closed++; return nil }
	of := func(r io.Reader) *http.Response {
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: &body{r, count}}
	}
	answers := func(res *http.Response) transport {
		return func(*http.Request) (*http.Response, error) { return res, nil }
	}
	panics := func() { panic("oh") }
	tests := []struct {
		name      string
		transport transport
		status    int
		err       string // part of it; empty: a success
		closed    int
	}{
		{"an answer", answers(of(strings.NewReader("text"))), 200, "", 1},
		{"no body", answers(&http.Response{StatusCode: 200, ContentLength: 7, Header: http.Header{}}), 200, "", 0},
		{"no header", answers(&http.Response{StatusCode: 200, Body: &body{strings.NewReader("text"), count}}), 200, "", 1},
		{"a redirect without a header", answers(&http.Response{StatusCode: 307}), 307, "", 0},
		{"another protocol", answers(&http.Response{StatusCode: 101, Body: &body{reader(endless), count}}), 101, "", 1},
		{"status 0", answers(&http.Response{}), 0, "status 0", 0},
		{"neither answer nor error", answers(nil), 0, "neither", 0},
		{"both answer and error", func(*http.Request) (*http.Response, error) {
			return of(strings.NewReader("text")), errors.New("no luck")
		}, 0, "no luck", 1},
		{"both, without a body", func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200}, errors.New("no luck")
		}, 0, "no luck", 0},
		{"a panic", func(*http.Request) (*http.Response, error) { panics(); return nil, nil }, 0, "panicked: oh", 0},
		{"a panic with an error", func(*http.Request) (*http.Response, error) { panic(io.ErrClosedPipe) }, 0, "panicked: io: read/write", 0},
		{"a panic with the request", func(r *http.Request) (*http.Response, error) { panic(r) }, 0, "a value of type *http.Request", 0},
		{"Read panics", answers(of(reader(func([]byte) (int, error) { panics(); return 0, nil }))), 200, "panicked: oh", 1},
		{"Read returns nothing for ever", answers(of(reader(func([]byte) (int, error) { return 0, nil }))), 200, "Read calls return no data", 1},
		{"Read returns more than it can", answers(of(reader(func(p []byte) (int, error) { return len(p) + 1, nil }))), 200, "panicked", 1},
		{"Read never ends", answers(of(reader(endless))), 200, "more than 1000 bytes", 1},
		{"Read fails", answers(of(reader(func([]byte) (int, error) { return 0, io.ErrClosedPipe }))), 200, "closed pipe", 1},
		{"Close panics", answers(&http.Response{StatusCode: 200, Body: &body{strings.NewReader(""), func() error { panics(); return nil }}}), 200, "panicked: oh", 0},
		{"Close fails", answers(&http.Response{StatusCode: 200, Body: &body{strings.NewReader(""), func() error { return errors.New("no luck") }}}), 200, "", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			closed = 0
			client := &http.Client{Transport: tt.transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://a.example/", nil)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := Do(client, req, 1000)
			if answer.Status != tt.status || closed != tt.closed {
				t.Errorf("status %d, closed %d times; want %d and %d", answer.Status, closed, tt.status, tt.closed)
			}
			if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("error = %v, want %q", err, tt.err)
			}
		})
	}
}

func TestTransportThatDoesNotListenToItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		over := make(chan struct{})
		defer close(over)
		client := &http.Client{Transport: transport(func(*http.Request) (*http.Response, error) {
			<-over
			return nil, errors.New("too late")
		})}
		gone := errors.New("the user is gone")
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(gone)
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://a.example/", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Do(client, req, 1000); !errors.Is(err, gone) {
			t.Errorf("error = %v, want the cause of the context's end", err)
		}
	})
}

func TestLimit(t *testing.T) {
	for _, tt := range []struct {
		limit int64
		text  string
		err   error
	}{{4, "text", nil}, {3, "", ErrTooLarge}, {0, "", ErrTooLarge}, {math.MaxInt64, "text", nil}} {
		got, err := readAll(strings.NewReader("text"), tt.limit)
		if string(got) != tt.text || !errors.Is(err, tt.err) {
			t.Errorf("limit %d: got %q, error %v; want %q, %v", tt.limit, got, err, tt.text, tt.err)
		}
	}
}
