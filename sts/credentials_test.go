package sts_test

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/sts"
)

const (
	testSecret = "wyLTSmsyPGP1ohvvw8xYgB29dlGI8K"
	testToken  = "CAESrAIIARKAAShQquMnLIlbvEcIxO6wCoqJufs8sWwieUxu45hS9AvKNEte8KRUWiJWJ6Y"
)

var testCredentials = sts.Credentials{
	AccessKeyID:     "STS.NTL4aBSCSJVMuKg5U1",
	AccessKeySecret: testSecret,
	SecurityToken:   testToken,
	Expiration:      time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC),
}

// noSecrets fails the test if text has a secret in it, in plain or in
// hexadecimal. The whole access key ID counts as one.
func noSecrets(t *testing.T, what, text string) {
	t.Helper()
	for _, s := range []string{testSecret, testToken, testCredentials.AccessKeyID} {
		for _, form := range []string{s, fmt.Sprintf("%x", s), fmt.Sprintf("%X", s), fmt.Sprintf("% x", s), fmt.Sprint([]byte(s))} {
			if strings.Contains(text, form) {
				t.Errorf("%s shows a secret: %s", what, text)
				return
			}
		}
	}
}

func TestCredentialsAreHiddenByFmt(t *testing.T) {
	type wrapper struct {
		Name  string
		Creds sts.Credentials
	}
	type pointers struct {
		Creds *sts.Credentials
	}
	c := testCredentials
	values := map[string]any{
		"value":              c,
		"pointer":            &c,
		"struct":             wrapper{"x", c},
		"pointer to struct":  &wrapper{"x", c},
		"struct of pointers": pointers{&c},
		"slice":              []sts.Credentials{c},
		"slice of pointers":  []*sts.Credentials{&c},
		"array":              [1]sts.Credentials{c},
		"map value":          map[string]sts.Credentials{"x": c},
		"map key":            map[sts.Credentials]int{c: 1},
		"interface":          []any{c, &c},
		"nil pointer":        (*sts.Credentials)(nil),
		"provider":           sts.Static(c),
	}
	verbs := []string{"%v", "%+v", "%#v", "%s", "%+s", "%#s", "%q", "%#q", "%x", "%X", "%#x", "% x", "%d", "%+d", "%b",
		"%o", "%O", "%c", "%U", "%e", "%f", "%g", "%t", "%T", "%z", "%10v", "%-10.3s", "%010d"}
	for name, value := range values {
		for _, verb := range verbs {
			noSecrets(t, name+" with "+verb, fmt.Sprintf(verb, value))
		}
		noSecrets(t, name+" with Sprint", fmt.Sprint(value)+fmt.Sprintln(value))
		format := strings.Clone("no verb") // hidden from the checks that would complain
		noSecrets(t, name+" as an extra argument", fmt.Sprintf(format, value))
	}
	if got, want := c.String(), "{STS.NTL4… token:true expires:2026-03-04T05:06:07Z}"; got != want {
		t.Errorf("String() = %q, want %q", got, want)
	}
	if got, want := fmt.Sprintf("%#v", c), "sts.Credentials"+c.String(); got != want {
		t.Errorf("%%#v = %q, want %q", got, want)
	}
}

