package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/vodupload/vodupload/examples/vodupload/internal/output"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/source"
)

// isURL reports whether a source is to be read by HTTP.
func isURL(source string) bool {
	scheme := schemeOf(source)
	return scheme == "http" || scheme == "https"
}

// schemeOf returns the scheme of a source that looks like a URL, in small letters, or "".
func schemeOf(source string) string {
	scheme, _, found := strings.Cut(source, "://")
	if !found || strings.ContainsAny(scheme, "/\\.") {
		return ""
	}
	return strings.ToLower(scheme)
}

// nameOfURL returns the last name in the path of a URL. Empty: it has none.
func nameOfURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Path == "" || strings.HasSuffix(u.Path, "/") {
		return ""
	}
	return path.Base(u.Path)
}

// bare returns a URL without what may be secret.
func bare(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "URL"
	}
	return u.Scheme + "://" + u.Host + u.EscapedPath()
}

// checkURL returns an error for a URL that names no file, where the destination names no
// object.
func (d destination) checkURL(raw string) error {
	if u, err := url.Parse(raw); err != nil || u.Host == "" {
		return fmt.Errorf("%s: wanted a URL like https://example.com/film.mp4", bare(raw))
	}
	if d.isPrefix() && nameOfURL(raw) == "" {
		return fmt.Errorf("%s has no file name: name the object, like %s%sfilm.mp4", bare(raw), ossScheme, d.bucket+"/"+d.name)
	}
	return nil
}

// addURL adds a file of a web server.
func (c *copying) addURL(ctx context.Context, raw string) {
	watched := &answers{below: webTransport()}
	src, err := source.NewHTTP(ctx, raw, &source.HTTPOptions{StallTimeout: c.flags.stallTimeout.Duration, Transport: watched})
	if err != nil && ctx.Err() != nil {
		return
	}
	to := c.to.object(nameOfURL(raw))
	if page := watched.page(to); page != "" && c.flags.contentType == "" {
		err = fmt.Errorf("%s: the server answers with a web page (%s), perhaps to log in: if that is the file, give --content-type", bare(raw), output.Safe(page))
	} else if err != nil {
		err = c.ofURL(err, watched.good(), to)
	}
	if err != nil {
		c.report.Fail(bare(raw), err)
		return
	}
	f := c.file(src.Name(), to)
	f.Source = src
	if f.IfExists == upload.SkipNewer {
		c.report.Detail("%s: --compare mtime: a URL has no time, it is sent", src.Name())
	}
	c.addTo(f)
}

// ofURL says what to do about a URL that cannot be read, and whether that may pass. Answered
// is true if there was an answer with the file.
func (c *copying) ofURL(err error, answered bool, object string) error {
	switch {
	case errors.Is(err, errors.ErrUnsupported) && answered:
		return fmt.Errorf("%w; it can be sent, but not resumed, by: curl -fsS URL | vodupload cp - %s", err, output.Safe(ossScheme+c.bucket+"/"+object))
	case errors.Is(err, errors.ErrUnsupported), errors.Is(err, upload.ErrInvalidArgument), errors.Is(err, upload.ErrFileNotExist),
		errors.Is(err, fs.ErrPermission), errors.Is(err, fs.ErrInvalid):
		return err
	}
	return temporaryError{err}
}

// webTransport reads from web servers, as package source wants it: each source goes where
// its own answers lead, and gets the bytes as they are.
var webTransport = sync.OnceValue(func() http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DisableCompression = true
	t.MaxIdleConnsPerHost, t.IdleConnTimeout = 32, 90*time.Second
	t.MaxResponseHeaderBytes = 64 << 10
	return t
})

// answers notes what a web server answered last.
type answers struct {
	below http.RoundTripper

	mu     sync.Mutex
	status int
	kind   string
}

// RoundTrip implements http.RoundTripper.
func (a *answers) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := a.below.RoundTrip(r)
	if err == nil {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.status, a.kind = resp.StatusCode, resp.Header.Get("Content-Type")
	}
	return resp, err
}

// good reports whether the last answer has a file, or a part of it.
func (a *answers) good() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.status == http.StatusOK || a.status == http.StatusPartialContent
}

// page returns the content type of a web page that came in place of an object that is none.
func (a *answers) page(object string) string {
	if !a.good() || strings.HasPrefix(mime.TypeByExtension(path.Ext(object)), "text/html") {
		return ""
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if kind, _, err := mime.ParseMediaType(a.kind); err != nil || kind != "text/html" && kind != "application/xhtml+xml" {
		return ""
	}
	return a.kind
}
