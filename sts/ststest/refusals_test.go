package ststest_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/sts/ststest"
)

func TestAssumeRoleRefusals(t *testing.T) {
	opts := &ststest.Options{
		Users: []ststest.User{
			{AccessKeyID: "user", AccessKeySecret: "user-secret"},
			{AccessKeyID: "off", AccessKeySecret: "off-secret", Inactive: true},
			{AccessKeyID: "root", AccessKeySecret: "root-secret", Root: true},
			{AccessKeyID: "poor", AccessKeySecret: "poor-secret", Unauthorized: true},
		},
		Roles: []ststest.Role{
			{ARN: ststest.DefaultRole},
			{ARN: "acs:ram::1:role/long", MaxSession: 4 * time.Hour},
			{ARN: "acs:ram::1:role/picky", Trusted: []string{"root"}},
			{ARN: "acs:ram::1:role/partner", ExternalID: "abcd1"},
		},
	}
	s := start(t, opts)
	set := func(name, value string) func(*call) {
		return func(c *call) { c.params[name] = value }
	}
	as := func(user string) func(*call) {
		return func(c *call) { c.key, c.sec = user, user+"-secret" }
	}
	tests := []struct {
		name    string
		edit    func(*call)
		status  int
		code    string
		message string
	}{
		{"no action", set("Action", ""), 400, "MissingAction", ""},
		{"other action", set("Action", "GetSessionAccessKey"), 404, "InvalidAction.NotFound", ""},
		{"other version", set("Version", "2014-05-26"), 400, "InvalidVersion", ""},
		{"other method of signing", set("SignatureMethod", "HMAC-SHA256"), 400, "InvalidSignatureMethod", ""},
		{"no signature", func(c *call) { c.noSign = true }, 400, "MissingSignature", ""},
		{"wrong secret", func(c *call) { c.sec = "another" }, 400, "SignatureDoesNotMatch", "server string to sign is:POST&%2F&"},
		{"unknown key", as("nobody"), 404, "InvalidAccessKeyId.NotFound", ""},
		{"disabled key", as("off"), 400, "InvalidAccessKeyId.Inactive", ""},
		{"root account", as("root"), 403, "NoPermission", "Roles may not be assumed by root accounts."},
		{"user without the right", as("poor"), 403, "NoPermission", "You are not authorized to do this action. You should be authorized by RAM."},
		{"user that the role does not trust", set("RoleArn", "acs:ram::1:role/picky"), 403, "NoPermission", ""},
		{"missing external ID", set("RoleArn", "acs:ram::1:role/partner"), 403, "NoPermission", ""},
		{"clock 16 minutes behind", set("Timestamp", time.Now().Add(-16*time.Minute).UTC().Format("2006-01-02T15:04:05Z")), 400, "InvalidTimeStamp.Expired", ""},
		{"clock 16 minutes ahead", set("Timestamp", time.Now().Add(16*time.Minute).UTC().Format("2006-01-02T15:04:05Z")), 400, "InvalidTimeStamp.Expired", ""},
		{"time in another form", set("Timestamp", time.Now().UTC().Format(time.RFC1123)), 400, "InvalidTimeStamp.Format", ""},
		{"no role", set("RoleArn", ""), 400, "MissingRoleArn", "RoleArn is mandatory for this action."},
		{"malformed role", set("RoleArn", "role/uploader"), 400, "InvalidParameter.RoleArn", ""},
		{"role that does not exist", set("RoleArn", "acs:ram::1:role/ghost"), 404, "EntityNotExist.Role", "The specified Role not exists."},
		{"session name of one letter", set("RoleSessionName", "a"), 400, "InvalidParameter.RoleSessionName", ""},
		{"session name with a slash", set("RoleSessionName", "a/b"), 400, "InvalidParameter.RoleSessionName", ""},
		{"session name of 65 letters", set("RoleSessionName", strings.Repeat("a", 65)), 400, "InvalidParameter.RoleSessionName", ""},
		{"duration below 15 minutes", set("DurationSeconds", "899"), 400, "InvalidParameter.DurationSeconds", "The Min/Max value of DurationSeconds is 15min/1hr."},
		{"duration above the role's", set("DurationSeconds", "3601"), 400, "InvalidParameter.DurationSeconds", "The Min/Max value of DurationSeconds is 15min/1hr."},
		{"duration above that of a role for longer", func(c *call) {
			c.params["RoleArn"], c.params["DurationSeconds"] = "acs:ram::1:role/long", "14401"
		}, 400, "InvalidParameter.DurationSeconds", "The Min/Max value of DurationSeconds is 15min/4hr."},
		{"duration that is no number", set("DurationSeconds", "an hour"), 400, "InvalidParameter.DurationSeconds", ""},
		{"policy of 2,049 characters", set("Policy", policy+strings.Repeat(" ", 2049-len(policy))), 400, "InvalidParameter.PolicySize", ""},
		{"policy that is no JSON", set("Policy", "{"), 400, "InvalidParameter.PolicyGrammar", ""},
		{"policy without statements", set("Policy", `{"Version":"1","Statement":[]}`), 400, "InvalidParameter.PolicyGrammar", ""},
		{"policy of another version", set("Policy", strings.Replace(policy, `"1"`, `"2"`, 1)), 400, "InvalidParameter.PolicyGrammar", ""},
		{"policy with another effect", set("Policy", strings.Replace(policy, "Allow", "Permit", 1)), 400, "InvalidParameter.PolicyGrammar", ""},
		{"policy without a resource", set("Policy", strings.Replace(policy, `"Resource"`, `"Resources"`, 1)), 400, "InvalidParameter.PolicyGrammar", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newCall(s)
			tt.edit(c)
			status, body := c.send(t, s)
			var out struct{ RequestID, HostID, Code, Message string }
			if err := json.Unmarshal([]byte(body), &out); err != nil {
				t.Fatalf("%v: %s", err, body)
			}
			if status != tt.status || out.Code != tt.code || !strings.Contains(out.Message, tt.message) {
				t.Errorf("HTTP %d, code %q, message %q; want %d, %q, %q", status, out.Code, out.Message, tt.status, tt.code, tt.message)
			}
			if out.RequestID == "" || out.HostID == "" {
				t.Errorf("RequestId %q, HostId %q: want both", out.RequestID, out.HostID)
			}
		})
	}
	if got := s.Stats().Issued; got != 0 {
		t.Errorf("%d tokens were issued, want none", got)
	}
}