func TestCredentialsAreHiddenInLogsAndJSON(t *testing.T) {
	c := testCredentials
	values := map[string]any{"value": c, "pointer": &c, "slice": []sts.Credentials{c}, "struct": struct{ C sts.Credentials }{c}}
	for name, value := range values {
		var b bytes.Buffer
		slog.New(slog.NewTextHandler(&b, nil)).Info("got "+name, "c", value)
		slog.New(slog.NewJSONHandler(&b, nil)).With("with", value).Info("got "+name, slog.Group("g", "c", value))
		noSecrets(t, "slog of "+name, b.String())
		j, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		noSecrets(t, "JSON of "+name, string(j))
	}
	x, err := xml.Marshal(&c)
	if err != nil {
		t.Fatal(err)
	}
	noSecrets(t, "XML", string(x))
	j, err := json.Marshal(map[sts.Credentials]int{c: 1})
	if err != nil {
		t.Fatal(err)
	}
	noSecrets(t, "JSON of a map's key", string(j))
	j, err = json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"accessKeyId":"STS.NTL4…","token":true,"expires":"2026-03-04T05:06:07Z"}`; string(j) != want {
		t.Errorf("JSON = %s, want %s", j, want)
	}
	var back sts.Credentials
	if err := json.Unmarshal(j, &back); err != nil || !errors.Is(back.Validate(), sts.ErrInvalidCredentials) {
		t.Errorf("decoded from the log's JSON: %v, %v; want credentials that are not valid", back, err)
	}
}

func TestCredentialsAreHiddenInErrors(t *testing.T) {
	c := testCredentials
	c.AccessKeyID = ""
	noSecrets(t, "error of Validate", fmt.Sprintf("%v %+v %#v", c.Validate(), c.Validate(), c.Validate()))
	err := fmt.Errorf("sign with %v: %w", testCredentials, errors.New("no"))
	noSecrets(t, "error that has credentials in it", fmt.Sprintf("%v %#v", err, err))
}

func TestCredentialsState(t *testing.T) {
	long := sts.Credentials{AccessKeyID: "LTAI", AccessKeySecret: "x"}
	unknown := sts.Credentials{AccessKeyID: "STS.x", AccessKeySecret: "x", SecurityToken: "x"}
	tests := []struct {
		name      string
		c         sts.Credentials
		temporary bool
		valid     bool
		text      string
	}{
		{"token", testCredentials, true, true, "{STS.NTL4… token:true expires:2026-03-04T05:06:07Z}"},
		{"token of unknown life", unknown, true, true, "{STS.x token:true expires:unknown}"},
		{"long-lived key", long, false, true, "{LTAI token:false expires:never}"},
		{"no ID", sts.Credentials{AccessKeySecret: "x"}, false, false, "{ token:false expires:never}"},
		{"no secret", sts.Credentials{AccessKeyID: "LTAI"}, false, false, "{LTAI token:false expires:never}"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.c.Temporary(); got != tt.temporary {
				t.Errorf("Temporary() = %t, want %t", got, tt.temporary)
			}
			if err := tt.c.Validate(); (err == nil) != tt.valid || err != nil && !errors.Is(err, sts.ErrInvalidCredentials) {
				t.Errorf("Validate() = %v, want valid: %t", err, tt.valid)
			}
			if got := tt.c.String(); got != tt.text {
				t.Errorf("String() = %q, want %q", got, tt.text)
			}
		})
	}
}

func TestStatic(t *testing.T) {
	if c, err := sts.Static(testCredentials).Credentials(t.Context()); err != nil || c != testCredentials {
		t.Errorf("Credentials = %v, %v; want those given", c, err)
	}
	if _, err := sts.Static(sts.Credentials{}).Credentials(t.Context()); !errors.Is(err, sts.ErrInvalidCredentials) {
		t.Errorf("error = %v, want ErrInvalidCredentials", err)
	}
}

// What comes along with a key from a file, a form or a shell is named, and nothing of
// the value is shown.
func TestValidateNamesFieldAndCharacter(t *testing.T) {
	for name, c := range map[string]struct {
		change func(c *sts.Credentials)
		want   string
	}{
		"line break after the ID":     {func(c *sts.Credentials) { c.AccessKeyID += "\n" }, "AccessKeyID has a line break (U+000A) at its end"},
		"line break after the secret": {func(c *sts.Credentials) { c.AccessKeySecret += "\r\n" }, "AccessKeySecret has a carriage return (U+000D) at byte 31 of 32"},
		"space after the token":       {func(c *sts.Credentials) { c.SecurityToken += " " }, "SecurityToken has a space (U+0020) at its end"},
		"byte order mark":             {func(c *sts.Credentials) { c.AccessKeyID = "\ufeff" + c.AccessKeyID }, "AccessKeyID has a byte order mark (U+FEFF) at its beginning"},
		"quotation marks":             {func(c *sts.Credentials) { c.AccessKeySecret = `"` + c.AccessKeySecret + `"` }, "AccessKeySecret has a quotation mark (U+0022) at its beginning"},
		"zero byte":                   {func(c *sts.Credentials) { c.SecurityToken += "\x00" }, "SecurityToken has a control character (U+0000) at its end"},
		"temporary without a token":   {func(c *sts.Credentials) { c.SecurityToken = "" }, "SecurityToken is empty, and AccessKeyID begins with \"STS.\", as those of temporary keys do"},
		"no ID":                       {func(c *sts.Credentials) { c.AccessKeyID = "" }, "AccessKeyID is empty"},
		"no secret":                   {func(c *sts.Credentials) { c.AccessKeySecret = "" }, "AccessKeySecret is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			creds := testCredentials
			c.change(&creds)
			err := creds.Validate()
			if !errors.Is(err, sts.ErrInvalidCredentials) || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want ErrInvalidCredentials that says %q", err, c.want)
			}
			noSecrets(t, "the error", err.Error())
			_, err = sts.Static(creds).Credentials(t.Context())
			if !errors.Is(err, sts.ErrInvalidCredentials) {
				t.Errorf("Static: got %v", err)
			}
			text, _ := json.Marshal(map[string]string{"AccessKeyId": creds.AccessKeyID, "AccessKeySecret": creds.AccessKeySecret, "SecurityToken": creds.SecurityToken})
			// White space around a value is not read at all.
			if got, err := sts.ParseCredentials(text, time.Now()); err == nil && got.Validate() != nil || err != nil && !errors.Is(err, sts.ErrInvalidCredentials) {
				t.Errorf("ParseCredentials: got %v", err)
			}
			cache, err := sts.NewCache(sts.ProviderFunc(func(context.Context) (sts.Credentials, error) { return creds, nil }), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer cache.Close()
			if _, err := cache.Credentials(t.Context()); !errors.Is(err, sts.ErrInvalidCredentials) {
				t.Errorf("Cache: got %v", err)
			}
		})
	}
	if err := testCredentials.Validate(); err != nil {
		t.Error(err)
	}
}
