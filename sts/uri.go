package sts

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/vodupload/vodupload/sts/internal/weburl"
)

// URIOptions are the optional settings of [NewURI].
type URIOptions struct {
	// AllowHTTP allows plain HTTP to hosts beyond this machine and its link, which shows
	// the credentials to the network. The default is false.
	AllowHTTP bool

	// Timeout ends a request that has no complete answer by then. The default is 10
	// seconds.
	Timeout time.Duration
}

// A URI gets credentials from a credentials URI: an HTTP service, most often on the
// same machine, that answers GET with AccessKeyId, AccessKeySecret, SecurityToken and
// Expiration in JSON (Alibaba Cloud SDK documentation, Credentials: credentials URI).
// Each call of Credentials is one request; put a [Cache] around it.
//
// For app servers, whose answers have more forms, see [HTTPProvider].
type URI struct {
	url    *url.URL
	opts   URIOptions
	client *http.Client
}

// NewURI returns a provider of the credentials at rawURL; an empty one means that in
// ALIBABA_CLOUD_CREDENTIALS_URI. Requests with plain HTTP go only to loopback and
// link-local addresses and the metadata service, and never through a proxy; redirects
// are not followed.
func NewURI(rawURL string, opts *URIOptions) (*URI, error) {
	rawURL = given(rawURL, envURI)
	if rawURL == "" {
		return nil, kindf(ErrInvalidCredentials, "sts: credentials URI: there is none, and %s is not set", envURI)
	}
	var o URIOptions
	if opts != nil {
		o = *opts
	}
	setDefault(&o.Timeout, 10*time.Second)
	u, err := weburl.Parse(rawURL)
	switch {
	case err != nil:
		return nil, kindf(ErrInvalidCredentials, "sts: credentials URI: %w", err)
	case u.Scheme == "http" && !o.AllowHTTP && !private(u.Hostname()):
		return nil, kindf(ErrInvalidCredentials, "sts: credentials URI: %w", errPlain(u.Hostname()))
	case o.Timeout < 0:
		return nil, fmt.Errorf("sts: credentials URI: Timeout %v must not be negative", o.Timeout)
	}
	client := directClient(min(o.Timeout, 5*time.Second))
	if u.Scheme == "https" { // encrypted, so that it may go through a proxy
		client.Transport.(*http.Transport).Proxy = http.ProxyFromEnvironment
	}
	return &URI{url: u, opts: o, client: client}, nil
}

// Credentials asks the service. An answer that cannot be read, or lacks one of the four
// fields, wraps [ErrAnswer].
func (p *URI) Credentials(ctx context.Context) (Credentials, error) {
	creds, err := p.get(ctx)
	if err != nil {
		return Credentials{}, fmt.Errorf("sts: credentials URI %s: %w", weburl.Bare(p.url), err)
	}
	return creds, nil
}

func (p *URI) get(ctx context.Context) (Credentials, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url.String(), nil)
	if err != nil {
		return Credentials{}, weburl.Without(err)
	}
	req.Header.Set("Accept", "application/json")
	begin := now()
	answer, err := fetch(ctx, p.client, p.opts.Timeout, req)
	if err != nil {
		return Credentials{}, err
	}
	if answer.status != http.StatusOK {
		return Credentials{}, errStatus(answer.status, "HTTP %d, want 200", answer.status)
	}
	return tokenOf(answer, begin)
}

// Format writes the URI without user and query, which may be secret, whatever the verb.
func (p URI) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "sts.URI(%s)", weburl.Bare(p.url)) }
