package main

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// silentLines is a page whose first streams carry nothing, as through a connection that was
// cut off without a word.
type silentLines struct {
	page   http.Handler
	silent int64 // so many
	opened atomic.Int64
	asked  chan int64 // the number of each stream
}

func (l *silentLines) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, "/events") {
		n := l.opened.Add(1)
		l.asked <- n
		if n <= l.silent {
			w = nothing{w}
		}
	}
	l.page.ServeHTTP(w, r)
}

// next waits for a stream.
func (l *silentLines) next(t *testing.T, want int64) {
	t.Helper()
	select {
	case n := <-l.asked:
		if n != want {
			t.Fatalf("stream %d was asked for, want %d", n, want)
		}
	case <-time.After(30 * time.Second):
		t.Fatalf("stream %d was not asked for", want)
	}
}

// nothing is an answer of which nothing is sent.
type nothing struct{ http.ResponseWriter }

func (nothing) WriteHeader(int)               {}
func (nothing) Write(p []byte) (int, error)   { return len(p), nil }
func (nothing) FlushError() error             { return nil }
func (w nothing) Unwrap() http.ResponseWriter { return w.ResponseWriter }
