package osstest

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/vodupload/vodupload/upload/osstest/internal/policy"
)

// The answers to requests that OSS does not trust. Codes, messages and ECs are
// those of its documentation (HTTP status codes 400 and 403, and the pages by
// EC) unless a comment says otherwise; an EC that nothing tells is left out.

const (
	maxSkew       = 15 * time.Minute
	errorTimeForm = "2006-01-02T15:04:05.000Z"
)

func accessDenied(ec, message string) *apiError {
	return &apiError{status: http.StatusForbidden, code: "AccessDenied", ec: ec, message: message}
}

// errV1Refused has its status and its EC from the documentation; code and wording are
// ours.
func errV1Refused() *apiError {
	return accessDenied("0002-00000080", "Signature version 1 is no longer supported, use version 4.")
}

func errInvalidAccessKeyID(accessKeyID string) *apiError {
	e := &apiError{
		status:  http.StatusForbidden,
		code:    "InvalidAccessKeyId",
		ec:      "0002-00000902",
		message: "The OSS Access Key Id you provided does not exist in our records.",
	}
	return e.with("OSSAccessKeyId", accessKeyID)
}

func errInvalidSecurityToken(token string) *apiError {
	e := &apiError{
		status:  http.StatusForbidden,
		code:    "InvalidSecurityToken",
		ec:      "0002-00000006",
		message: "The security token you provided is invalid.",
	}
	return e.with("SecurityToken", token)
}

func errTokenOfOtherKey() *apiError {
	return &apiError{
		status:  http.StatusForbidden,
		code:    "AccessKeyIdAndSecurityTokenNotMatch",
		ec:      "0002-00000004",
		message: "The OSS access key id and security token you provided does not match.",
	}
}

func errSecurityTokenExpired(token string) *apiError {
	e := &apiError{
		status:  http.StatusForbidden,
		code:    "SecurityTokenExpired",
		ec:      "0002-00000007",
		message: "The security token you provided has expired.",
	}
	return e.with("SecurityToken", token)
}

// errTokenNotInURL is for a signed URL whose token came as a header.
func errTokenNotInURL() *apiError {
	return &apiError{
		status:  http.StatusBadRequest,
		code:    "InvalidRequest",
		message: "Security-token must be provided by query string parameter.",
	}
}

// errTokenTwice has its EC from the documentation; the wording is ours.
func errTokenTwice() *apiError {
	return &apiError{
		status:  http.StatusBadRequest,
		code:    "InvalidRequest",
		ec:      "0002-00000010",
		message: "Security-token must not be provided by both header and query string parameter.",
	}
}

func errTimeTooSkewed(requested, now time.Time) *apiError {
	e := &apiError{
		status:  http.StatusForbidden,
		code:    "RequestTimeTooSkewed",
		ec:      "0002-00000504",
		message: "The difference between the request time and the current time is too large.",
	}
	return e.with("MaxAllowedSkewMilliseconds", fmt.Sprint(maxSkew.Milliseconds())).
		with("RequestTime", requested.UTC().Format(errorTimeForm)).
		with("ServerTime", now.UTC().Format(errorTimeForm))
}

func errNoValidDate() *apiError {
	return accessDenied("0002-00000503", "OSS authentication requires a valid Date.")
}

func errRequestExpired(ec string, expires, now time.Time) *apiError {
	return accessDenied(ec, "Request has expired.").
		with("Expires", expires.UTC().Format(errorTimeForm)).
		with("ServerTime", now.UTC().Format(errorTimeForm))
}

func errSignedURLIncomplete(ec string) *apiError {
	return accessDenied(ec,
		"Query-string authentication requires the Signature, Expires and OSSAccessKeyId parameters")
}

// errSignedURLv4Incomplete has its ECs from the documentation; the wording is ours.
func errSignedURLv4Incomplete(ec string) *apiError {
	return accessDenied(ec, "Query-string authentication requires the x-oss-signature-version, "+
		"x-oss-credential, x-oss-date, x-oss-expires and x-oss-signature parameters")
}

func errBadExpires() *apiError {
	return accessDenied("0002-00000070", "Invalid date (should be seconds since epoch).")
}

// errAuthTwice is for a request that is signed in its header and in its URL.
// The wording is ours.
func errAuthTwice() *apiError {
	return &apiError{
		status: http.StatusBadRequest,
		code:   "InvalidArgument",
		message: "Only one auth mechanism allowed: either the Authorization header " +
			"or the query string parameters should be specified, not both.",
	}
}

// errAuthorization is for a header that cannot be read, or that can and names
// what the server does not accept.
func errAuthorization(ec, message, header string) *apiError {
	e := &apiError{status: http.StatusBadRequest, code: "InvalidArgument", ec: ec, message: message}
	return e.with("Authorization", header)
}

// errSignature shows the client what the server has signed, as OSS does.
func errSignature(ec, accessKeyID, provided, stringToSign string) *apiError {
	e := &apiError{
		status: http.StatusForbidden,
		code:   "SignatureDoesNotMatch",
		ec:     ec,
		message: "The request signature we calculated does not match the signature you provided. " +
			"Check your key and signing method.",
	}
	return e.with("OSSAccessKeyId", accessKeyID).
		with("SignatureProvided", provided).
		with("StringToSign", stringToSign).
		with("StringToSignBytes", hexBytes(stringToSign))
}

// hexBytes is the form of StringToSignBytes: "50 55 54 0A ".
func hexBytes(s string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, "%02X ", s[i])
	}
	return b.String()
}

// errPolicyDenies is the answer to what a RAM policy does not allow. OSS words
// it in one way for temporary keys and in another for those of RAM users.
func errPolicyDenies(k Key, a policy.Access, d policy.Decision) *apiError {
	e := accessDenied("0003-00000301", "Access denied by authorizer's policy.")
	kind, denial := "AssumedRoleUser", "ImplicitDeny"
	if k.SecurityToken == "" {
		kind = "SubUser"
		e = accessDenied("0003-00000001", "You have no right to access this object because of bucket acl.")
		if d == policy.ExplicitDeny {
			e = accessDenied("0003-00000201", "Access denied by authorizer's policy.")
		}
	}
	if d == policy.ExplicitDeny {
		denial = "ExplicitDeny"
	}
	detail := field{name: "AccessDeniedDetail", nested: []field{
		{name: "PolicyType", value: "AccountLevelIdentityBasedPolicy"},
		{name: "AuthPrincipalOwnerId", value: accountID},
		{name: "AuthPrincipalType", value: kind},
		{name: "AuthPrincipalDisplayName", value: k.AccessKeyID},
		{name: "NoPermissionType", value: denial},
		{name: "AuthAction", value: a.Action},
	}}
	e.fields = append(e.fields, detail)
	return e
}

// errPolicyUnreadable is ours: a real key cannot have such a policy.
func errPolicyUnreadable(err error) *apiError {
	return accessDenied("", "osstest: the key's "+err.Error())
}
