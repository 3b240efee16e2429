package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"sync/atomic"
)

// An exchange is one request on its way: what the transport has to know of it, and
// what it found out. It travels in the request's context.
type exchange struct {
	watchdog watchdog
	answer   answer
	signed   Snapshot             // what the request is signed with, and its signature
	response http.Response        // without its body: what the SDK gets
	dialed   atomic.Bool          // a connection was looked for
	got      atomic.Bool          // and there was one
	reused   atomic.Bool          // the connection had served a request before
	interim  atomic.Int32         // answers with a status below 200
	conn     atomic.Pointer[conn] // nil: not a plain one of our own
}

// data returns the body in a form that shows the SDK its size, or nil.
func (x *exchange) data() io.Reader {
	b := x.watchdog.body
	if b == nil {
		return nil
	}
	return &io.LimitedReader{R: b, N: b.Size}
}

type patienceKey struct{}

// WithPatience returns a context whose requests may wait n times StallTimeout for the
// beginning of the answer, once all of the request was acknowledged.
func WithPatience(ctx context.Context, n int) context.Context {
	return context.WithValue(ctx, patienceKey{}, n)
}

// Patience returns the n of [WithPatience], or 1.
func Patience(ctx context.Context) int {
	n, _ := ctx.Value(patienceKey{}).(int)
	return max(n, 1)
}

type exchangeKey struct{}

// withExchange returns a context for the request of x.
func withExchange(ctx context.Context, x *exchange) context.Context {
	ctx = context.WithValue(ctx, exchangeKey{}, x)
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { x.dialed.Store(true) },
		GotConn: func(info httptrace.GotConnInfo) {
			x.got.Store(true)
			x.reused.Store(info.Reused)
			plain, _ := info.Conn.(*conn)
			x.conn.Store(plain)
			x.watchdog.connect(info.Conn)
		},
		GotFirstResponseByte: func() { x.watchdog.answered.Store(true) },
		Got1xxResponse:       func(int, textproto.MIMEHeader) error { return x.gotInterim() },
	})
}

// maxInterim is how many answers with a status below 200 a request may get. The hook for
// them lifts the limit of net/http.
const maxInterim = 1000

// gotInterim records an answer such as 100 Continue, which proxies send unasked while the
// body is on its way: the answer has not begun.
func (x *exchange) gotInterim() error {
	x.watchdog.answered.Store(false)
	if x.interim.Add(1) > maxInterim {
		return fmt.Errorf("more than %d answers with a status below 200", maxInterim)
	}
	return nil
}

// explained adds to the error of a connection what the other side said, where that is
// not the protocol that the endpoint's scheme names.
func explained(err error, c *conn) error {
	var record tls.RecordHeaderError
	switch {
	case err != nil && c != nil && c.foreign.Load() != nil:
		return &foreignError{begin: *c.foreign.Load(), err: err}
	case errors.Is(err, http.ErrSchemeMismatch):
		return fmt.Errorf("%w: it speaks HTTP without TLS; is https the right scheme for the endpoint?", err)
	case errors.As(err, &record):
		return fmt.Errorf("%w: what came begins with %s", err, quoted(string(record.RecordHeader[:])))
	}
	return err
}

// A foreignError is what net/http makes of a server that does not speak HTTP: that the
// answer is malformed, or that the connection is closed, as it happens.
type foreignError struct {
	begin string
	err   error
}

func (e *foreignError) Error() string {
	return "the server does not speak HTTP: what came begins with " + quoted(e.begin)
}

func (e *foreignError) Unwrap() error { return e.err }
