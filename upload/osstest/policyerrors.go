package osstest

import (
	"github.com/vodupload/vodupload/upload/osstest/internal/osserr"
	"github.com/vodupload/vodupload/upload/osstest/internal/policy"
)

// errPolicyDenies is the answer to what a RAM policy does not allow. OSS words
// it in one way for temporary keys and in another for those of RAM users.
func errPolicyDenies(k Key, a policy.Access, d policy.Decision) *osserr.Error {
	e := osserr.AccessDenied("0003-00000301", "Access denied by authorizer's policy.")
	kind, denial := "AssumedRoleUser", "ImplicitDeny"
	if k.SecurityToken == "" {
		kind = "SubUser"
		e = osserr.AccessDenied("0003-00000001", "You have no right to access this object because of bucket acl.")
		if d == policy.ExplicitDeny {
			e = osserr.AccessDenied("0003-00000201", "Access denied by authorizer's policy.")
		}
	}
	if d == policy.ExplicitDeny {
		denial = "ExplicitDeny"
	}
	detail := osserr.Field{Name: "AccessDeniedDetail", Nested: []osserr.Field{
		{Name: "PolicyType", Value: "AccountLevelIdentityBasedPolicy"},
		{Name: "AuthPrincipalOwnerId", Value: accountID},
		{Name: "AuthPrincipalType", Value: kind},
		{Name: "AuthPrincipalDisplayName", Value: k.AccessKeyID},
		{Name: "NoPermissionType", Value: denial},
		{Name: "AuthAction", Value: a.Action},
	}}
	e.Fields = append(e.Fields, detail)
	return e
}

// errPolicyUnreadable is ours: a real key cannot have such a policy.
func errPolicyUnreadable(err error) *osserr.Error {
	return osserr.AccessDenied("", "osstest: the key's "+err.Error())
}
