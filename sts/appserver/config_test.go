package appserver_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/sts/appserver"
)

const (
	keyID  = "LTAI4FtestAccessKeyId"
	secret = "uGkAPxOPnnTestSecretOf30Chars0"
)

const goodConfig = `{
"AccessKeyID" : "` + keyID + `",
"AccessKeySecret" : "` + secret + `",
"RoleArn" : "acs:ram::1000000000000001:role/uploader",
"TokenExpireTime" : "900",
"PolicyFile": "policy/all_policy.txt"
}`

func noSecret(t *testing.T, what, text string) {
	t.Helper()
	if strings.Contains(text, secret) || strings.Contains(text, fmt.Sprintf("%x", secret)) {
		t.Errorf("%s shows the secret: %s", what, text)
	}
}

// wrongFields returns the names of the fields that err is about.
func wrongFields(err error) []string {
	var names []string
	var walk func(error)
	walk = func(err error) {
		if f, ok := err.(*appserver.FieldError); ok {
			names = append(names, f.Field)
			return
		}
		switch e := err.(type) {
		case interface{ Unwrap() []error }:
			for _, inner := range e.Unwrap() {
				walk(inner)
			}
		case interface{ Unwrap() error }:
			walk(e.Unwrap())
		}
	}
	walk(err)
	return names
}

func TestParseConfig(t *testing.T) {
	want := appserver.Config{
		AccessKeyID: keyID, AccessKeySecret: secret, RoleARN: "acs:ram::1000000000000001:role/uploader",
		TokenExpireTime: 900 * time.Second, PolicyFile: "policy/all_policy.txt",
	}
	more := want
	more.BucketName, more.ObjectPrefix, more.SessionName, more.STSEndpoint = "media", "in/", "alice", "sts.cn-hangzhou.aliyuncs.com"
	tests := []struct {
		name, text string
		want       appserver.Config
	}{
		{"documented keys", goodConfig, want},
		{"Node's spelling", strings.Replace(goodConfig, "AccessKeyID", "AccessKeyId", 1), want},
		{"time as a number", strings.Replace(goodConfig, `"900"`, `900`, 1), want},
		{"byte order mark", "\xef\xbb\xbf" + goodConfig, want},
		{"our own keys", strings.Replace(goodConfig, "{",
			`{"BucketName":"media","ObjectPrefix":"in/","SessionName":"alice","STSEndpoint":"sts.cn-hangzhou.aliyuncs.com",`, 1), more},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := appserver.ParseConfig([]byte(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			if *got != tt.want {
				t.Errorf("got %v (secret right: %t), want %v", got, got.AccessKeySecret == secret, tt.want)
			}
			if err := got.Validate(); err != nil {
				t.Errorf("Validate: %v", err)
			}
		})
	}
}

func TestParseConfigNamesWhatIsWrong(t *testing.T) {
	edit := func(old, new string) string { return strings.Replace(goodConfig, old, new, 1) }
	tests := []struct {
		name, text string
		fields     []string
		message    string
	}{
		{"misspelt key", edit("AccessKeySecret", "AccessKeySecert"), []string{"AccessKeySecert"}, "known are AccessKeyID, AccessKeySecret, RoleArn"},
		{"key in another case", edit("RoleArn", "rolearn"), []string{"rolearn"}, "not a known key"},
		{"repeated key", edit("{", `{"RoleArn":"x",`), []string{"RoleArn"}, "is there twice"},
		{"both spellings", edit("{", `{"AccessKeyId":"x",`), []string{"AccessKeyID"}, "first as AccessKeyId"},
		{"time in words", edit("900", "an hour"), []string{"TokenExpireTime"}, "is not a whole number of seconds; want 900 to 43200"},
		{"time with a fraction", edit(`"900"`, "900.5"), []string{"TokenExpireTime"}, "is neither text nor a whole number"},
		{"time of zero", edit("900", "0"), []string{"TokenExpireTime"}, "want 900 to 43200"},
		{"secret in the place of a key", edit(`"AccessKeySecret" :`, ""), nil, "want a value for (a key of 30 characters)"},
		{"null", edit(`"`+secret+`"`, "null"), []string{"AccessKeySecret"}, "is neither text nor a whole number"},
		{"object", edit(`"policy/all_policy.txt"`, "{}"), []string{"PolicyFile"}, "is neither text nor a whole number"},
		{"two at once", `{"A":1,"B":2}`, []string{"A", "B"}, ""},
		{"missing comma", edit(secret+`",`, secret+`"`), nil, "line 4, column"},
		{"secret without its quotation mark", edit(secret+`"`, secret), nil, "not valid JSON at line"},
		{"cut short", goodConfig[:len(goodConfig)-10], nil, "not valid JSON at line 6"},
		{"something after it", goodConfig + "x", nil, "want nothing after"},
		{"a list", "[]", nil, "want a JSON object"},
		{"empty", "", nil, "want a JSON object"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := appserver.ParseConfig([]byte(tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.message) {
				t.Fatalf("error = %v, want %q", err, tt.message)
			}
			if got := wrongFields(err); !slices.Equal(got, tt.fields) {
				t.Errorf("fields %q are wrong, want %q", got, tt.fields)
			}
			noSecret(t, "error", fmt.Sprintf("%v %+v %#v", err, err, err))
		})
	}
}

func TestNewNamesWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	tests := []struct {
		name    string
		edit    func(*appserver.Config)
		fields  []string
		message string
	}{
		{"nothing", func(*appserver.Config) {}, nil, ""},
		{"template as it is shipped", func(c *appserver.Config) {
			c.AccessKeyID, c.AccessKeySecret, c.RoleARN = "", "", ""
		}, []string{"AccessKeyID", "AccessKeySecret", "RoleArn"}, "is empty"},
		{"pasted with a line's end", func(c *appserver.Config) { c.AccessKeyID += "\n" }, []string{"AccessKeyID"}, "line break (U+000A) at its end"},
		{"secret with a space", func(c *appserver.Config) { c.AccessKeySecret += " " }, []string{"AccessKeySecret"}, "space (U+0020) at its end"},
		{"role's name alone", func(c *appserver.Config) { c.RoleARN = "uploader" }, []string{"RoleArn"}, `is "uploader"; want the form acs:ram::ACCOUNT:role/NAME`},
		{"time below", func(c *appserver.Config) { c.TokenExpireTime = 90 * time.Second }, []string{"TokenExpireTime"}, "is 90 seconds; want 900 to 43200"},
		{"time above", func(c *appserver.Config) { c.TokenExpireTime = 43201 * time.Second }, []string{"TokenExpireTime"}, "43201 seconds"},
		{"no policy", func(c *appserver.Config) { c.PolicyFile = "" }, []string{"PolicyFile"}, "policy/bucket_read_write_policy.txt"},
		{"policy that is nowhere", func(c *appserver.Config) { c.PolicyFile = "policy/my.txt" }, []string{"PolicyFile"}, "neither a file"},
		{"policy that is a directory", func(c *appserver.Config) { c.PolicyFile = "." }, []string{"PolicyFile"}, "cannot be read"},
		{"policy that is no JSON", func(c *appserver.Config) { c.PolicyFile = file("a", "oops") }, []string{"PolicyFile"}, "is not a JSON object"},
		{"policy without statements", func(c *appserver.Config) { c.PolicyFile = file("b", `{"Version":"1"}`) }, []string{"PolicyFile"}, "has no Statement"},
		{"policy of version 2", func(c *appserver.Config) { c.PolicyFile = file("c", `{"Version":"2","Statement":[{}]}`) }, []string{"PolicyFile"}, "Version"},
		{"policy with another placeholder", func(c *appserver.Config) {
			c.PolicyFile = file("d", `{"Version":"1","Statement":[{"Effect":"Allow","Resource":"$BUKET_NAME"}]}`)
		}, []string{"PolicyFile"}, "$BUKET_NAME"},
		{"policy that is too long", func(c *appserver.Config) {
			c.PolicyFile = file("e", `{"Version":"1","Statement":[{"Effect":"Allow","Resource":"`+strings.Repeat("x", 2048)+`"}]}`)
		}, []string{"PolicyFile"}, "at most 2048"},
		{"policy file that is huge", func(c *appserver.Config) { c.PolicyFile = file("f", strings.Repeat(" ", 70_000)) }, []string{"PolicyFile"}, "more than 65536 bytes"},
		{"policy that needs a bucket", func(c *appserver.Config) { c.PolicyFile = "policy/bucket_read_policy.txt" }, []string{"BucketName"}, "$BUCKET_NAME"},
		{"bucket's name", func(c *appserver.Config) { c.BucketName = "Media" }, []string{"BucketName"}, "a-z, 0-9 and hyphens"},
		{"prefix without a slash", func(c *appserver.Config) { c.ObjectPrefix = "in" }, []string{"ObjectPrefix", "ObjectPrefix"}, "slash at its end"},
		{"prefix for a policy that has no place for it", func(c *appserver.Config) { c.ObjectPrefix = "in/" }, []string{"ObjectPrefix"}, "cannot be narrowed"},
		{"session's name", func(c *appserver.Config) { c.SessionName = "a b" }, []string{"SessionName"}, "letters, digits"},
		{"endpoint", func(c *appserver.Config) { c.STSEndpoint = "https://a/b" }, []string{"STSEndpoint"}, "endpoint"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := appserver.ParseConfig([]byte(goodConfig))
			if err != nil {
				t.Fatal(err)
			}
			c.Dir = dir
			tt.edit(c)
			h, err := appserver.New(c, nil)
			if err == nil {
				h.Close()
			}
			if got := wrongFields(err); !slices.Equal(got, tt.fields) {
				t.Errorf("fields %q are wrong, want %q: %v", got, tt.fields, err)
			}
			if tt.message != "" && (err == nil || !strings.Contains(err.Error(), tt.message)) {
				t.Errorf("error = %v, want %q", err, tt.message)
			}
			noSecret(t, "error", fmt.Sprintf("%v %+v %#v", err, err, err))
		})
	}
}

