package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"

	"github.com/vodupload/vodupload/examples/vodupload/internal/output"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/source"
)

// isURL reports whether a source is to be read by HTTP.
func isURL(source string) bool {
	return strings.HasPrefix(source, "http://") || strings.HasPrefix(source, "https://")
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
	if d.isPrefix() && nameOfURL(raw) == "" {
		return fmt.Errorf("%s has no file name: name the object, like %s%sfilm.mp4", bare(raw), ossScheme, d.bucket+"/"+d.name)
	}
	return nil
}

// addURL adds a file of a web server.
func (c *copying) addURL(ctx context.Context, raw string) {
	src, err := source.NewHTTP(ctx, raw, &source.HTTPOptions{StallTimeout: c.flags.stallTimeout.Duration})
	switch {
	case err != nil && ctx.Err() != nil:
		return
	case errors.Is(err, errors.ErrUnsupported):
		err = fmt.Errorf("%w; without that it can be sent, but not resumed: curl -fsS URL | vodupload cp - %s", err, output.Safe(ossScheme+c.bucket+"/"+c.to.object(nameOfURL(raw))))
		fallthrough
	case err != nil:
		c.report.Fail(bare(raw), err)
		return
	}
	f := c.file(src.Name(), c.to.object(nameOfURL(raw)))
	f.Source = src
	if f.IfExists == upload.SkipNewer {
		c.report.Detail("%s: --compare mtime: a URL has no time, it is sent", src.Name())
	}
	c.addTo(f)
}
