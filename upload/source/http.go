package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/vodupload/vodupload/upload"
)

// HTTPOptions are the options of [NewHTTP].
type HTTPOptions struct {
	// Name is what the file is called in checkpoints, errors and Files of a client. It has
	// to be the same in each process that is to resume the upload. The default is the URL
	// without user, password and query: give a name where the query says which file it is.
	Name string

	// Authorize adds headers to each request to the URL's own scheme, host and port, and to
	// none that a redirect leads to elsewhere: Authorization, for example. It is called from
	// many goroutines at once. The default is nil: none are added.
	Authorize func(h http.Header)

	// Renew returns a new URL of the same file after the server has refused the one before
	// with 401 or 403, as it does when a signed URL has expired. It is called once at a
	// time, whatever number of parts were refused, and has to return when ctx ends, which
	// is after StallTimeout at the latest. An error of it counts as one of the source; see
	// [upload.Source]. The default is nil: a refusal is fs.ErrPermission.
	Renew func(ctx context.Context) (string, error)

	// AllowWeak takes a file whose versions cannot be told apart for certain: by a weak
	// ETag, or by the time of a modification less than a second ago. Use it where you know
	// that files are never changed. The default is false.
	AllowWeak bool

	// StallTimeout is how long the server may take to begin an answer, how long it may
	// pause within one, and how long Renew may take. The default is 30 s.
	StallTimeout time.Duration

	// Transport makes the requests, one for each: it must follow no redirects and decode
	// nothing. The default is one that all sources share, which takes proxies from the
	// environment and keeps up to 32 idle connections to a host for 90 s.
	Transport http.RoundTripper
}

// An HTTP is a file on a web server, as an [upload.Source] and an [upload.Sectioner]. It
// needs no Close.
type HTTP struct {
	name string
	id   identity
	site *site // behind a pointer, where no verb of package fmt prints its secrets
}

var _ interface {
	upload.Sectioner
	upload.StrongFingerprint
	upload.Source
} = (*HTTP)(nil)

// A site makes requests for one file.
type site struct {
	transport http.RoundTripper
	authorize func(http.Header) // may be nil
	renew     func(context.Context) (string, error)
	stall     time.Duration
	name      string

	rerouting chan struct{} // holds an element while somebody looks for another route
	mu        sync.Mutex
	route     route
}

// defaultTransport bounds what an answer's header may need of memory.
var defaultTransport = sync.OnceValue(func() http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DisableCompression = true
	t.MaxIdleConnsPerHost, t.IdleConnTimeout = 32, 90*time.Second
	t.MaxResponseHeaderBytes = 64 << 10
	return t
})

// NewHTTP asks the server for the first byte of the file at rawURL, and returns a source of
// the version that is there now: a URL that is signed for GET suffices. It makes no other
// request. opts may be nil.
//
// The error is [upload.ErrInvalidArgument] for a rawURL that is none,
// [upload.ErrFileNotExist] for 404 and 410, fs.ErrPermission for 401 and 403, and
// errors.ErrUnsupported for a server that has no ranges or says nothing that would show
// another version; such a file can be given as File.Reader. Other errors may pass. None
// has the query, the user or the password of a URL in its text.
func NewHTTP(ctx context.Context, rawURL string, opts *HTTPOptions) (*HTTP, error) {
	var o HTTPOptions
	if opts != nil {
		o = *opts
	}
	r, err := parse(rawURL)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: source: %w", upload.ErrInvalidArgument, err)
	case o.StallTimeout < 0:
		return nil, fmt.Errorf("%w: HTTPOptions.StallTimeout: got %v, want 0 or more", upload.ErrInvalidArgument, o.StallTimeout)
	}
	s := &site{
		transport: o.Transport, authorize: o.Authorize, renew: o.Renew, stall: o.StallTimeout, name: o.Name,
		rerouting: make(chan struct{}, 1), route: r,
	}
	if s.transport == nil {
		s.transport = defaultTransport()
	}
	if s.stall == 0 {
		s.stall = 30 * time.Second
	}
	if s.name == "" {
		s.name = r.start.bare()
	}
	id, err := s.probe(ctx, o.AllowWeak)
	if err != nil {
		return nil, s.named(err)
	}
	return &HTTP{name: s.name, id: id, site: s}, nil
}

// Name returns the name of the file, for [upload.File].Path.
func (s *HTTP) Name() string { return s.name }

// String returns the name.
func (s *HTTP) String() string { return s.name }

// Size implements [upload.Source].
func (s *HTTP) Size() int64 { return s.id.size }

// Fingerprint implements [upload.Source]. It has the size and the ETag or the time of the
// last modification, and nothing of the URL.
func (s *HTTP) Fingerprint() string { return s.id.fingerprint() }

