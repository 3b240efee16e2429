package sts

import (
	"errors"

	"github.com/vodupload/vodupload/sts/openapi"
)

// hint returns what to do about an error of STS, as the end of a line that has the
// error; "" if there is nothing to say beyond it.
func hint(err error) string {
	var e *openapi.Error
	if !errors.As(err, &e) {
		return ""
	}
	if e.ClockOff() {
		return ": set this machine's clock: STS accepts 15 minutes of difference"
	}
	if text := hints[e.Code]; text != "" {
		return ": " + text
	}
	return ""
}

// hints follow the causes in the STS documentation, AssumeRole and its errors.
var hints = map[string]string{
	"NoPermission": "attach AliyunSTSAssumeRoleAccess to the RAM user, and let the role's trust policy name the user or its account " +
		"(a key of the account itself cannot assume roles)",
	"EntityNotExist.Role":                  "check RoleArn: there is no such role in that account",
	"InvalidAccessKeyId.NotFound":          "check AccessKeyID: there is no such key",
	"InvalidAccessKeyId.Inactive":          "enable the key of the RAM user, or use another",
	"SignatureDoesNotMatch":                "check AccessKeySecret: it does not belong to AccessKeyID",
	"MissingSecurityToken":                 "the key is a temporary one; its SecurityToken is missing",
	"InvalidParameter.PolicyGrammar":       "check the policy: STS cannot read it",
	"InvalidParameter.PolicySize":          "shorten the policy",
	"InvalidParameter.DurationSeconds":     "ask for a shorter life of the token, or raise the role's MaxSessionDuration",
	"EntityNotExist.OIDCProvider":          "check OIDCProviderArn: there is no such identity provider in that account",
	"AuthenticationFail.NoPermission":      "let the role's trust policy name the identity provider, with the issuer, the audience and the subject of the token",
	"AuthenticationFail.OIDCToken.Expired": "the token file is not renewed: look at what writes it, in ACK the pod's projected volume",
	"AuthenticationFail.OIDCToken.Invalid": "the token file has no token of that identity provider",
	"Throttling.User":                      "ask less often: a token can be used until it expires",
}
