package appserver

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vodupload/vodupload/sts/internal/role"
)

func builtInTemplate(t *testing.T, name string) *template {
	t.Helper()
	data, _, err := loadPolicy(t.TempDir(), name)
	if err != nil {
		t.Fatal(err)
	}
	p, err := parseTemplate(data)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestBuiltInPolicies(t *testing.T) {
	const (
		all       = `{"Statement":[{"Action":["oss:*"],"Effect":"Allow","Resource":["acs:oss:*:*:*"]}],"Version":"1"}`
		listMedia = `{"Action":["oss:ListObjects"],"Effect":"Allow","Resource":["acs:oss:*:*:media"]}`
		write     = `{"Action":["oss:GetObject","oss:PutObject","oss:DeleteObject","oss:ListParts","oss:AbortMultipartUpload"],"Effect":"Allow","Resource":["acs:oss:*:*:media/`
		read      = `{"Action":["oss:GetObject"],"Effect":"Allow","Resource":["acs:oss:*:*:media/`
	)
	tests := []struct{ name, file, prefix, want string }{
		{"all", "policy/all_policy.txt", "", all},
		{"read a bucket", "policy/bucket_read_policy.txt", "", `{"Statement":[` + read + `*"]},` + listMedia + `],"Version":"1"}`},
		{"write a bucket", "policy/bucket_read_write_policy.txt", "", `{"Statement":[` + write + `*"]},` + listMedia + `],"Version":"1"}`},
		{"read a prefix, and list nothing", "policy/bucket_read_policy.txt", "in/alice/", `{"Statement":[` + read + `in/alice/*"]}],"Version":"1"}`},
		{"write a prefix, and list nothing", "bucket_read_write_policy.txt", "in/alice/", `{"Statement":[` + write + `in/alice/*"]}],"Version":"1"}`},
		{"Windows path", `policy\all_policy.txt`, "", all},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if strings.Contains(tt.file, `\`) && filepath.Separator != '\\' {
				t.Skip("a backslash separates nothing here")
			}
			got, err := builtInTemplate(t, tt.file).fill("media", tt.prefix)
			if err != nil || got != tt.want {
				t.Errorf("got %s, %v\nwant %s", got, err, tt.want)
			}
			if len(got) > role.MaxPolicy {
				t.Errorf("%d characters", len(got))
			}
		})
	}
	if _, err := builtInTemplate(t, "policy/all_policy.txt").fill("media", "in/"); !errors.Is(err, errNotNarrowable) {
		t.Errorf("narrowing all_policy: %v, want an error", err)
	}
}

func TestFileOnDiskBeatsTheBuiltInOne(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "policy"), 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "policy", "all_policy.txt")
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"policy/all_policy.txt", path} {
		if got, _, err := loadPolicy(dir, name); err != nil || string(got) != "mine" {
			t.Errorf("%s: got %q, %v; want the file on disk", name, got, err)
		}
	}
}

func TestOnlyDocumentedNamesAreBuiltIn(t *testing.T) {
	dir := t.TempDir()
	for name, good := range map[string]bool{
		"policy/all_policy.txt": true, "all_policy.txt": true, "./policy/all_policy.txt": true,
		"polcy/all_policy.txt": false, "policy/mine/all_policy.txt": false, "../policy/all_policy.txt": false,
		filepath.Join(dir, "all_policy.txt"): false, filepath.Join(dir, "policy", "all_policy.txt"): false,
	} {
		_, from, err := loadPolicy(dir, name)
		if (err == nil) != good || good && from != "built in" || !good && !strings.Contains(err.Error(), "neither a file") {
			t.Errorf("%s: from %q, error %v; want good: %t", name, from, err, good)
		}
	}
}

func TestNarrowing(t *testing.T) {
	const (
		inside  = `"acs:oss:*:*:$BUCKET_NAME/$OBJECT_PREFIX*"`
		outside = `"acs:oss:*:*:$BUCKET_NAME/shared/*"`
		bucket  = `"acs:oss:*:*:$BUCKET_NAME"`
	)
	tests := []struct {
		name, statement string
		keeps           []string // parts of the policy that stay
		drops           []string
	}{
		{"a resource beside it is dropped", `{"Effect":"Allow","Action":"oss:GetObject","Resource":[` + inside + `,` + outside + `]}`, []string{"media/in/*"}, []string{"shared"}},
		{"all statements of a prefix in the action only are dropped",
			`{"Effect":"Allow","Action":"oss:GetObject","Resource":` + inside + `},{"Effect":"Allow","Action":["oss:PutObject","$OBJECT_PREFIX"],"Resource":"*"}`,
			[]string{"GetObject"}, []string{"PutObject"}},
		{"listing below the prefix stays", `{"Effect":"Allow","Action":"oss:ListObjects","Resource":` + bucket + `,"Condition":{"StringLike":{"oss:Prefix":["$OBJECT_PREFIX*"]}}}`, []string{"ListObjects"}, nil},
		{"a condition with another prefix beside it", `{"Effect":"Allow","Action":"oss:GetObject","Resource":` + inside + `},{"Effect":"Allow","Action":"oss:ListObjects","Resource":` + bucket + `,"Condition":{"StringLike":{"oss:Prefix":["$OBJECT_PREFIX*","shared/*"]}}}`,
			[]string{"GetObject"}, []string{"ListObjects", "shared"}},
		{"a condition that is none for reading", `{"Effect":"Allow","Action":"oss:GetObject","Resource":` + inside + `},{"Effect":"Allow","Action":["oss:ListObjects","oss:PutObject"],"Resource":"*","Condition":{"StringLike":{"oss:Prefix":"$OBJECT_PREFIX*"}}}`,
			[]string{"GetObject"}, []string{"PutObject"}},
		{"a negated condition", `{"Effect":"Allow","Action":"oss:GetObject","Resource":` + inside + `},{"Effect":"Allow","Action":"oss:ListObjects","Resource":` + bucket + `,"Condition":{"StringNotLike":{"oss:Prefix":"$OBJECT_PREFIX*"}}}`,
			[]string{"GetObject"}, []string{"ListObjects"}},
		{"Deny stays whole", `{"Effect":"Allow","Action":"oss:GetObject","Resource":` + inside + `},{"Effect":"Deny","Action":"oss:DeleteObject","NotResource":[` + outside + `]}`, []string{"DeleteObject", "shared"}, nil},
		{"NotResource is refused", `{"Effect":"Allow","Action":"oss:GetObject","Resource":` + inside + `},{"Effect":"Allow","Action":"oss:PutObject","NotResource":` + inside + `}`, nil, nil},
		{"nothing below the prefix is refused", `{"Effect":"Allow","Action":["oss:GetObject","$OBJECT_PREFIX"],"Resource":` + outside + `}`, nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := parseTemplate([]byte(`{"Version":"1","Statement":[` + tt.statement + `]}`))
			if err != nil {
				t.Fatal(err)
			}
			got, err := p.fill("media", "in/")
			if len(tt.keeps) == 0 {
				if !errors.Is(err, errNotNarrowable) {
					t.Errorf("got %s, %v; want errNotNarrowable", got, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, part := range tt.keeps {
				if !strings.Contains(got, part) {
					t.Errorf("%s is missing in %s", part, got)
				}
			}
			for _, part := range tt.drops {
				if strings.Contains(got, part) {
					t.Errorf("%s is left in %s", part, got)
				}
			}
			whole, err := p.fill("media", "")
			if err != nil || strings.Count(whole, "Effect") != strings.Count(tt.statement, "Effect") {
				t.Errorf("without a prefix: %s, %v; want all of it", whole, err)
			}
		})
	}
}

func TestFillKeepsWithinThePrefix(t *testing.T) {
	p, err := parseTemplate([]byte(`{"Version":"1","Statement":[
		{"Effect":"Allow","Action":"oss:PutObject","Resource":["acs:oss:*:*:$BUCKET_NAME/$OBJECT_PREFIX*"]},
		{"Effect":"Allow","Action":"oss:ListObjects","Resource":"acs:oss:*:*:$BUCKET_NAME","Condition":{"StringLike":{"oss:Prefix":"$OBJECT_PREFIX*"}}},
		{"Effect":"Allow","Action":"oss:GetBucketInfo","Resource":"acs:oss:*:*:$BUCKET_NAME"},
		{"Effect":"Deny","Action":"oss:DeleteObject","Resource":"*"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.fill("media", "a&<b>/")
	if err != nil {
		t.Fatal(err)
	}
	var out struct{ Statement []map[string]any }
	if err := json.Unmarshal([]byte(got), &out); err != nil {
		t.Fatal(err)
	}
	if len(out.Statement) != 3 || strings.Contains(got, "GetBucketInfo") || !strings.Contains(got, `"Deny"`) ||
		!strings.Contains(got, `acs:oss:*:*:media/a&<b>/*`) || !strings.Contains(got, `"oss:Prefix":"a&<b>/*"`) {
		t.Errorf("got %s", got)
	}
	if _, err := p.fill("", "a/"); err == nil || !strings.Contains(err.Error(), "no bucket") {
		t.Errorf("without a bucket: %v", err)
	}
	again, err := p.fill("media", "a&<b>/")
	if err != nil || again != got {
		t.Errorf("filled again: %s, %v; want the same", again, err)
	}
}

func TestValidatePrefix(t *testing.T) {
	for prefix, ok := range map[string]bool{
		"": true, "in/": true, "in/ü/日本/": true, "a b/": true,
		"in": false, "/in/": false, `\in/`: false, "*/": false, "in/?/": false, "$OBJECT_PREFIX/": false, "a\"/": false,
		"a\n/": false, "a\xff/": false, "/": false,
	} {
		if err := validatePrefix(prefix); (err == nil) != ok {
			t.Errorf("validatePrefix(%q) = %v, want good: %t", prefix, err, ok)
		}
	}
}

func TestSessionName(t *testing.T) {
	seen := map[string]string{}
	for _, name := range []string{"alice", "alice@example.com", "a", "", "a b", "a_b", "a/b", "ü", "日本", strings.Repeat("x", 64),
		strings.Repeat("x", 65), strings.Repeat("x", 66), strings.Repeat("ü", 100), "user:17", "user;17"} {
		got := sessionName(name)
		if err := role.ValidateSessionName(got); err != nil {
			t.Errorf("%q: %v", name, err)
		}
		if first, ok := seen[got]; ok {
			t.Errorf("%q and %q have the same session name %q", first, name, got)
		}
		seen[got] = name
	}
	if got := sessionName("alice@example.com"); got != "alice@example.com" {
		t.Errorf("a valid name became %q", got)
	}
}
