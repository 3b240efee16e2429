package openapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/vodupload/vodupload/sts/internal/roundtrip"
	"github.com/vodupload/vodupload/sts/internal/weburl"
)

// Options are the optional settings of a [Client].
type Options struct {
	// Method is GET, with all parameters in the query, or POST, with all of them
	// in a form. The default is POST.
	Method string

	// Signature is HMACSHA1, with the signature among the parameters, or ACS3, with it
	// in a header. The services take either; the current SDKs use the latter. The
	// default is HMACSHA1.
	Signature string

	// SecretParams are the names of parameters whose values are secret: no error shows
	// them, even where the service quotes them. The default is none.
	SecretParams []string

	// HTTPClient sends the requests; redirects are never followed, because the
	// signature holds for one request. The default is a client with
	// [http.DefaultTransport].
	HTTPClient *http.Client

	// Timeout ends a call that has no complete answer by then. The default is 30
	// seconds.
	Timeout time.Duration

	// MaxAnswer is the largest answer that is read, in bytes. The default is
	// 1 MiB.
	MaxAnswer int64

	// Now is the clock of the time stamps. The default is [time.Now].
	Now func() time.Time
}

// A Client calls one API at one endpoint. It is safe for use by many goroutines.
type Client struct {
	endpoint *url.URL
	version  string
	key      KeyFunc
	opts     Options
	http     *http.Client
}

// New returns a client of the API with the given version (such as 2015-04-01 of
// STS) at an endpoint, which is a host or a URL without a path; without a scheme
// it means https. Key is asked for a key at each call. [Unsigned] is for calls that need
// none.
func New(endpoint, version string, key KeyFunc, opts *Options) (*Client, error) {
	base, err := parseEndpoint(endpoint)
	if err != nil {
		return nil, err
	}
	if version == "" {
		return nil, errors.New("openapi: version is empty; want one such as 2015-04-01")
	}
	if key == nil {
		return nil, errors.New("openapi: key function is nil")
	}
	o, err := opts.resolved()
	if err != nil {
		return nil, err
	}
	client := *o.HTTPClient
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{endpoint: base, version: version, key: key, opts: o, http: &client}, nil
}

func (o *Options) resolved() (Options, error) {
	var r Options
	if o != nil {
		r = *o
	}
	if r.Method == "" {
		r.Method = http.MethodPost
	}
	if r.Method != http.MethodPost && r.Method != http.MethodGet {
		return r, fmt.Errorf("openapi: Method is %q; want GET or POST", r.Method)
	}
	if r.Signature == "" {
		r.Signature = HMACSHA1
	}
	if r.Signature != HMACSHA1 && r.Signature != ACS3 {
		return r, fmt.Errorf("openapi: Signature is %q; want %s or %s", r.Signature, HMACSHA1, ACS3)
	}
	if r.Timeout < 0 || r.MaxAnswer < 0 {
		return r, fmt.Errorf("openapi: Timeout %v and MaxAnswer %d must not be negative", r.Timeout, r.MaxAnswer)
	}
	if r.Timeout == 0 {
		r.Timeout = 30 * time.Second
	}
	if r.MaxAnswer == 0 {
		r.MaxAnswer = 1 << 20
	}
	if r.HTTPClient == nil {
		r.HTTPClient = &http.Client{}
	}
	if r.Now == nil {
		r.Now = time.Now
	}
	return r, nil
}

func parseEndpoint(endpoint string) (*url.URL, error) {
	text := endpoint
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := weburl.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("openapi: endpoint: %w", err)
	}
	if u.User != nil || u.RawQuery != "" || strings.Trim(u.Path, "/") != "" {
		return nil, errors.New("openapi: endpoint: want a host, or http(s):// and a host, and nothing else")
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/"}, nil
}

// Do calls action and decodes the answer's JSON into out, unless that is nil.
// Params are the action's own parameters; it is an error to give one of the
// common ones. The error is an [*Error] when the service answered, and wraps
// ctx's when that ended first, and [ErrNoConnection] when nothing was sent.
func (c *Client) Do(ctx context.Context, action string, params map[string]string, out any) error {
	_, err := c.DoDated(ctx, action, params, out)
	return err
}

// DoDated is [Client.Do], and returns when the answer was given by the service's own
// clock, in whole seconds. The time is zero if the answer has no Date, and with an
// error.
func (c *Client) DoDated(ctx context.Context, action string, params map[string]string, out any) (time.Time, error) {
	key, err := c.key(ctx)
	if err != nil {
		return time.Time{}, fmt.Errorf("%s: get the key to sign with: %w", action, err)
	}
	if err := key.validate(); err != nil {
		return time.Time{}, fmt.Errorf("%s: %w", action, err)
	}
	return c.send(ctx, call{action: action, params: params, key: key}, out)
}

func (c *Client) send(ctx context.Context, call call, out any) (time.Time, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.opts.Timeout,
		fmt.Errorf("no complete answer within %v: %w", c.opts.Timeout, context.DeadlineExceeded))
	defer cancel()
	var conn connection
	req, err := c.request(conn.watch(ctx), call)
	if err != nil {
		return time.Time{}, fmt.Errorf("%s at %s: make the request: %w", call.action, c.endpoint.Host, weburl.Without(err))
	}
	got, err := roundtrip.Do(c.http, req, c.opts.MaxAnswer)
	if err != nil && got.Status == 0 {
		return time.Time{}, fmt.Errorf("%s at %s: send the request: %w", call.action, c.endpoint.Host,
			redactError(conn.explain(ctx, err), c.secrets(call)))
	}
	a := answer{Answer: got, action: call.action, host: c.endpoint.Host, secrets: c.secrets(call), now: c.opts.Now()}
	if err != nil {
		return time.Time{}, a.unread(ctx, err)
	}
	if err := a.read(out); err != nil {
		return time.Time{}, err
	}
	return got.Date(), nil
}

// endOf returns why ctx ended, such that errors.Is finds ctx's own error in it.
func endOf(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if errors.Is(cause, err) {
		return cause
	}
	return fmt.Errorf("%w: %w", err, cause)
}
