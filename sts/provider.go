package sts

import (
	"context"

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

// Static returns a Provider that always gives c. It suits long-lived keys; a
// token given this way is never renewed.
func Static(c Credentials) Provider {
	return ProviderFunc(func(context.Context) (Credentials, error) { return c, c.Validate() })
}

// Key lets calls of package openapi be signed with the credentials of p.
func Key(p Provider) openapi.KeyFunc {
	return func(ctx context.Context) (openapi.Key, error) {
		c, err := p.Credentials(ctx)
		if err != nil {
			return openapi.Key{}, err
		}
		return openapi.Key{ID: c.AccessKeyID, Secret: c.AccessKeySecret, Token: c.SecurityToken}, nil
	}
}
