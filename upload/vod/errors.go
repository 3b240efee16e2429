package vod

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/vodupload/vodupload/sts/openapi"
	"github.com/vodupload/vodupload/upload"
)

var (
	// ErrParameter is returned for a parameter that VOD would refuse by its
	// documentation. Nothing was sent.
	ErrParameter = errors.New("vod: invalid parameter")

	// ErrMediaType is returned for a file that VOD does not take, by its extension.
	ErrMediaType = errors.New("vod: media type is not supported")
)

// What VOD refuses a call for. An [*openapi.Error] is wrapped with each.
var (
	// ErrVideoNotFound is returned for a video that does not exist (any more).
	ErrVideoNotFound = errors.New("vod: no such video")

	// ErrTokenExpired is returned when VOD does not accept the credentials any more,
	// and the provider had no others.
	ErrTokenExpired = errors.New("vod: token expired")

	// ErrThrottled is returned when there were too many calls.
	ErrThrottled = errors.New("vod: too many calls")

	// ErrForbidden is returned when the credentials lack the right, or VOD is not
	// activated for the account.
	ErrForbidden = errors.New("vod: not allowed")
)

// An outcome is what is known of a call after it failed.
type outcome int

const (
	refused outcome = iota // it did nothing, and would do nothing again
	passing                // it did nothing, and may succeed later
	expired                // it did nothing, for the token has expired
	unknown                // it may have been carried out
)

// A callError is the error of a call that was made, or tried.
type callError struct {
	err     error
	outcome outcome
}

func (e *callError) Error() string { return e.err.Error() }
func (e *callError) Unwrap() error { return e.err }

// A keyError says that there was nothing to sign with.
type keyError struct{ err error }

func (e *keyError) Error() string { return fmt.Sprintf("get the credentials to sign with: %v", e.err) }
func (e *keyError) Unwrap() error { return e.err }

// outcomeOf returns what is known of a call that failed with err.
func outcomeOf(err error) outcome {
	var call *callError
	var keys *keyError
	switch {
	case errors.As(err, &call):
		return call.outcome
	case errors.As(err, &keys):
		return passing
	}
	return refused // it was not even begun
}

// sort sorts the error that a request came back with.
func sort(err error) outcome {
	var e *openapi.Error
	if !errors.As(err, &e) {
		return unanswered(err)
	}
	switch {
	case isExpired(e):
		return expired
	case e.Throttled():
		return passing
	case e.Status == 503 && e.Code != "":
		return passing // ServiceUnavailable, and AddVideoFailed of CreateUploadVideo
	case e.Status >= 500, e.Status < 300:
		// InternalError does not say how far it came; what has Status 200 was carried
		// out, and cannot be read.
		return unknown
	}
	return refused
}

// unanswered sorts the errors of requests that got no answer: before there was a
// connection, nothing can have been carried out.
func unanswered(err error) outcome {
	var op *net.OpError
	switch {
	case isCertificate(err):
		return refused
	case errors.Is(err, openapi.ErrNoConnection), errors.As(err, &op) && op.Op == "dial":
		return passing
	}
	return unknown
}

func isCertificate(err error) bool {
	var e *tls.CertificateVerificationError
	return errors.As(err, &e)
}

// isExpired tells a refusal of a token whose time is over.
func isExpired(e *openapi.Error) bool {
	switch e.Code {
	case "InvalidSecurityToken.Expired", "SecurityTokenExpired":
		return true
	}
	return false
}

// named gives the error of a call what errors.Is finds.
func named(err error) error {
	var e *openapi.Error
	if !errors.As(err, &e) {
		return fmt.Errorf("vod: %w", err)
	}
	sentinel := sentinelOf(e)
	if sentinel == nil {
		return fmt.Errorf("vod: %w", err)
	}
	return fmt.Errorf("%w: %w", sentinel, err)
}

func sentinelOf(e *openapi.Error) error {
	switch {
	case e.Code == "InvalidVideo.NotFound":
		return ErrVideoNotFound
	case isExpired(e):
		return ErrTokenExpired
	case e.Throttled():
		return ErrThrottled
	case strings.HasPrefix(e.Code, "Forbidden"), strings.HasPrefix(e.Code, "OperationDenied"), e.Code == "NoPermission":
		return ErrForbidden
	}
	return nil
}

// lost is the error of a call that may have made something.
func lost(err error) error {
	return fmt.Errorf("%w: it may have been carried out, and was not repeated: %w", upload.ErrAnswerLost, err)
}