func TestLoadConfig(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "config.json")
	if err := os.WriteFile(path, []byte(goodConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := appserver.LoadConfig(path)
	if err != nil || c.AccessKeyID != keyID || c.Dir != dir {
		t.Fatalf("got %v, %v", c, err)
	}
	if _, err := appserver.LoadConfig(filepath.Join(dir, "none.json")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	if err := os.WriteFile(path, []byte(`{"x":1}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := appserver.LoadConfig(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("error = %v, want the file's name in it", err)
	}
	if runtime.GOOS != "windows" && os.Getuid() != 0 {
		if err := os.Chmod(path, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := appserver.LoadConfig(path); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("unreadable file: %v", err)
		}
	}
}

func TestEnvironmentOverridesTheFile(t *testing.T) {
	c, err := appserver.ParseConfig([]byte(goodConfig))
	if err != nil {
		t.Fatal(err)
	}
	env := map[string]string{
		"ALIBABA_CLOUD_ACCESS_KEY_ID": "LTAIother", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "other",
		"ALIBABA_CLOUD_ROLE_ARN": "acs:ram::2:role/other", "ALIBABA_CLOUD_ROLE_SESSION_NAME": "bob",
		"VODUPLOAD_TOKEN_EXPIRE_TIME": "3600", "VODUPLOAD_POLICY_FILE": "policy/bucket_read_policy.txt",
		"VODUPLOAD_BUCKET_NAME": "media", "VODUPLOAD_OBJECT_PREFIX": "in/", "VODUPLOAD_STS_ENDPOINT": "sts.example.com",
	}
	lookup := func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	used, err := c.Override(lookup)
	if err != nil || len(used) != len(env) {
		t.Fatalf("used %q, %v; want all %d", used, err, len(env))
	}
	want := appserver.Config{
		AccessKeyID: "LTAIother", AccessKeySecret: "other", RoleARN: "acs:ram::2:role/other", TokenExpireTime: time.Hour,
		PolicyFile: "policy/bucket_read_policy.txt", BucketName: "media", ObjectPrefix: "in/", SessionName: "bob", STSEndpoint: "sts.example.com",
	}
	if *c != want {
		t.Errorf("got %v, want %v", c, want)
	}
	env = map[string]string{"VODUPLOAD_TOKEN_EXPIRE_TIME": "soon", "ALIBABA_CLOUD_ACCESS_KEY_ID": ""}
	used, err = c.Override(lookup)
	if len(used) != 0 || !slices.Equal(wrongFields(err), []string{"VODUPLOAD_TOKEN_EXPIRE_TIME"}) {
		t.Errorf("used %q, %v; want none and an error that names the variable", used, err)
	}
	if *c != want {
		t.Errorf("empty and wrong variables changed %v", c)
	}
}

func TestConfigPrintsNoSecret(t *testing.T) {
	c, err := appserver.ParseConfig([]byte(goodConfig))
	if err != nil {
		t.Fatal(err)
	}
	h, err := appserver.New(c, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
		noSecret(t, verb, fmt.Sprintf(verb+verb+verb+verb, *c, c, struct{ C *appserver.Config }{c}, h))
	}
	j, err := json.Marshal(struct{ C appserver.Config }{*c})
	if err != nil {
		t.Fatal(err)
	}
	noSecret(t, "JSON", string(j))
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("config", "c", c, "v", *c)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("config", "c", c, "v", []any{*c})
	noSecret(t, "log", log.String())
}

// Whatever the file has in it: a configuration or an error, and no secret in the
// error's text.
func FuzzConfig(f *testing.F) {
	for _, seed := range []string{
		goodConfig,
		strings.Replace(goodConfig, "AccessKeyID", "AccessKeyId", 1),
		strings.Replace(goodConfig, `"900"`, `900`, 1),
		`{"` + secret + `":1}`, `{"AccessKeySecret":"` + secret + `}`, `{"AccessKeySecret":` + secret + `}`, `{"AccessKeySecret":"` + secret + `","AccessKeySecret":1}`,
		`{"TokenExpireTime":1e3}`, `{"TokenExpireTime":-1}`, `{"x":[1,{}]}`, `{`, `{}`, `[]`, `null`, ``, "\xef\xbb\xbf{}", `{"RoleArn":"` + "\x00" + `"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := appserver.ParseConfig(data)
		if err != nil {
			noSecret(t, "error", err.Error())
			return
		}
		if err := c.Validate(); err == nil && (c.AccessKeyID == "" || c.RoleARN == "" || c.PolicyFile == "") {
			t.Errorf("valid without what is required: %v", c)
		}
		if c.AccessKeySecret == secret {
			noSecret(t, "Validate", fmt.Sprint(c.Validate(), c))
		}
	})
}
