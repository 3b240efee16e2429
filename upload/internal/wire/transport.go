package wire

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/vodupload/vodupload/upload/internal/tasks"
)

const (
	// OSS closes connections that were idle for a minute; we let go of them before, so
	// that few requests meet one that is just being closed.
	idleTimeout = 45 * time.Second

	dialTimeout = 10 * time.Second
	keepAlive   = 15 * time.Second

	// maxIdle bounds the idle connections to a host. There are never more than there
	// were requests in flight in the last idleTimeout, so it only has to be no less than
	// the most that may be in flight.
	maxIdle = 1000
)

// NewTransport returns the transport of clients without an HTTPClient, which connects by
// dial. It is one of HTTP/1.1 only: one connection for all parts would share one window.
func NewTransport(dial dialContext) *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	t := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		OnProxyConnectResponse: checkProxy,
		DialContext:            wrapping(dial),
		TLSHandshakeTimeout:    handshakeTimeout,
		MaxIdleConnsPerHost:    maxIdle,
		IdleConnTimeout:        idleTimeout,
		DisableCompression:     true,
		Protocols:              protocols,
	}
	t.DialTLSContext = dialTLS(t)
	return t
}

// A proxyError is a proxy's refusal to connect.
type proxyError struct {
	host   string
	status int
}

func (e *proxyError) Error() string {
	return fmt.Sprintf("proxy %s does not connect: %d %s", e.host, e.status, statusText(e.status))
}

// checkProxy keeps the status, of which net/http would keep the text only.
func checkProxy(_ context.Context, proxy *url.URL, _ *http.Request, res *http.Response) error {
	if res.StatusCode == http.StatusOK {
		return nil
	}
	return &proxyError{host: proxy.Host, status: res.StatusCode}
}

// throughProxy adds the proxy to why a transport of the user's has no connection: of a
// proxy that refuses to connect, net/http says no more than "Forbidden".
func throughProxy(base http.RoundTripper, req *http.Request, err error) error {
	t, ok := base.(*http.Transport)
	if !ok || t.Proxy == nil || t.OnProxyConnectResponse != nil || req.URL.Scheme != "https" {
		return err
	}
	var dial *net.OpError
	if errors.As(err, &dial) && dial.Op == "proxyconnect" { // it names the proxy
		return err
	}
	proxy, unknown := t.Proxy(req)
	if unknown != nil || proxy == nil {
		return err
	}
	return fmt.Errorf("through the proxy %s: %w", proxy.Host, err)
}

// A roundTripper keeps the answer for us, whole, before the SDK makes of it what it
// can: the SDK loses the status of what is not XML, and leaves the bodies of
// redirects open.
type roundTripper struct{ base http.RoundTripper }

// RoundTrip sends req once. Whatever a transport of the user's returns, or does not,
// is an answer or an error of this request, as it would be with net/http alone.
func (t *roundTripper) RoundTrip(req *http.Request) (_ *http.Response, err error) {
	x, ok := req.Context().Value(exchangeKey{}).(*exchange)
	if !ok {
		return nil, fmt.Errorf("wire: request that no call made")
	}
	x.signed.authorization = req.Header.Get("Authorization")
	if _, ok := t.base.(*http.Transport); ok {
		return t.exchange(x, req)
	}
	var res *http.Response
	exit := tasks.Alone(func() { res, err = t.exchange(x, req) })
	if exit != nil {
		x.answer = answer{}
		return nil, fmt.Errorf("the HTTP client's transport (%T) %w", t.base, exit)
	}
	return res, err
}

func (t *roundTripper) exchange(x *exchange, req *http.Request) (_ *http.Response, err error) {
	defer func() {
		if v := recover(); v != nil {
			x.answer, err = answer{}, &panicError{t.base, v}
		}
	}()
	res, err := t.base.RoundTrip(req)
	switch {
	case err != nil && res != nil && res.Body != nil:
		res.Body.Close()
		fallthrough
	case err != nil && !x.got.Load() && req.Context().Err() == nil:
		return nil, throughProxy(t.base, req, err)
	case err != nil:
		return nil, err
	case res == nil:
		return nil, fmt.Errorf("the HTTP client's transport (%T) returned neither an answer nor an error", t.base)
	case res.StatusCode < 100 || res.StatusCode > 999:
		return nil, fmt.Errorf("the answer has status %d, which HTTP does not have", res.StatusCode)
	}
	x.watchdog.answered.Store(true) // after an interim answer, nothing else says so
	x.answer = readAnswer(res, func(n int) { x.watchdog.received.Add(int64(n)) })
	// The transport may keep its answer, or give it to several requests.
	x.response = *res
	x.response.Body, x.response.Request = http.NoBody, req
	return &x.response, nil
}

// A panicError is a panic of the user's transport, or of the body that it returned.
type panicError struct {
	transport http.RoundTripper
	value     any
}

func (e *panicError) Error() string {
	return fmt.Sprintf("the HTTP client's transport (%T) panicked: %v", e.transport, e.value)
}

// newHTTPClient returns the client for o, and the transport if it is our own.
func newHTTPClient(o *Options) (*http.Client, *http.Transport) {
	var c http.Client
	var own *http.Transport
	if o.HTTPClient != nil {
		c = *o.HTTPClient
	} else {
		own = NewTransport((&net.Dialer{Timeout: dialTimeout, KeepAlive: keepAlive}).DialContext)
		c.Transport = own
	}
	base := c.Transport
	if base == nil {
		base = http.DefaultTransport
	}
	c.Transport = &roundTripper{base: base}
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &c, own
}
