package osserr

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// The answers to requests that OSS does not trust. Codes, messages and ECs are
// those of its documentation (HTTP status codes 400 and 403, and the pages by
// EC) unless a comment says otherwise; an EC that no source gives is left out.

const (
	MaxSkew       = 15 * time.Minute
	errorTimeForm = "2006-01-02T15:04:05.000Z"
)

func forbidden(code, ec, message string) *Error {
	return &Error{Status: http.StatusForbidden, Code: code, EC: ec, Message: message}
}

func AccessDenied(ec, message string) *Error { return forbidden("AccessDenied", ec, message) }

// V1Refused has its status and its EC from the documentation; code and wording are
// ours.
func V1Refused() *Error {
	return AccessDenied("0002-00000080", "Signature version 1 is no longer supported, use version 4.")
}

func InvalidAccessKeyID(accessKeyID string) *Error {
	return forbidden("InvalidAccessKeyId", "0002-00000902",
		"The OSS Access Key Id you provided does not exist in our records.").
		With("OSSAccessKeyId", accessKeyID)
}

func InvalidSecurityToken(token string) *Error {
	return forbidden("InvalidSecurityToken", "0002-00000006",
		"The security token you provided is invalid.").
		With("SecurityToken", token)
}

func TokenOfOtherKey() *Error {
	return forbidden("AccessKeyIdAndSecurityTokenNotMatch", "0002-00000004",
		"The OSS access key id and security token you provided does not match.")
}

func SecurityTokenExpired(token string) *Error {
	return forbidden("SecurityTokenExpired", "0002-00000007",
		"The security token you provided has expired.").
		With("SecurityToken", token)
}

// TokenNotInURL is for a signed URL whose token came as a header.
func TokenNotInURL() *Error {
	return &Error{
		Status:  http.StatusBadRequest,
		Code:    "InvalidRequest",
		Message: "Security-token must be provided by query string parameter.",
	}
}

// TokenTwice has its EC from the documentation; the wording is ours.
func TokenTwice() *Error {
	return &Error{
		Status:  http.StatusBadRequest,
		Code:    "InvalidRequest",
		EC:      "0002-00000010",
		Message: "Security-token must not be provided by both header and query string parameter.",
	}
}

func TimeTooSkewed(requested, now time.Time) *Error {
	return forbidden("RequestTimeTooSkewed", "0002-00000504",
		"The difference between the request time and the current time is too large.").
		With("MaxAllowedSkewMilliseconds", fmt.Sprint(MaxSkew.Milliseconds())).
		With("RequestTime", requested.UTC().Format(errorTimeForm)).
		With("ServerTime", now.UTC().Format(errorTimeForm))
}

func NoValidDate() *Error {
	return AccessDenied("0002-00000503", "OSS authentication requires a valid Date.")
}

func RequestExpired(ec string, expires, now time.Time) *Error {
	return AccessDenied(ec, "Request has expired.").
		With("Expires", expires.UTC().Format(errorTimeForm)).
		With("ServerTime", now.UTC().Format(errorTimeForm))
}

func SignedURLIncomplete(ec string) *Error {
	return AccessDenied(ec,
		"Query-string authentication requires the Signature, Expires and OSSAccessKeyId parameters")
}

// SignedURLv4Incomplete has its ECs from the documentation; the wording is ours.
func SignedURLv4Incomplete(ec string) *Error {
	return AccessDenied(ec, "Query-string authentication requires the x-oss-signature-version, "+
		"x-oss-credential, x-oss-date, x-oss-expires and x-oss-signature parameters")
}

func BadExpires() *Error {
	return AccessDenied("0002-00000070", "Invalid date (should be seconds since epoch).")
}

// AuthTwice is for a request that is signed in its header and in its URL.
// The wording is ours.
func AuthTwice() *Error {
	return &Error{
		Status: http.StatusBadRequest,
		Code:   "InvalidArgument",
		Message: "Only one auth mechanism allowed: either the Authorization header " +
			"or the query string parameters should be specified, not both.",
	}
}

// Authorization is for a header that cannot be read, or that can and names
// what the server does not accept.
func Authorization(ec, message, header string) *Error {
	e := &Error{Status: http.StatusBadRequest, Code: "InvalidArgument", EC: ec, Message: message}
	return e.With("Authorization", header)
}

// Signature shows the client what the server has signed, as OSS does.
func Signature(ec, accessKeyID, provided, stringToSign string) *Error {
	return forbidden("SignatureDoesNotMatch", ec, "The request signature we calculated does not match the signature you provided. "+
		"Check your key and signing method.").
		With("OSSAccessKeyId", accessKeyID).
		With("SignatureProvided", provided).
		With("StringToSign", stringToSign).
		With("StringToSignBytes", hexBytes(stringToSign))
}

// hexBytes is the form of StringToSignBytes: "50 55 54 0A ".
func hexBytes(s string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, "%02X ", s[i])
	}
	return b.String()
}
