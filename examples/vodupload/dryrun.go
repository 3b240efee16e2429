package main

import (
	"errors"
	"fmt"
	"net/http"
)

// errDryRun is what a request to change something meets in a dry run.
var errDryRun = errors.New("dry run")

// readOnly lets requests through that read, and no other.
type readOnly struct{ below http.RoundTripper }

func (t readOnly) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return t.below.RoundTrip(r)
	}
	if r.Body != nil {
		_ = r.Body.Close()
	}
	return nil, fmt.Errorf("%w: no %s", errDryRun, r.Method)
}
