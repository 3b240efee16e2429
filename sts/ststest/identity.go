package ststest

import (
	"encoding/xml"
	"strconv"
	"strings"
)

const getCallerIdentity = "GetCallerIdentity"

// roleID is the ID of every role.
const roleID = "344584339364951186"

// firstUserID is the ID of the first user; the others count on.
const firstUserID = 216959339000000001

// identity is the content of the answer to GetCallerIdentity (STS documentation, response
// elements). UserId is left out for a role, RoleId for anybody else.
type identity struct {
	XMLName      xml.Name `json:"-" xml:"GetCallerIdentityResponse"`
	IdentityType string
	AccountID    string `json:"AccountId" xml:"AccountId"`
	UserID       string `json:"UserId,omitempty" xml:"UserId,omitempty"`
	RoleID       string `json:"RoleId,omitempty" xml:"RoleId,omitempty"`
	Arn          string
	PrincipalID  string `json:"PrincipalId" xml:"PrincipalId"`
	RequestID    string `json:"RequestId" xml:"RequestId"`
}

// identify carries out GetCallerIdentity, for which a signature is all that is needed: the
// documentation names no right.
func (s *Server) identify(req *request) (identity, *apiError) {
	if refusal := s.authenticate(req); refusal != nil {
		return identity{}, refusal
	}
	answer := identity{RequestID: newRequestID()}
	if req.caller.user == nil {
		account, name := partsOf(req.caller.roleARN)
		answer.IdentityType, answer.AccountID, answer.RoleID = "AssumedRoleUser", account, roleID
		answer.Arn = "acs:ram::" + account + ":assumed-role/" + name + "/" + req.caller.session
		answer.PrincipalID = roleID + ":" + req.caller.session
		return answer, nil
	}
	account, _ := partsOf(s.opts.Roles[0].ARN)
	answer.IdentityType, answer.AccountID, answer.UserID = "Account", account, account
	answer.Arn = "acs:ram::" + account + ":root"
	if !req.caller.user.Root {
		n := 0
		for n < len(s.opts.Users) && &s.opts.Users[n] != req.caller.user {
			n++
		}
		answer.IdentityType, answer.UserID = "RAMUser", strconv.FormatInt(firstUserID+int64(n), 10)
		answer.Arn = "acs:ram::" + account + ":user/user" + strconv.Itoa(n+1)
	}
	answer.PrincipalID = answer.UserID
	return answer, nil
}

// partsOf returns the account and the name in a role's ARN.
func partsOf(arn string) (account, name string) {
	rest, _ := strings.CutPrefix(arn, "acs:ram::")
	account, name, _ = strings.Cut(rest, ":role/")
	return account, name
}
