package ststest

import (
	"fmt"
	"net/http"
	"time"

	"github.com/vodupload/vodupload/sts/internal/role"
)

// An apiError is a refusal of STS.
type apiError struct {
	status  int
	code    string
	message string
}

// The refusals, as the STS documentation (AssumeRole, error codes) and the
// error center of the RPC gateway word them.
var (
	errNoSuchAction     = &apiError{404, "InvalidAction.NotFound", "Specified api is not found, please check your url and method."}
	errMalformed        = &apiError{400, "InvalidParameter", "The request's parameters are wrongly formed."}
	errVersion          = &apiError{400, "InvalidVersion", "Specified parameter Version is not valid."}
	errSignatureMethod  = &apiError{400, "InvalidSignatureMethod", "Specified signature method is not valid."}
	errNoSuchKey        = &apiError{404, "InvalidAccessKeyId.NotFound", "Specified access key is not found."}
	errInactiveKey      = &apiError{400, "InvalidAccessKeyId.Inactive", "Specified access key is disabled."}
	errTokenMissing     = &apiError{400, "MissingSecurityToken", "SecurityToken is mandatory for this action."}
	errTokenExpired     = &apiError{400, "InvalidSecurityToken.Expired", "Specified SecurityToken is expired."}
	errTokenMismatch    = &apiError{400, "InvalidSecurityToken.MismatchWithAccessKey", "Specified SecurityToken mismatch with the AccessKey."}
	errNonceUsed        = &apiError{400, "SignatureNonceUsed", "Specified signature nonce was used already."}
	errTimestampFormat  = &apiError{400, "InvalidTimeStamp.Format", "Specified time stamp or date value is not well formatted."}
	errTimestampExpired = &apiError{400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired."}
	errRoleArn          = &apiError{400, "InvalidParameter.RoleArn", "The parameter RoleArn is wrongly formed."}
	errSessionName      = &apiError{400, "InvalidParameter.RoleSessionName", "The parameter RoleSessionName is wrongly formed."}
	errPolicyGrammar    = &apiError{400, "InvalidParameter.PolicyGrammar", "The parameter Policy has not passed grammar check."}
	errPolicySize       = &apiError{400, "InvalidParameter.PolicySize", "The Policy must be smaller than 2048 bytes."}
	errDuration         = &apiError{400, "InvalidParameter.DurationSeconds", "The parameter DurationSeconds is wrongly formed."}
	errMinDuration      = &apiError{400, "InvalidParameter.DurationSeconds", "The Min/Max value of DurationSeconds is 15min/1hr."}
	errNoSuchRole       = &apiError{404, "EntityNotExist.Role", "The specified Role not exists."}
	errNotAuthorized    = &apiError{403, "NoPermission", "You are not authorized to do this action. You should be authorized by RAM."}
	errRootAccount      = &apiError{403, "NoPermission", "Roles may not be assumed by root accounts."}
	errOIDCProvider     = &apiError{404, "EntityNotExist.OIDCProvider", "The specified OIDC Provider not exists."}
	errOIDCToken        = &apiError{400, "AuthenticationFail.OIDCToken.Invalid", "This JsonWebToken is invalid."}
	errOIDCTokenExpired = &apiError{400, "AuthenticationFail.OIDCToken.Expired", "This JsonWebToken is expired."}
	errOIDCTrust        = &apiError{403, "AuthenticationFail.NoPermission", "This operation is forbidden by permission system."}
	errThrottled        = &apiError{400, "Throttling.User", "Request was denied due to user flow control."}
	errInternal         = &apiError{500, "InternalError", "STS Server Internal Error happened."}
)

// byCode are the refusals that [Server.FailNext] finds by their code.
var byCode = func() map[string]*apiError {
	m := map[string]*apiError{}
	for _, e := range []*apiError{errNoSuchAction, errNoSuchKey, errInactiveKey, errTokenMissing, errTokenExpired,
		errNonceUsed, errTimestampExpired, errRoleArn, errSessionName, errPolicyGrammar, errPolicySize, errMinDuration,
		errNoSuchRole, errNotAuthorized, errOIDCProvider, errOIDCToken, errOIDCTokenExpired, errOIDCTrust, errThrottled, errInternal} {
		m[e.code] = e
	}
	return m
}()

// errorOf returns the refusal with the given code, or one of status 400 for a
// code that this server has no words for.
func errorOf(code string) *apiError {
	if e, ok := byCode[code]; ok {
		return e
	}
	return &apiError{http.StatusBadRequest, code, "The request was refused."}
}

// errMissing is the refusal of a request that lacks a parameter.
func errMissing(name string) *apiError {
	return &apiError{http.StatusBadRequest, "Missing" + name, name + " is mandatory for this action."}
}

// errMaxDuration is the refusal of a token that would live longer than the role
// allows.
func errMaxDuration(longest time.Duration) *apiError {
	e := *errMinDuration
	if longest != time.Hour {
		e.message = fmt.Sprintf("The Min/Max value of DurationSeconds is %gmin/%ghr.", role.MinDuration.Minutes(), longest.Hours())
	}
	return &e
}

// errSignature is the refusal of a wrong signature. Like the real one it shows
// what the server signed.
func errSignature(toSign string) *apiError {
	return &apiError{http.StatusBadRequest, "SignatureDoesNotMatch",
		"Specified signature is not matched with our calculation. server string to sign is:" + toSign}
}
