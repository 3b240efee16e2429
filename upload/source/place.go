package source

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// maxRedirects is how many redirects one request follows, as in net/http.
const maxRedirects = 10

// A place is where a request goes. Its URL has no user.
type place struct {
	url *url.URL
	own bool // it is of the host that the user named: secrets may be sent there
}

// A route is how the file is reached: from start, and by redirects to where requests go
// now. Each renewal makes another.
type route struct {
	number int
	start  place
	user   *url.Userinfo // of start
	now    place
}

// errURL does not show the URL: what is wrong may be its password.
var errURL = errors.New("want an absolute URL of http or https without a fragment")

// parse reads the URL of a route.
func parse(text string) (route, error) {
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.Fragment != "" || strings.Contains(text, "#") {
		return route{}, errURL
	}
	r := route{user: u.User}
	u.User = nil
	r.start = place{u, true}
	r.now = r.start
	return r, nil
}

// bare is the URL of a place without what may be secret.
func (p place) bare() string {
	return (&url.URL{Scheme: p.url.Scheme, Host: p.url.Host, Path: p.url.Path}).String()
}

// redirected returns the place that an answer of p leads to; ok is false for an answer that
// is no redirect.
func (r *route) redirected(p place, resp *http.Response) (to place, ok bool, err error) {
	switch resp.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return p, false, nil
	}
	location, found := one(resp.Header, "Location")
	u, err := p.url.Parse(location)
	switch {
	case !found || location == "" || err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return p, true, unusable("the server redirects to what is no URL of http or https")
	case p.url.Scheme == "https" && u.Scheme == "http":
		return p, true, unusable("the server redirects from https to http, at %s", u.Host)
	}
	u.User, u.Fragment = nil, ""
	own := u.Scheme == r.start.url.Scheme && strings.EqualFold(u.Host, r.start.url.Host)
	return place{u, own}, true, nil
}

// current returns the route of now.
func (s *site) current() route {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.route
}

// pin sends later requests of the route to where this one was answered.
func (s *site) pin(r route, at place) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.route.number == r.number {
		s.route.now = at
	}
}

// reroute finds another way after the one of r was refused, once for all that were refused
// on it: from the beginning, if a redirect led there, and else by a new URL. refused is
// returned if there is none.
func (s *site) reroute(ctx context.Context, r route, refused error) error {
	select {
	case s.rerouting <- struct{}{}:
		defer func() { <-s.rerouting }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if s.current().number != r.number {
		return nil
	}
	next := r
	switch {
	case r.now != r.start:
		next.now = r.start
	case s.renew == nil:
		return refused
	default:
		text, err := s.renewed(ctx)
		if err != nil {
			return &renewError{err}
		}
		if next, err = parse(text); err != nil {
			return unusable("the new URL: %v", err)
		}
		if r.start.url.Scheme == "https" && next.start.url.Scheme == "http" {
			return unusable("the new URL is of http, the one before of https")
		}
	}
	next.number = r.number + 1
	s.mu.Lock()
	defer s.mu.Unlock()
	s.route = next
	return nil
}

// renewed calls renew: whatever that asks may be silent as well.
func (s *site) renewed(ctx context.Context) (string, error) {
	own, cancel := context.WithTimeout(ctx, s.stall)
	defer cancel()
	text, err := s.renew(own)
	if err != nil && own.Err() != nil && ctx.Err() == nil {
		err = fmt.Errorf("nothing for %v: %w", s.stall, err)
	}
	return text, err
}

// A renewError is that of HTTPOptions.Renew.
type renewError struct{ err error }

func (e *renewError) Error() string { return "get a new URL: " + e.err.Error() }
func (e *renewError) Unwrap() error { return e.err }