func TestNonceCannotBeUsedAgain(t *testing.T) {
	s := start(t, nil)
	c := newCall(s)
	if status, body := c.send(t, s); status != http.StatusOK {
		t.Fatalf("HTTP %d: %s", status, body)
	}
	if status, body := c.send(t, s); status != http.StatusBadRequest || !strings.Contains(body, "SignatureNonceUsed") {
		t.Errorf("HTTP %d: %s; want SignatureNonceUsed", status, body)
	}
}

func TestThrottling(t *testing.T) {
	at := time.Now()
	s := start(t, &ststest.Options{PerMinute: 2, Now: func() time.Time { return at }})
	p := provider(t, s, s.DefaultUser(), sts.AssumeRoleOptions{})
	for range 2 {
		if _, err := p.Credentials(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	_, err := p.Credentials(t.Context())
	wantCode(t, err, "Throttling.User")
	at = at.Add(time.Minute)
	if _, err := p.Credentials(t.Context()); err != nil {
		t.Errorf("a minute later: %v", err)
	}
}

func TestNewRefuses(t *testing.T) {
	tests := []struct {
		name string
		opts ststest.Options
		text string
	}{
		{"user without a secret", ststest.Options{Users: []ststest.User{{AccessKeyID: "x"}}}, `user "x"`},
		{"malformed role", ststest.Options{Roles: []ststest.Role{{ARN: "x"}}}, `"x"`},
		{"role for less than an hour", ststest.Options{Roles: []ststest.Role{{ARN: ststest.DefaultRole, MaxSession: time.Minute}}}, "MaxSession"},
		{"role with a broken policy", ststest.Options{Roles: []ststest.Role{{ARN: ststest.DefaultRole, Policy: "{}"}}}, "Version"},
		{"negative limit", ststest.Options{PerMinute: -1}, "PerMinute -1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := ststest.New(&tt.opts); err == nil || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error = %v, want %q in it", err, tt.text)
			}
		})
	}
}