// StrongFingerprint implements [upload.StrongFingerprint]: it is true for a strong ETag.
func (s *HTTP) StrongFingerprint() bool { return s.id.strong() }

// Section implements [upload.Sectioner] by one GET, and one more for each redirect.
func (s *HTTP) Section(ctx context.Context, off, n int64) (io.ReadCloser, error) {
	if off < 0 || n < 1 || off > s.id.size-n {
		return nil, fmt.Errorf("%w: Section of %d bytes from byte %d: the source has %d", upload.ErrInvalidArgument, n, off, s.id.size)
	}
	b, err := s.site.get(ctx, off, n, s.id)
	if err != nil {
		return nil, s.site.named(err)
	}
	if b.status != http.StatusPartialContent {
		err = statusError(b.status, b.header)
	} else {
		err = checkPart(b.header, b.length, off, n, s.id)
	}
	if err != nil {
		_ = b.Close()
		return nil, s.site.named(err)
	}
	return b, nil
}

// ReadAt implements [upload.Source] by one GET for each call. It makes none at offset Size
// and behind.
func (s *HTTP) ReadAt(p []byte, off int64) (int, error) {
	if off >= s.id.size && off >= 0 {
		return 0, io.EOF
	}
	want := min(int64(len(p)), s.id.size-max(off, 0))
	if want == 0 {
		return 0, nil
	}
	b, err := s.Section(context.Background(), off, want)
	if err != nil {
		return 0, err
	}
	defer b.Close()
	n, err := io.ReadFull(b, p[:want])
	switch {
	case err == io.EOF:
		err = io.ErrUnexpectedEOF
	case err == nil && n < len(p):
		err = io.EOF
	}
	return n, err
}

// probe returns the identity of the version that the server has now.
func (s *site) probe(ctx context.Context, allowWeak bool) (identity, error) {
	b, err := s.get(ctx, 0, 1, identity{})
	if err != nil {
		return identity{}, err
	}
	defer b.Close()
	if err := plain(b.header); err != nil {
		return identity{}, err
	}
	size := int64(0)
	switch {
	case b.status == http.StatusPartialContent:
		first, last, total, err := contentRange(b.header)
		if err != nil {
			return identity{}, err
		}
		if first != 0 || last != 0 {
			return identity{}, unusable("the server answered with the bytes %d-%d, asked for 0-0", first, last)
		}
		size = total
		_, _ = io.CopyN(io.Discard, b, 2) // to its end: the connection serves the next request
	case b.status == http.StatusRequestedRangeNotSatisfiable && b.header.Get("Content-Range") == "bytes */0":
	case b.status == http.StatusOK && b.length == 0:
	case b.status == http.StatusOK:
		return identity{}, unusable("the server does not support ranges: give the file as File.Reader")
	default:
		return identity{}, statusError(b.status, b.header)
	}
	return identify(b.header, size, allowWeak)
}

// get asks for n bytes from off on, of a version if id names one, and returns the answer of
// any status but of redirects, 401 and 403.
func (s *site) get(ctx context.Context, off, n int64, id identity) (*body, error) {
	for tries := 0; ; tries++ {
		r := s.current()
		b, at, err := s.follow(ctx, r, off, n, id)
		if err != nil {
			return nil, err
		}
		if b.status != http.StatusUnauthorized && b.status != http.StatusForbidden {
			s.pin(r, at)
			return b, nil
		}
		_ = b.Close()
		refused := statusError(b.status, b.header)
		r.now = at
		if tries == 2 {
			return nil, refused
		}
		if err := s.reroute(ctx, r, refused); err != nil {
			return nil, err
		}
	}
}

// follow makes a request, and those that redirects lead to.
func (s *site) follow(ctx context.Context, r route, off, n int64, id identity) (*body, place, error) {
	at := r.now
	for range maxRedirects + 1 {
		header := make(http.Header)
		if at.own && s.authorize != nil {
			s.authorize(header)
		}
		header.Set("Accept-Encoding", "identity")
		header.Set("Range", fmt.Sprintf("bytes=%d-%d", off, off+n-1))
		id.demand(header)
		req := &http.Request{Method: http.MethodGet, URL: at.url, Host: at.url.Host, Header: header, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}
		if password, _ := r.user.Password(); at.own && r.user != nil {
			req.SetBasicAuth(r.user.Username(), password)
		}
		b, resp, err := s.exchange(ctx, req)
		if err != nil {
			return nil, at, err
		}
		to, ok, err := r.redirected(at, resp)
		if !ok {
			return b, at, nil
		}
		_ = b.Close()
		if err != nil {
			return nil, at, err
		}
		at = to
	}
	return nil, at, unusable("the server redirects more than %d times", maxRedirects)
}

// named puts the name of the file before an error.
func (s *site) named(err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	return fmt.Errorf("%s: %w", strings.ToValidUTF8(s.name, "?"), err)
}
