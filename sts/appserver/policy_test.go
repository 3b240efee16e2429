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

// What a policy of the operator's own must not allow, whatever the prefix.
func TestMisplacedPrefixIsRefused(t *testing.T) {
	tests := []struct{ name, resource, text string }{
		{"any bucket", `"acs:oss:*:*:*/$OBJECT_PREFIX*"`, "not one bucket's name"},
		{"a wildcard in the bucket", `"acs:oss:*:*:media*/$OBJECT_PREFIX*"`, "not one bucket's name"},
		{"a question mark in the bucket", `"acs:oss:*:*:medi?/$OBJECT_PREFIX*"`, "not one bucket's name"},
		{"a wildcard before it", `"acs:oss:*:*:$BUCKET_NAME/*/$OBJECT_PREFIX*"`, "does not begin the object's name"},
		{"a wildcard right before it", `"acs:oss:*:*:$BUCKET_NAME/*$OBJECT_PREFIX*"`, "does not begin the object's name"},
		{"a question mark before it", `"acs:oss:*:*:$BUCKET_NAME/?$OBJECT_PREFIX*"`, "does not begin the object's name"},
		{"a name before it", `"acs:oss:*:*:$BUCKET_NAME/in/$OBJECT_PREFIX*"`, "does not begin the object's name"},
		{"only later in the name", `"acs:oss:*:*:$BUCKET_NAME/*/x/$OBJECT_PREFIX"`, "does not begin the object's name"},
		{"in the bucket's place", `"acs:oss:*:*:$OBJECT_PREFIX*"`, "not one bucket's name"},
		{"in the account's place", `"acs:oss:*:$OBJECT_PREFIX:$BUCKET_NAME/$OBJECT_PREFIX*"`, "REGION:ACCOUNT"},
		{"nothing before it", `"*/$OBJECT_PREFIX*"`, "REGION:ACCOUNT"},
		{"another service", `"acs:*:*:*:$BUCKET_NAME/$OBJECT_PREFIX*"`, "REGION:ACCOUNT"},
		{"a slash behind it", `"acs:oss:*:*:$BUCKET_NAME/$OBJECT_PREFIX/*"`, "a slash follows"},
		{"written with an escape", `"acs:oss:*:*:*/\u0024OBJECT_PREFIX*"`, "not one bucket's name"},
		{"beside a good one", `["acs:oss:*:*:$BUCKET_NAME/$OBJECT_PREFIX*","acs:oss:*:*:*/$OBJECT_PREFIX*"]`, "not one bucket's name"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			good := `{"Effect":"Allow","Action":"oss:GetObject","Resource":"acs:oss:*:*:$BUCKET_NAME/$OBJECT_PREFIX*"},`
			_, err := parseTemplate([]byte(`{"Version":"1","Statement":[` + good + `{"Effect":"Allow","Action":"oss:PutObject","Resource":` + tt.resource + `}]}`))
			if err == nil || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error = %v, want %q", err, tt.text)
			}
			if _, err := parseTemplate([]byte(`{"Version":"1","Statement":[` + good + `{"Effect":"Deny","Action":"oss:PutObject","Resource":` + tt.resource + `}]}`)); err != nil {
				t.Errorf("Deny: %v, want it as it is", err)
			}
		})
	}
	for name, text := range map[string]string{
		"resource in another case":      `{"Version":"1","Statement":[{"Effect":"Allow","Action":"oss:GetObject","Resource":"acs:oss:*:*:$BUCKET_NAME/$OBJECT_PREFIX*","resource":"*"}]}`,
		"statement in another case":     `{"Version":"1","Statement":[{"Effect":"Allow"}],"statement":[]}`,
		"Deny in another case":          `{"Version":"1","Statement":[{"Effect":"Allow"},{"Effect":"deny","Action":"*","Resource":"*"}]}`,
		"Deny with white space":         `{"Version":"1","Statement":[{"Effect":"Allow"},{"Effect":"Deny ","Action":"*","Resource":"*"}]}`,
		"no Effect":                     `{"Version":"1","Statement":[{"Action":"*","Resource":"*"}]}`,
		"Effect that is no text":        `{"Version":"1","Statement":[{"Effect":["Allow"],"Action":"*","Resource":"*"}]}`,
		"statement that is no object":   `{"Version":"1","Statement":["*"]}`,
		"placeholder that nobody knows": `{"Version":"1","Statement":[{"Effect":"Allow","Resource":"\u0024OTHER"}]}`,
	} {
		if _, err := parseTemplate([]byte(text)); err == nil {
			t.Errorf("%s: want an error", name)
		}
	}
	t.Run("a condition twice, in different cases", func(t *testing.T) {
		p, err := parseTemplate([]byte(`{"Version":"1","Statement":[{"Effect":"Allow","Action":"oss:ListObjects","Resource":"acs:oss:*:*:$BUCKET_NAME",` +
			`"Condition":{"StringLike":{"oss:Prefix":"$OBJECT_PREFIX*","oss:prefix":"*"}}}]}`))
		if err != nil {
			t.Fatal(err)
		}
		for range 20 { // in whatever order the map is
			if got, err := p.fill("media", "in/"); !errors.Is(err, errNotNarrowable) {
				t.Errorf("got %s, %v", got, err)
			}
		}
	})
	t.Run("a list of all buckets", func(t *testing.T) {
		for _, resource := range []string{`"*"`, `"acs:oss:*:*:*"`, `"acs:oss:*:*:medi?"`, `"acs:oss:*:*:$BUCKET_NAME/*"`} {
			p, err := parseTemplate([]byte(`{"Version":"1","Statement":[{"Effect":"Allow","Action":"oss:List*","Resource":` + resource +
				`,"Condition":{"StringLike":{"oss:Prefix":"$OBJECT_PREFIX*"}}}]}`))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := p.fill("media", "in/"); !errors.Is(err, errNotNarrowable) {
				t.Errorf("%s: got %s, %v", resource, got, err)
			}
		}
	})
}

// Whatever the policy: what is filled in with a prefix allows nothing elsewhere.
func FuzzPolicy(f *testing.F) {
	for _, name := range builtIn() {
		data, err := embedded.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"Version":"1","Statement":{"Effect":"Allow","Action":"oss:List*","Resource":["acs:oss:*:*:b-b","*"],"Condition":{"StringLike":{"oss:prefix":"$OBJECT_PREFIX*"}}}}`))
	f.Add([]byte(`{"Version":"1","Statement":[{"Effect":"Allow","Resource":"acs:oss:*:*:*/$OBJECT_PREFIX*"},{"Effect":"Deny","NotResource":"$OBJECT_PREFIX"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := parseTemplate(data)
		if err != nil {
			return
		}
		text, err := p.fill("media", "users/alice/")
		if err != nil {
			return
		}
		var out struct{ Statement []map[string]any }
		if err := json.Unmarshal([]byte(text), &out); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		for _, s := range out.Statement {
			if s["Effect"] == "Deny" {
				continue
			}
			for _, r := range texts(s["Resource"]) {
				resource, _ := r.(string)
				bucket, object, ok := splitResource(resource)
				if !ok || !bucketForm.MatchString(bucket) || object != "" && !strings.HasPrefix(object, "users/alice/") {
					t.Errorf("allows %q", resource)
				}
			}
		}
	})
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
		"a\n/": false, "a\xff/": false, "/": false, "a\u200b/": false, "a\u202e/": false,
		"a/../": false, "../": false, "./": false, "a/./b/": false, "a//": false, "a//b/": false, "a..b/": true, "Alice/": true,
		"wyLTSmsyPGP1ohvvw8xYgB29dlGI8K": false,
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
