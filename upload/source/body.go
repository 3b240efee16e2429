package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

// A body is the answer to a request. What reads it waits for the server no longer than the
// timeout at a time; the time in which nobody reads does not count.
type body struct {
	status int
	header http.Header
	length int64 // -1: not known

	ctx    context.Context // the caller's
	own    context.Context // of the request
	cancel context.CancelCauseFunc
	stall  time.Duration
	timer  *time.Timer
	hide   func(error) error
	io.ReadCloser
}

// A stallError is the cause of a request that was ended because nothing came.
type stallError struct{ after time.Duration }

func (e *stallError) Error() string {
	return fmt.Sprintf("nothing came from the server for %v", e.after)
}

// Timeout reports true, as errors of package net do.
func (e *stallError) Timeout() bool { return true }

// exchange makes one request.
func (s *site) exchange(ctx context.Context, req *http.Request) (*body, *http.Response, error) {
	b := &body{ctx: ctx, stall: s.stall, hide: func(err error) error { return hidden(err, req) }}
	b.own, b.cancel = context.WithCancelCause(ctx)
	b.timer = time.AfterFunc(b.stall, func() { b.cancel(&stallError{b.stall}) })
	resp, err := s.transport.RoundTrip(req.WithContext(b.own))
	b.timer.Stop()
	if err == nil && (resp == nil || resp.Body == nil) {
		err = errors.New("the transport returned neither an answer nor an error")
	}
	if err != nil {
		err = b.explained(err)
		b.cancel(nil)
		return nil, nil, err
	}
	b.status, b.header, b.length, b.ReadCloser = resp.StatusCode, resp.Header, resp.ContentLength, resp.Body
	return b, resp, nil
}

func (b *body) Read(p []byte) (int, error) {
	b.timer.Reset(b.stall)
	n, err := b.ReadCloser.Read(p)
	b.timer.Stop()
	if err != nil && err != io.EOF {
		err = b.explained(err)
	}
	return n, err
}

func (b *body) Close() error {
	err := b.ReadCloser.Close()
	b.cancel(nil)
	return err
}

// explained says why a request was ended, or returns err without secrets.
func (b *body) explained(err error) error {
	var stall *stallError
	switch {
	case b.ctx.Err() != nil:
		return context.Cause(b.ctx)
	case errors.As(context.Cause(b.own), &stall):
		return stall
	}
	return b.hide(err)
}

// A connError is an error of a connection. It does not unwrap to what a transport returned,
// whose text may have the URL in it.
type connError struct {
	text string
	err  error
}

func (e *connError) Error() string { return e.text }

// Is finds what the error in it is; of that, nothing is shown.
func (e *connError) Is(target error) bool { return errors.Is(e.err, target) }

// As finds the number of an error of the system, which has no text of the transport's.
func (e *connError) As(target any) bool {
	number, ok := target.(*syscall.Errno)
	return ok && errors.As(e.err, number)
}

// Timeout reports what the error in it does.
func (e *connError) Timeout() bool {
	var t interface{ Timeout() bool }
	return errors.As(e.err, &t) && t.Timeout()
}

// hidden returns an error of a transport without the secrets of the request.
func hidden(err error, req *http.Request) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	text := err.Error()
	text = urlLike.ReplaceAllString(text, "${1}[URL]")
	for _, secret := range secrets(req) {
		text = strings.ReplaceAll(text, secret, "[hidden]")
	}
	return &connError{text: text, err: err}
}

// urlLike is a URL, or what net/http quotes in errors about one: that of a proxy, for
// example, which may have a password.
var urlLike = regexp.MustCompile(`((?:parse|address|header|URL) )"(?:\\.|[^"\\])*"|[A-Za-z][A-Za-z0-9+.-]*://[^\s"]*`)

// secrets are texts of a request that must not be shown, the longest first.
func secrets(req *http.Request) []string {
	var all []string
	add := func(text string) {
		if len(text) >= 4 {
			all = append(all, text)
		}
	}
	add(req.URL.RawQuery)
	for _, values := range req.URL.Query() {
		for _, v := range values {
			add(v)
			add(url.QueryEscape(v))
		}
	}
	for name, values := range req.Header {
		switch name {
		case "Range", "If-Match", "If-Unmodified-Since", "Accept-Encoding":
			continue
		}
		for _, v := range values {
			add(v)
		}
	}
	if _, password, ok := req.BasicAuth(); ok {
		add(password)
		add(url.QueryEscape(password))
	}
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) })
	return all
}
