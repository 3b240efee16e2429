package sts

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// What credentials can be wrong about.
var (
	// ErrInvalidCredentials is returned for credentials that lack a part or have
	// something in them that no key has (see [Credentials.Validate]), and for sources of
	// credentials that are set up by half.
	ErrInvalidCredentials = errors.New("sts: invalid credentials")

	// ErrNotConfigured is wrapped by the error of a [DefaultProvider] that found no source
	// of credentials. Its text lists what was looked for, and where.
	ErrNotConfigured = errors.New("sts: no credentials are configured")

	// ErrExpired is wrapped by errors about credentials that had already expired
	// when they came.
	ErrExpired = errors.New("sts: credentials have expired")

	// ErrRefused is wrapped by the errors of a [Cache] whose provider gives the
	// token once more that a server has refused.
	ErrRefused = errors.New("sts: the provider gave the refused credentials again")
)

// ErrAnswer is wrapped by errors about an app server's or STS's answer that
// cannot be read, or lacks what it must have.
var ErrAnswer = errors.New("sts: unreadable answer")

// ErrClosed is returned by a [Cache] that was closed.
var ErrClosed = errors.New("sts: cache is closed")

// A RenewError says that a [Cache] has no good credentials, because the last
// attempt to renew them failed.
type RenewError struct {
	Err      error     // why the last attempt failed
	Failures int       // attempts that failed in a row
	RetryAt  time.Time // no attempt is made before
}

// Error returns the cause and when the next attempt is possible.
func (e *RenewError) Error() string {
	return fmt.Sprintf("sts: renew the credentials: %v (failure %d, next attempt from %s)",
		e.Err, e.Failures, e.RetryAt.UTC().Format(time.RFC3339))
}

// Unwrap returns the cause.
func (e *RenewError) Unwrap() error { return e.Err }

// An AppServerError is a refusal by an app server, in any of the forms that
// app servers have for it.
type AppServerError struct {
	Server     string        // scheme, host and path of the app server
	Status     int           // HTTP status; 200 with many app servers even for errors
	Code       string        // the app server's code, often that of STS; may be empty
	Message    string        // shortened, without what looks like a secret
	RequestID  string        // may be empty
	RetryAfter time.Duration // how long the app server asks to wait; 0 if it does not
	Err        error         // why the answer could not be read; nil if it could
}

// Error returns what the app server said.
func (e *AppServerError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "sts: app server %s: ", e.Server)
	if e.Code != "" {
		b.WriteString(e.Code + ": ")
	}
	if e.Message != "" {
		b.WriteString(e.Message + " ")
	}
	if e.Err != nil {
		fmt.Fprintf(&b, "%v ", nested{e.Err})
	}
	fmt.Fprintf(&b, "(HTTP %d", e.Status)
	if e.RequestID != "" {
		fmt.Fprintf(&b, ", request ID %s", e.RequestID)
	}
	b.WriteByte(')')
	return b.String()
}

// Unwrap returns [AppServerError.Err].
func (e *AppServerError) Unwrap() error { return e.Err }
