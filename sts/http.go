package sts

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/vodupload/vodupload/sts/internal/roundtrip"
	"github.com/vodupload/vodupload/sts/internal/weburl"
)

// HTTPOptions are the optional settings of an [HTTPProvider].
type HTTPOptions struct {
	// Method is GET or POST; a POST has no body unless Prepare sets one. The
	// default is GET.
	Method string

	// Prepare is called with each request before it is sent: the place for a
	// header or a cookie that identifies the client. Its error becomes
	// that of Credentials. The default adds nothing.
	Prepare func(req *http.Request) error

	// HTTPClient sends the requests. Redirects are followed, three at most, to the
	// same host, and never from https to http: both request and answer are
	// confidential. The default is a client with [http.DefaultTransport].
	HTTPClient *http.Client

	// Timeout ends a request that has no complete answer by then. The default is
	// 15 seconds.
	Timeout time.Duration

	// MaxAnswer is the largest answer that is read, in bytes. The default is
	// 64 KiB.
	MaxAnswer int64
}

// An HTTPProvider gets credentials from an app server: the HTTP service, run by
// the owner of the bucket, that hands out tokens of STS. Each call of Credentials
// is one request; put a [Cache] around it.
//
// The credentials are read as [ParseCredentials] does. An answer that has them is a
// success if its HTTP status is one, whatever codes are in it. One that has not is a
// refusal: its code, message and request ID are looked for under the names that app
// servers have for them, also in a nested object, a JSON string or plain text.
type HTTPProvider struct {
	url    *url.URL
	server string // url without user and query, which may hold a secret
	opts   HTTPOptions
	client *http.Client
}

// NewHTTP returns a provider that asks the app server at rawURL. A user name and a
// password in it are sent as Basic authentication. No error shows them, nor the query.
func NewHTTP(rawURL string, opts *HTTPOptions) (*HTTPProvider, error) {
	u, err := weburl.Parse(rawURL)
	if err != nil {
		return nil, fmt.Errorf("sts: app server's URL: %w", err)
	}
	o, err := opts.resolved()
	if err != nil {
		return nil, err
	}
	client := *o.HTTPClient
	client.CheckRedirect = checkRedirect
	return &HTTPProvider{url: u, server: weburl.Bare(u), opts: o, client: &client}, nil
}

func (o *HTTPOptions) resolved() (HTTPOptions, error) {
	var r HTTPOptions
	if o != nil {
		r = *o
	}
	setDefault(&r.Method, http.MethodGet)
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		return r, fmt.Errorf("sts: Method is %q; want GET or POST", r.Method)
	}
	if r.Timeout < 0 || r.MaxAnswer < 0 {
		return r, fmt.Errorf("sts: Timeout %v and MaxAnswer %d must not be negative", r.Timeout, r.MaxAnswer)
	}
	setDefault(&r.Timeout, 15*time.Second)
	setDefault(&r.MaxAnswer, 64<<10)
	if r.HTTPClient == nil {
		r.HTTPClient = &http.Client{}
	}
	if r.Prepare == nil {
		r.Prepare = func(*http.Request) error { return nil }
	}
	return r, nil
}

// Format writes the app server's address, whatever the verb, without user and
// query, which may hold a secret.
func (p HTTPProvider) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "sts.HTTPProvider("+p.server+")")
}

func checkRedirect(req *http.Request, via []*http.Request) error {
	from := via[len(via)-1].URL
	switch {
	case len(via) > 3:
		return errors.New("stopped after 3 redirects")
	case req.URL.Scheme != "http" && req.URL.Scheme != "https":
		return fmt.Errorf("redirect to a URL of the scheme %.20q not followed", req.URL.Scheme)
	case req.URL.Host != via[0].URL.Host:
		return fmt.Errorf("redirect to another host, %s, not followed", req.URL.Host)
	case from.Scheme == "https" && req.URL.Scheme != "https":
		return errors.New("redirect from https to http not followed")
	}
	return nil
}

// Credentials asks the app server. A refusal, and an answer that cannot be read,
// is an [*AppServerError]; a token that is already over wraps [ErrExpired].
func (p *HTTPProvider) Credentials(ctx context.Context) (Credentials, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, p.opts.Timeout,
		fmt.Errorf("no complete answer within %v: %w", p.opts.Timeout, context.DeadlineExceeded))
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, p.opts.Method, p.url.String(), nil)
	if err != nil {
		return Credentials{}, fmt.Errorf("sts: ask app server %s: %w", p.server, weburl.Without(err))
	}
	req.Header.Set("Accept", "application/json")
	if err := p.opts.Prepare(req); err != nil {
		return Credentials{}, fmt.Errorf("sts: prepare the request to app server %s: %w", p.server, weburl.Hide(err))
	}
	begin := now()
	answer, err := roundtrip.Do(p.client, req, p.opts.MaxAnswer)
	switch {
	case err != nil && answer.Status == 0:
		return Credentials{}, fmt.Errorf("sts: ask app server %s: %w", p.server, ended(ctx, err))
	case err != nil:
		return Credentials{}, &AppServerError{Server: p.server, Status: answer.Status,
			RetryAfter: retryAfter(answer.Header, begin), Err: fmt.Errorf("%w: %w", ErrAnswer, roundtrip.Unread(ended(ctx, err)))}
	}
	return p.read(answer, begin)
}

func (p *HTTPProvider) read(answer roundtrip.Answer, begin time.Time) (Credentials, error) {
	given := answer.Date() // by the app server's clock, where its answer has a Date
	if given.IsZero() {
		given = begin
	}
	creds, refusal := parseAppAnswer(answer.Status, answer.Body, given)
	if refusal != nil {
		refusal.Server = p.server
		refusal.RetryAfter = retryAfter(answer.Header, given)
		return Credentials{}, refusal
	}
	return p.checkClock(creds, answer.Date(), begin)
}

// checkClock makes sure that the token is not over yet, and says when it is by this
// machine's clock.
func (p *HTTPProvider) checkClock(creds Credentials, date, begin time.Time) (Credentials, error) {
	if creds.Expiration.IsZero() {
		return creds, nil
	}
	here := now()
	end, good := endOfGuess(creds.Expiration, clockAhead(date, begin, here), here)
	if !good {
		return Credentials{}, fmt.Errorf("%w: app server %s gave a token that was good until %s; it is %s by this machine's clock",
			ErrExpired, p.server, creds.expires(), here.UTC().Format(time.RFC3339))
	}
	return creds.endingAt(end), nil
}

// retryAfter reads the header Retry-After, in seconds or as a date (RFC 9110, section
// 10.2.3), of an answer that was given at the given time; 0 if there is none. It is at
// most 2^31 seconds.
func retryAfter(h http.Header, given time.Time) time.Duration {
	const most = math.MaxInt32 * time.Second
	value := h.Get("Retry-After")
	seconds, err := strconv.ParseUint(value, 10, 31)
	switch {
	case err == nil:
		return time.Duration(seconds) * time.Second
	case errors.Is(err, strconv.ErrRange):
		return most
	}
	until, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(max(until.Sub(given), 0), most)
}

// ended returns ctx's reason for the error of a request that it ended, and else
// err without the URL, which may have a secret in its query.
func ended(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		if errors.Is(cause, ctx.Err()) {
			return cause
		}
		return fmt.Errorf("%w: %w", ctx.Err(), cause)
	}
	return weburl.Without(err)
}
