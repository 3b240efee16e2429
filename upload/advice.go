package upload

import "strings"

// advices say what to do about what the server said, where its message does not (OSS
// documentation, EC error codes).
var advices = map[string]string{
	"PublicEndpointForbidden": "OSS refuses public endpoints to newer accounts: upload through a domain that is mapped to the bucket, see Options.CustomDomains, or through an internal endpoint",
	"SignatureDoesNotMatch":   "look at the access key's secret, and at Options.Region",
	"InvalidAccessKeyId":      "the access key is wrong, disabled or deleted",
	"NoSuchBucket":            "look at the bucket's name, and at the endpoint's region",
	"RequestTimeTooSkewed":    "set the clock of this machine",
	"UserDisable":             "the account is disabled, for unpaid bills for example",
	"FileAlreadyExists":       "an object of this name exists, and File.ForbidOverwrite is set",
	"CallbackFailed":          "the object is stored; look at the server that File.Callback names",
}

// rights are what the policy of a RAM user or role needs for a request (OSS
// documentation, RAM policies: actions of each API). Without an entry it is
// oss:PutObject.
var rights = map[string]string{
	"AbortMultipartUpload": "oss:AbortMultipartUpload",
	"ListParts":            "oss:ListParts",
	"ListMultipartUploads": "oss:ListMultipartUploads",
	"HeadObject":           "oss:GetObject",
}

// advice returns what to do about a refusal, or "". text is what the server said.
func advice(op, code, text string) string {
	if code != "AccessDenied" {
		return advices[code]
	}
	if strings.Contains(text, "endpoint") {
		return "" // it says which one to use instead
	}
	right := rights[op]
	if right == "" {
		right = "oss:PutObject"
	}
	return "the policy of these credentials has to allow " + right + " for this object, and nothing may deny it"
}
