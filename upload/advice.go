package upload

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"

	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// advices say what to do about a code of the server whose message does not say it (OSS
// documentation, EC error codes).
var advices = map[string]string{
	"PublicEndpointForbidden": "OSS refuses public endpoints to newer accounts: upload through a domain that is mapped to the bucket, see Options.CustomDomains, or through an internal endpoint",
	"SignatureDoesNotMatch":   "check the access key's secret, and Options.Region",
	"InvalidAccessKeyId":      "the access key is wrong, disabled or deleted",
	"NoSuchBucket":            "check the bucket's name, and the endpoint's region",
	"RequestTimeTooSkewed":    setClock,
	"UserDisable":             "the account is disabled, for unpaid bills for example",
	"FileAlreadyExists":       "an object of this name exists, and File.IfExists is Fail",
	"FileImmutable":           "a retention policy of the bucket protects the object of this name: upload under another one",
	"CallbackFailed":          "the object is stored; check the server that File.Options.Callback names",
}

const setClock = "set the clock of this machine"

const setRegion = "set Options.Region to the bucket's region"

// advicesByEC take precedence over those by code: the EC of an answer names one cause,
// while many causes share a code (OSS documentation, EC error codes).
var advicesByEC = map[string]string{
	"0002-00000080": "OSS refuses signatures of version 1 here, which are used where no region is known: " + setRegion,
	"0002-00000212": setClock, // with signatures of version 4, a clock that is off by days
	"0002-00000226": "the requests were signed for another region: " + setRegion,
	"0002-00000228": "the requests were signed for another region: " + setRegion,
}

// rights are what the policy of a RAM user or role must allow for a request (OSS
// documentation, RAM policies: actions of each API). Without an entry it is
// oss:PutObject.
var rights = map[string]string{
	"AbortMultipartUpload": "oss:AbortMultipartUpload",
	"ListParts":            "oss:ListParts",
	"ListMultipartUploads": "oss:ListMultipartUploads",
	"ListObjectsV2":        "oss:ListObjects",
	"HeadObject":           "oss:GetObject",
}

// advice returns what to do about e, or "". It goes by values, never by text.
func advice(e *Error) string {
	if e.Code == CodeFailFile { // the user's own error
		return ""
	}
	if e.Code == CodeClaimLost {
		return "another client may upload the file now, or have done so: look there and at the object before you resume it here; a machine that is stopped, or cut off from the store of its checkpoints, loses its claims"
	}
	var we *transfer.Error
	if errors.As(e.Err, &we) && we.Status != 0 {
		return adviceFor(we, e.Code)
	}
	var certificate *tls.CertificateVerificationError
	var lookup *net.DNSError
	var dial *net.OpError
	switch {
	case errors.As(e.Err, &dial) && dial.Op == "proxyconnect": // as net/http calls it
		return "check the proxy that the environment or Options.HTTPClient names"
	case errors.As(e.Err, &certificate):
		return "check the endpoint and this machine's clock; the authority of a proxy or server of your own has to be in Options.HTTPClient or the system's store"
	case errors.As(e.Err, &lookup) && lookup.IsNotFound:
		return "check the endpoint, and the bucket's name before it"
	case we != nil && we.Unanswered:
		return "if the server is only slow to answer, set a longer Options.StallTimeout"
	case errors.Is(e.Err, ErrGroup):
		return "ResumeFile of that file, then of this one, uploads both"
	case errors.Is(e.Err, transfer.ErrUnclaimed):
		return "check that the store of Options.Checkpoints can be reached; ResumeFile then uploads the file"
	case errors.Is(e.Err, ErrCheckpoint):
		return "Options.CheckpointsOptional lets uploads continue without one"
	case errors.Is(e.Err, transfer.ErrTooManyParts):
		return "set a larger Options.PartSize"
	}
	return ""
}

// adviceFor returns what to do about an answer. code is that of the file's error: where
// that has a nearer cause, it is not the answer's.
func adviceFor(we *transfer.Error, code string) string {
	if we.Endpoint != "" {
		return "the bucket is at another endpoint: use " + we.Endpoint
	}
	if todo, ok := advicesByEC[we.EC]; ok {
		return todo
	}
	if we.Status == http.StatusProxyAuthRequired {
		return "the proxy wants a user name and a password: put them into its URL in the environment, or give an Options.HTTPClient that has them"
	}
	if code != "AccessDenied" {
		return advices[code]
	}
	right := rights[we.Op]
	if right == "" {
		right = "oss:PutObject"
	}
	return "the policy of these credentials has to allow " + right + " for this object, and nothing may deny it"
}
