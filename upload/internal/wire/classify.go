package wire

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"strings"

	"github.com/vodupload/vodupload/upload/internal/descriptors"
)

// An outcome is what is known of a request that failed.
type outcome struct {
	status     int    // 0: no answer
	code       string // of OSS; empty if the answer had none
	throttled  bool   // the answer asked for a pause
	token      bool   // the request was signed with temporary credentials
	corrected  bool   // the answer blamed the request's date, and the clock has been set by it
	unverified bool   // the answer has no CRC64, which was asked for

	// The rest counts where there is no answer.
	ended    bool  // the caller's context has ended
	source   bool  // reading the body's source failed
	refused  bool  // the request was not sent, because it could not be made
	unsent   bool  // it was not sent, because there was no connection for it yet
	reused   bool  // the connection had served a request before
	answered bool  // a byte of an answer came
	err      error // of the connection
}

// classify decides what is to be done about a request that failed. It is the one
// place where this is decided.
func classify(o outcome) Class {
	switch {
	case o.status != 0:
		return classifyAnswer(o)
	case o.refused, o.source:
		return Permanent
	case o.ended:
		return Canceled
	default:
		return classifyConnection(o)
	}
}

// classifyAnswer goes by the code, and by the status where there is none that it
// knows (OSS documentation, Error responses and HTTP status codes).
func classifyAnswer(o outcome) Class {
	if o.status == statusCallbackFailed && o.code != "" {
		return Permanent
	}
	switch {
	case o.corrected:
		return Skew
	case o.unverified:
		return Permanent
	}
	switch o.code {
	case "NoSuchUpload":
		return Restart
	case "SecurityTokenExpired", "InvalidSecurityToken":
		return Token
	case "InvalidAccessKeyId", "AccessKeyIdAndSecurityTokenNotMatch":
		// OSS forgets the keys that STS issued when they expire.
		if o.token {
			return Token
		}
		return Permanent
	case "UploadTrafficRateLimitExceeded", "DownloadTrafficRateLimitExceeded",
		"TotalQpsLimitExceeded", "QpsLimitExceeded", "MetaOperationQpsLimitExceeded",
		"ActiveRequestLimitExceeded", "ServiceUnavailable":
		return Throttle
	case "RequestTimeout", "IncompleteBody", "BadRequest":
		// With status 400: the body did not arrive whole, or in time.
		return Retry
	}
	return classifyStatus(o.status, o.throttled)
}

func classifyStatus(status int, throttled bool) Class {
	switch {
	case status >= 200 && status < 300:
		// What is wrong with an answer of success is that it cannot be trusted.
		return Retry
	case status == 501 || status == 505:
		return Permanent
	case status == 408, status == 429, status >= 500,
		status == 421, status == 425: // of a proxy that may take the request on another connection, or later
		if throttled {
			return Throttle
		}
		return Retry
	default:
		return Permanent
	}
}

// classifyConnection is for requests that got no answer.
func classifyConnection(o outcome) Class {
	var (
		verify  *tls.CertificateVerificationError
		record  tls.RecordHeaderError
		unknown x509.UnknownAuthorityError
		host    x509.HostnameError
		invalid x509.CertificateInvalidError
		proxy   *proxyError
	)
	switch {
	case descriptors.Exhausted(o.err):
		return Starved
	case errors.Is(o.err, http.ErrSchemeMismatch),
		errors.As(o.err, &verify), errors.As(o.err, &record),
		errors.As(o.err, &unknown), errors.As(o.err, &host), errors.As(o.err, &invalid):
		return Permanent
	case errors.As(o.err, &proxy):
		return classifyStatus(proxy.status, false)
	case isTimeout(o.err):
		return Retry
	case o.err != nil && strings.Contains(o.err.Error(), streamError):
		// The connection goes on, and the server has refused this request.
		return Retry
	case o.reused && !o.answered:
		// The server closes idle connections when it likes; the request that meets
		// such a one has not been worked on.
		return Stale
	default:
		return Retry
	}
}

// streamError begins the text of an error of one request on an HTTP/2 connection. net/http
// keeps no more than the text of REFUSED_STREAM, and golang.org/x/net has a type of its own.
const streamError = "stream error: stream ID "
