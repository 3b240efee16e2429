package vod

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/sts/openapi"
)

// version is that of the API (VOD documentation).
const version = "2017-03-21"

// ClientOptions are the optional settings of a [Client].
type ClientOptions struct {
	// Region is the region of VOD that videos are made in. The default is
	// cn-shanghai.
	Region string

	// Endpoint is a host or URL in place of the region's: of a private network, or of
	// a test server. The default is the one that VOD has for the region: mostly
	// https://vod.REGION.aliyuncs.com, but cn-hangzhou is served by cn-shanghai, and
	// some regions by vod.aliyuncs.com.
	Endpoint string

	// HTTPClient sends the requests. Each call has a connection of its own, so that
	// none goes out on one that the service has closed meanwhile: if the Transport is
	// an [*http.Transport], a copy of it is used that keeps none. One of another kind
	// should not keep any, either. The default is a client with
	// [http.DefaultTransport].
	HTTPClient *http.Client

	// Timeout ends a call that has no complete answer by then. The default is 15
	// seconds.
	Timeout time.Duration
}

// A Client calls the OpenAPI of ApsaraVideo VOD. Each method makes its call once: see
// [Authorizer] for one who tries again. It is safe for use by many goroutines.
type Client struct {
	endpoint string
	provider sts.Provider
	turn     chan struct{} // held by the call that asks the provider
	opts     openapi.Options
}

// NewClient returns a client that signs with the credentials of p: STS tokens, or a
// long-lived key. It is asked at each call, one call at a time, so put a [sts.Cache]
// around one that asks a server. The error names the option that is wrong.
func NewClient(p sts.Provider, opts *ClientOptions) (*Client, error) {
	if p == nil {
		return nil, fmt.Errorf("%w: the provider is nil", ErrParameter)
	}
	var o ClientOptions
	if opts != nil {
		o = *opts
	}
	if o.Region == "" {
		o.Region = DefaultRegion
	}
	if o.Timeout == 0 {
		o.Timeout = 15 * time.Second
	}
	at, err := endpoint(o.Region)
	if err != nil {
		return nil, err
	}
	if o.Endpoint != "" {
		at = o.Endpoint
	}
	c := &Client{
		endpoint: at, provider: p, turn: make(chan struct{}, 1),
		// A request by GET may be sent a second time by net/http itself, when the
		// connection breaks: that would make a second video.
		opts: openapi.Options{Method: http.MethodPost, HTTPClient: withoutKept(o.HTTPClient), Timeout: o.Timeout, MaxAnswer: 256 << 10},
	}
	if _, err := c.signer(sts.Credentials{}); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrParameter, err)
	}
	return c, nil
}

// withoutKept returns a client that opens a connection for each request. On one that
// was kept and that the other side closes in that moment, a call that makes something
// fails, and nobody knows what it made.
func withoutKept(c *http.Client) *http.Client {
	var own http.Client
	if c != nil {
		own = *c
	}
	transport := own.Transport
	if transport == nil {
		transport = http.DefaultTransport
	}
	if t, ok := transport.(*http.Transport); ok {
		t = t.Clone()
		t.DisableKeepAlives = true
		own.Transport = t
	}
	return &own
}

// Format writes the endpoint, whatever the verb.
func (c *Client) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "vod.Client(%s)", c.endpoint) }

// credentials asks the provider. It must return when ctx ends, and so does this.
func (c *Client) credentials(ctx context.Context) (sts.Credentials, error) {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return sts.Credentials{}, context.Cause(ctx)
	}
	creds, err := c.provider.Credentials(ctx)
	if err == nil {
		err = creds.Validate()
	}
	if err == nil {
		return creds, nil
	}
	if ctx.Err() != nil {
		return sts.Credentials{}, err
	}
	return sts.Credentials{}, &keyError{err}
}

// signer returns what makes calls that are signed with creds.
func (c *Client) signer(creds sts.Credentials) (*openapi.Client, error) {
	key := openapi.Key{ID: creds.AccessKeyID, Secret: creds.AccessKeySecret, Token: creds.SecurityToken}
	return openapi.New(c.endpoint, version, func(context.Context) (openapi.Key, error) { return key, nil }, &c.opts)
}

// do makes a call that may be repeated without harm.
func (c *Client) do(ctx context.Context, action string, params map[string]string, out any) error {
	return c.call(ctx, ctx, action, params, out)
}

// create makes a call that makes something. The end of ctx keeps it from being sent,
// and does not cut it off afterwards: nobody would know what it made.
func (c *Client) create(ctx context.Context, action string, params map[string]string, out any) error {
	err := c.call(ctx, context.WithoutCancel(ctx), action, params, out)
	if err != nil && outcomeOf(err) == unknown {
		return lost(err)
	}
	return err
}

// call makes a call under the context sent, and once more with other credentials if
// those that it was signed with have expired.
func (c *Client) call(ctx, sent context.Context, action string, params map[string]string, out any) error {
	creds, err := c.credentials(ctx)
	if err != nil {
		return fmt.Errorf("vod: %s: %w", action, err)
	}
	err = c.once(sent, creds, action, params, out)
	if err == nil || outcomeOf(err) != expired {
		return err
	}
	if keeper, ok := c.provider.(sts.Invalidator); ok {
		keeper.Invalidate(creds)
	}
	again, aerr := c.credentials(ctx)
	switch {
	case aerr != nil:
		return fmt.Errorf("%w; no other credentials: %w", err, aerr)
	case again.AccessKeyID == creds.AccessKeyID && again.SecurityToken == creds.SecurityToken:
		return fmt.Errorf("%w; the provider has no others", err)
	}
	return c.once(sent, again, action, params, out)
}

func (c *Client) once(ctx context.Context, creds sts.Credentials, action string, params map[string]string, out any) error {
	signer, err := c.signer(creds)
	if err != nil {
		return fmt.Errorf("vod: %s: %w", action, err)
	}
	if err := signer.Do(ctx, action, params, out); err != nil {
		return &callError{named(err), sort(err)}
	}
	return nil
}
