package main

import (
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/vodupload/vodupload/upload/osstest"
)

// keptForLog is how many calls the server keeps for -v: more than are in flight at once
// in what a person watches.
const keptForLog = 512

// logged writes a line for each call that has ended, as the server's own log has it:
// without secrets.
func logged(server *osstest.Server, out io.Writer) http.Handler {
	var mu sync.Mutex
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Deferred, since a fault may break the connection by a panic.
		defer func() {
			mu.Lock()
			defer mu.Unlock()
			if r, ok := find(server.Requests(), w.Header().Get("X-Oss-Request-Id")); ok {
				fmt.Fprintln(out, line(r))
			}
		}()
		server.ServeHTTP(w, r)
	})
}

// find returns the call with a request ID. It is among the newest.
func find(calls []osstest.Request, id string) (osstest.Request, bool) {
	for i := len(calls) - 1; i >= 0; i-- {
		if calls[i].RequestID == id {
			return calls[i], true
		}
	}
	return osstest.Request{}, false
}

// line is one call: when it came, what it was, and how it ended.
func line(r osstest.Request) string {
	if r.Status != 0 && r.Status < http.StatusBadRequest {
		r.Fault = nil // -latency, which hits all
	}
	return fmt.Sprintf("%s %v, %d bytes in %v", r.Start.Format(time.TimeOnly), r, r.BodyBytes, r.Duration.Round(time.Millisecond))
}
