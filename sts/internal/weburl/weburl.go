// Package weburl reads the URLs that users give, and takes URLs out of errors: they may
// hold a password or a token.
package weburl

import (
	"errors"
	"net/url"
	"strings"
)

// The errors of Parse. None shows the URL, or says more of it than this: what is
// wrong may be the password.
var (
	errForm     = errors.New("want http:// or https:// and a host; in a user name or password, write %23 for #, %2F for / and %3F for ?")
	errFragment = errors.New("want no fragment; if the # is part of a password, write %23")
	errAt       = errors.New("want no @ behind the host; write %40 in a path or query, and in a password also %23 for #, %2F for / and %3F for ?")
)

// Parse reads an absolute http or https URL. It refuses what url.Parse takes for a host
// and a path, but is a password with a character in it that has to be escaped.
func Parse(text string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return nil, errForm
	}
	if strings.Contains(text, "#") {
		return nil, errFragment
	}
	if strings.Contains(u.EscapedPath(), "@") || u.Port() != "" && strings.Contains(u.RawQuery, "@") {
		return nil, errAt
	}
	return u, nil
}

// Bare returns a URL's scheme, host and path, for errors.
func Bare(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}
