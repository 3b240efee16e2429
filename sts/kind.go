package sts

import (
	"fmt"
	"strings"
)

// A kindError is an error that errors.Is finds to be of a kind, without the kind's text:
// errors about sources are read with the source's name in front.
type kindError struct {
	error
	kind error
}

// kindf returns an error of a kind with a text of its own.
func kindf(kind error, format string, args ...any) error {
	return &kindError{error: fmt.Errorf(format, args...), kind: kind}
}

// Unwrap returns the error and its kind.
func (e *kindError) Unwrap() []error { return []error{e.error, e.kind} }

// A nested error is one of this package below another one. Its text leaves the
// package's name to the outer one.
type nested struct{ error }

// Error returns the text without the package's name.
func (n nested) Error() string { return strings.TrimPrefix(n.error.Error(), "sts: ") }

// Unwrap returns the error.
func (n nested) Unwrap() error { return n.error }
