package openapi

import (
	"context"
	"fmt"
	"net/http/httptrace"
	"sync/atomic"

	"github.com/vodupload/vodupload/sts/internal/weburl"
)

// A connection is what is known of the one that a request wanted.
type connection struct {
	wanted atomic.Bool
	had    atomic.Bool
}

// watch returns a context that records in c what happens to the request's connection.
func (c *connection) watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { c.wanted.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { c.had.Store(true) },
	})
}

// explain returns the error of a request without an answer. That there was no
// connection is said only if it was seen: a RoundTripper of another kind than
// http.Transport need not report any.
func (c *connection) explain(ctx context.Context, err error) error {
	err = weburl.Without(err)
	if ctx.Err() != nil {
		err = endOf(ctx)
	}
	if c.wanted.Load() && !c.had.Load() {
		return fmt.Errorf("%w: %w", ErrNoConnection, err)
	}
	return err
}
