package appserver

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// Options are the optional settings of a [Handler].
type Options struct {
	// Authenticate identifies the client. Its error is [ErrUnauthenticated] or
	// [ErrForbidden], or anything else for a failure of its own. It is called once
	// for each request for a token, from many goroutines. The default serves
	// clients on this machine only, all under one identity without a name. It cannot
	// see whom a reverse proxy or a tunnel on this machine asks for, unless that says
	// that it is one: set Authenticate behind these.
	Authenticate func(r *http.Request) (Identity, error)

	// AllowAnyone serves all clients from anywhere if Authenticate is nil, as the
	// documented demo servers do. Everybody who can reach the server can then use
	// the bucket. Host names other than localhost have to be in Hosts. The default is
	// false.
	AllowAnyone bool

	// Origins are the origins of web pages that may ask: https://example.com, null
	// for pages opened from a file, * for all. Pages of the server's own origin
	// always may. The default is none.
	Origins []string

	// AllowHeaders are the request headers that pages of other origins may set.
	// The default is Authorization and Content-Type.
	AllowHeaders []string

	// HTTPStatus answers problems with tokens with an HTTP status above 500. The
	// default is 200, as of the documented servers, because old clients cannot
	// read the body of anything else.
	HTTPStatus bool

	// Path is where the token is. The default is "/".
	Path string

	// Hosts are the names under which the server may be asked, besides IP addresses
	// and localhost: upload.example.com. A web page can point a name of its own at this
	// server, and so reach it through the browser of somebody who can. The default is
	// none where Authenticate is nil, and any where it is not.
	Hosts []string

	// Proxies are the addresses of reverse proxies before this server: the address of a
	// client is what they say in X-Forwarded-For. The default is none, and the address
	// is that of the connection.
	Proxies []netip.Prefix

	// Rate is how many requests a second, on average, one identity may make, and how
	// many that are refused may come from one IP address (version 6: from one /64
	// network). Requests without an identity count by address, too. Twice as many may
	// come at once. Beyond it, clients get HTTP status 429, and the log has one line a
	// second. It does not keep requests from Authenticate, so that nobody can lock
	// others out: its secrets must be too long to be guessed. A negative number is no
	// limit. The default is 50.
	Rate int

	// MaxBody bounds a request's body, in bytes. The default is 64 KiB. The header is
	// for [http.Server.MaxHeaderBytes] to bound.
	MaxBody int64

	// MaxTokens is how many tokens for different identities and policies are kept.
	// The default is 10,000.
	MaxTokens int

	// MaxCalls is how many calls of STS are made at once. The default is 16.
	MaxCalls int

	// Wait is how long a client is kept waiting for a token. The default is 20
	// seconds.
	Wait time.Duration

	// HTTPClient calls STS. The default is a client with [http.DefaultTransport].
	HTTPClient *http.Client

	// Logger gets each call of STS and each refused request, without secrets. The
	// default is silent.
	Logger *slog.Logger
}

func (o *Options) resolved() (Options, error) {
	var r Options
	if o != nil {
		r = *o
	}
	if err := validateOrigins(r.Origins); err != nil {
		return r, err
	}
	if r.MaxBody < 0 || r.MaxTokens < 0 || r.MaxCalls < 0 || r.Wait < 0 {
		return r, fmt.Errorf("appserver: a limit in the options is negative: MaxBody %d, MaxTokens %d, MaxCalls %d, Wait %v",
			r.MaxBody, r.MaxTokens, r.MaxCalls, r.Wait)
	}
	if r.Path != "" && !strings.HasPrefix(r.Path, "/") || r.Path == healthPath {
		return r, fmt.Errorf("appserver: Path is %q; want one that begins with a slash, other than %s", r.Path, healthPath)
	}
	for _, host := range r.Hosts {
		if host == "" || strings.ContainsAny(host, ":/@*?# ") {
			return r, errors.New("appserver: Hosts: want host names without a port, such as upload.example.com")
		}
	}
	if r.Authenticate != nil && r.AllowAnyone {
		return r, errors.New("appserver: Authenticate is set and AllowAnyone is true; want one of them")
	}
	if len(r.AllowHeaders) == 0 {
		r.AllowHeaders = []string{"Authorization", "Content-Type"}
	}
	setDefault(&r.Path, "/")
	setDefault(&r.Rate, 50)
	setDefault(&r.MaxBody, 64<<10)
	setDefault(&r.MaxTokens, 10_000)
	setDefault(&r.MaxCalls, 16)
	setDefault(&r.Wait, 20*time.Second)
	if r.Logger == nil {
		r.Logger = slog.New(slog.DiscardHandler)
	}
	return r, nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
