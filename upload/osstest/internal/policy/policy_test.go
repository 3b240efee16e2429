package policy

import (
	"strings"
	"testing"
)

const conditional = `{"Version":"1","Statement":[{"Effect":"Allow","Action":"oss:*","Resource":"*",
	"Condition":{"IpAddress":{"acs:SourceIp":"10.0.0.0/8"}}}]}`

// statements makes a policy document of statements.
func statements(s ...string) string {
	return `{"Version":"1","Statement":[` + strings.Join(s, ",") + `]}`
}

// both is a list of two documents, each with one statement.
func both(first, second string) string {
	return "[" + statements(first) + "," + statements(second) + "]"
}

func TestPolicyDecides(t *testing.T) {
	const (
		uploads  = `{"Effect":"Allow","Action":["oss:PutObject","oss:ListParts"],"Resource":["acs:oss:*:*:media/in/*"]}`
		readAll  = `{"Effect":"Allow","Action":"oss:Get*","Resource":"acs:oss:*:*:*"}`
		denyKeys = `{"Effect":"Deny","Action":"oss:*","Resource":"acs:oss:*:*:media/in/secret-??.mp4"}`
	)
	tests := []struct {
		name     string
		document string
		action   string
		path     string
		want     Decision
	}{
		{"no document allows all", "", "oss:DeleteBucket", "media", Allowed},
		{"an action and its resource", statements(uploads), "oss:PutObject", "media/in/a.mp4", Allowed},
		{"a * crosses slashes", statements(uploads), "oss:PutObject", "media/in/x/y.mp4", Allowed},
		{"an action in another case", statements(`{"Effect":"Allow","Action":"OSS:putobject","Resource":"*"}`), "oss:PutObject", "media/a", Allowed},
		{"another action", statements(uploads), "oss:GetObject", "media/in/a.mp4", ImplicitDeny},
		{"another prefix", statements(uploads), "oss:PutObject", "media/out/a.mp4", ImplicitDeny},
		{"a resource in another case", statements(uploads), "oss:PutObject", "media/IN/a.mp4", ImplicitDeny},
		{"a bucket is none of its objects", statements(uploads), "oss:ListParts", "media", ImplicitDeny},
		{"an object is not its bucket", statements(`{"Effect":"Allow","Action":"oss:*","Resource":"acs:oss:*:*:media"}`), "oss:PutObject", "media/a", ImplicitDeny},
		{"a bucket whose name begins alike", statements(`{"Effect":"Allow","Action":"oss:*","Resource":"acs:oss:*:*:media/*"}`), "oss:PutObject", "media2/a", ImplicitDeny},
		{"an action's wildcard", statements(readAll), "oss:GetObjectAcl", "any/key", Allowed},
		{"a second statement", statements(readAll, uploads), "oss:PutObject", "media/in/a.mp4", Allowed},
		{"a Deny wins", statements(uploads, denyKeys), "oss:PutObject", "media/in/secret-01.mp4", ExplicitDeny},
		{"a Deny wins wherever it stands", statements(denyKeys, uploads), "oss:PutObject", "media/in/secret-01.mp4", ExplicitDeny},
		{"a ? is one character", statements(uploads, denyKeys), "oss:PutObject", "media/in/secret-1.mp4", Allowed},
		{"a ? is one character of any length", statements(uploads, denyKeys), "oss:PutObject", "media/in/secret-é国.mp4", ExplicitDeny},
		{"NotAction", statements(`{"Effect":"Allow","NotAction":"oss:Delete*","Resource":"*"}`), "oss:PutObject", "media/a", Allowed},
		{"NotAction's own", statements(`{"Effect":"Allow","NotAction":"oss:Delete*","Resource":"*"}`), "oss:DeleteObject", "media/a", ImplicitDeny},
		{"NotResource", statements(`{"Effect":"Deny","Action":"*","NotResource":"acs:oss:*:*:media/in/*"}`, readAll), "oss:GetObject", "media/out/a", ExplicitDeny},
		{"NotResource's own", statements(`{"Effect":"Deny","Action":"*","NotResource":"acs:oss:*:*:media/in/*"}`, readAll), "oss:GetObject", "media/in/a", Allowed},
		{"another service", statements(`{"Effect":"Allow","Action":"vod:*","Resource":"acs:vod:*:*:*"}`), "oss:GetObject", "media/a", ImplicitDeny},
		{"another service's resource", statements(`{"Effect":"Allow","Action":"*","Resource":"acs:vod:*:*:*"}`), "oss:GetObject", "media/a", ImplicitDeny},
		{"its region", statements(`{"Effect":"Allow","Action":"*","Resource":"acs:oss:cn-hangzhou:*:*"}`), "oss:GetObject", "media/a", Allowed},
		{"its region as endpoints name it", statements(`{"Effect":"Allow","Action":"*","Resource":"acs:oss:oss-cn-hangzhou:*:*"}`), "oss:GetObject", "media/a", Allowed},
		{"another region", statements(`{"Effect":"Allow","Action":"*","Resource":"acs:oss:oss-cn-beijing:*:*"}`), "oss:GetObject", "media/a", ImplicitDeny},
		{"another account", statements(`{"Effect":"Allow","Action":"*","Resource":"acs:oss:*:42:*"}`), "oss:GetObject", "media/a", ImplicitDeny},
		{"a key with colons", statements(`{"Effect":"Allow","Action":"*","Resource":"acs:oss:*:*:media/a:b/*"}`), "oss:GetObject", "media/a:b/c", Allowed},
		{"both of two documents", both(`{"Effect":"Allow","Action":"*","Resource":"*"}`, `{"Effect":"Allow","Action":"oss:GetObject","Resource":"*"}`), "oss:GetObject", "media/a", Allowed},
		{"the first of two documents only", both(`{"Effect":"Allow","Action":"*","Resource":"*"}`, `{"Effect":"Allow","Action":"oss:GetObject","Resource":"*"}`), "oss:PutObject", "media/a", ImplicitDeny},
		{"the second of two documents only", both(`{"Effect":"Allow","Action":"oss:GetObject","Resource":"*"}`, `{"Effect":"Allow","Action":"*","Resource":"*"}`), "oss:PutObject", "media/a", ImplicitDeny},
		{"denied by the second of two documents", both(`{"Effect":"Allow","Action":"oss:GetObject","Resource":"*"}`, `{"Effect":"Deny","Action":"*","Resource":"*"}`), "oss:PutObject", "media/a", ExplicitDeny},
		{"a statement by itself, and an empty condition", `{"Version":"1","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{}}}`, "oss:GetObject", "media/a", Allowed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := Parse(tt.document)
			if err != nil {
				t.Fatal(err)
			}
			got := p.Decide(Access{Action: tt.action, Region: "cn-hangzhou", Account: "1000000000000000", Path: tt.path})
			if got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}

func TestPolicyIsRefused(t *testing.T) {
	tests := map[string]struct{ document, want string }{
		"no JSON":                      {`{`, "unexpected end"},
		"no object":                    {`[7]`, "cannot unmarshal"},
		"an empty list of documents":   {`[]`, "empty list"},
		"the second of two documents":  {`[` + statements(`{"Effect":"Allow","Action":"*","Resource":"*"}`) + `,{}]`, `Version is missing`},
		"no version":                   {`{"Statement":[]}`, `Version is missing, want "1"`},
		"another version":              {`{"Version":"2012-10-17","Statement":[]}`, `Version is "2012-10-17", want "1"`},
		"a version that is a number":   {`{"Version":1,"Statement":[]}`, `Version is 1, want "1"`},
		"no statement":                 {`{"Version":"1"}`, "Statement: missing"},
		"an empty list of statements":  {statements(), "Statement: empty list"},
		"an unknown element":           {`{"Version":"1","Statement":[],"Id":"x"}`, `unknown element "Id"`},
		"an element in another case":   {statements(`{"effect":"Allow","Action":"*","Resource":"*"}`), `statement 1: unknown element "effect"`},
		"a principal":                  {statements(`{"Effect":"Allow","Action":"*","Resource":"*","Principal":"*"}`), `unknown element "Principal"`},
		"no effect":                    {statements(`{"Action":"*","Resource":"*"}`), "Effect is missing"},
		"another effect":               {statements(`{"Effect":"allow","Action":"*","Resource":"*"}`), `Effect is "allow", want "Allow" or "Deny"`},
		"no action":                    {statements(`{"Effect":"Allow","Resource":"*"}`), "want one of Action and NotAction"},
		"two kinds of action":          {statements(`{"Effect":"Allow","Action":"*","NotAction":"oss:*","Resource":"*"}`), "want one of Action and NotAction"},
		"no resource":                  {statements(`{"Effect":"Allow","Action":"*"}`), "want one of Resource and NotResource"},
		"an action that is a number":   {statements(`{"Effect":"Allow","Action":[7],"Resource":"*"}`), "Action has 7, want strings"},
		"an action without a service":  {statements(`{"Effect":"Allow","Action":"PutObject","Resource":"*"}`), `action "PutObject" has no service`},
		"an empty list of actions":     {statements(`{"Effect":"Allow","Action":[],"Resource":"*"}`), "Action: empty list"},
		"a resource that is no name":   {statements(`{"Effect":"Allow","Action":"*","Resource":"media/*"}`), `resource is "media/*"`},
		"a resource with a part less":  {statements(`{"Effect":"Allow","Action":"*","Resource":"acs:oss:*:media/*"}`), `resource is "acs:oss:*:media/*"`},
		"a condition":                  {conditional, "osstest evaluates no Condition"},
		"the second of two statements": {statements(`{"Effect":"Allow","Action":"*","Resource":"*"}`, `{}`), "statement 2: element Effect"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Parse(tt.document)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want something with %q", err, tt.want)
			}
		})
	}
}

func TestWildcard(t *testing.T) {
	tests := []struct {
		pattern, s string
		want       bool
	}{
		{"", "", true},
		{"", "a", false},
		{"*", "", true},
		{"**", "abc", true},
		{"a*c", "abbc", true},
		{"a*c", "abcd", false},
		{"a*b*c", "a-b-b-c", true},
		{"*aab", "aaab", true},
		{"?", "", false},
		{"?", "é", true},
		{"??", "é", false},
		{"a?c*", "abc", true},
		{"a?c*", "a/c/d", true},
		{"[a]", "a", false},
	}
	for _, tt := range tests {
		if got := wildcard(tt.pattern, tt.s); got != tt.want {
			t.Errorf("wildcard(%q, %q) = %v", tt.pattern, tt.s, got)
		}
	}
	// Backtracking must not blow up.
	if wildcard(strings.Repeat("*a", 50)+"b", strings.Repeat("a", 5000)) {
		t.Error("matched")
	}
}
