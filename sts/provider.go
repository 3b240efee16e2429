package sts

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/vodupload/vodupload/sts/openapi"
)

// A Provider supplies credentials.
//
// Credentials is called whenever new ones are needed: at the start, and again
// each time the ones it gave before have expired or are about to. It may be
// called from any goroutine; the callers of this module make one call at a time
// for each set of credentials. It must return when ctx ends.
type Provider interface {
	Credentials(ctx context.Context) (Credentials, error)
}

// An Invalidator is a [Provider] that keeps credentials, and can be told that a
// server refused some of them before their time. [Cache] is one.
type Invalidator interface {
	// Invalidate says that c was refused. The next call of Credentials gives
	// others, or an error. It does nothing if c is not what is kept now, so that
	// many requests may report the same token.
	Invalidate(c Credentials)
}

// ProviderFunc is a function that is a [Provider].
type ProviderFunc func(ctx context.Context) (Credentials, error)

// Credentials calls f.
func (f ProviderFunc) Credentials(ctx context.Context) (Credentials, error) { return f(ctx) }

// Static returns a Provider that always gives c. It suits long-lived keys. A token
// given this way is never renewed: once a server has refused it, or where c lacks a
// part, the error is [ErrInvalidCredentials], and callers of this module do not ask
// again.
func Static(c Credentials) Provider { return &static{get: func() Credentials { return c }} }

// A static keeps its credentials in a function, so that package fmt cannot print
// them, wherever the provider stands.
type static struct {
	get     func() Credentials
	refused atomic.Bool
}

func (s *static) Credentials(context.Context) (Credentials, error) {
	if s.refused.Load() {
		return Credentials{}, fmt.Errorf("%w: the server refused them, and there are no others", ErrInvalidCredentials)
	}
	c := s.get()
	return c, c.Validate()
}

// Invalidate makes the refusal of a token final.
func (s *static) Invalidate(c Credentials) {
	if c == s.get() {
		s.refused.Store(true)
	}
}

// signingKey lets calls of package openapi be signed with the credentials of p.
func signingKey(p Provider) openapi.KeyFunc {
	return func(ctx context.Context) (openapi.Key, error) {
		c, err := p.Credentials(ctx)
		if err != nil {
			return openapi.Key{}, nested{err}
		}
		return openapi.Key{ID: c.AccessKeyID, Secret: c.AccessKeySecret, Token: c.SecurityToken}, nil
	}
}
