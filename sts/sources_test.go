package sts_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/sts/ststest"
)

// noEnvironment takes everything away that sources of credentials read, and sets vars.
// It returns the home folder.
func noEnvironment(t *testing.T, vars map[string]string) string {
	t.Helper()
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		if strings.HasPrefix(name, "ALIBABA_CLOUD_") {
			t.Setenv(name, "")
		}
	}
	home := t.TempDir()
	for name, value := range map[string]string{"HOME": home, "HOMEDRIVE": "", "HOMEPATH": "", "USERPROFILE": home} {
		t.Setenv(name, value)
	}
	for name, value := range vars {
		t.Setenv(name, value)
	}
	return home
}

// nowhere are options with which no test, however wrong it goes, asks a metadata service
// beyond this machine.
func nowhere() *sts.DefaultOptions {
	return &sts.DefaultOptions{ECSRole: &sts.ECSRoleOptions{Endpoint: "http://127.0.0.1:1"}}
}

// fakeSTS starts an STS that the other fakes get their credentials from.
func fakeSTS(t *testing.T, opts *ststest.Options) *ststest.Server {
	t.Helper()
	s := ststest.NewServer(opts)
	t.Cleanup(s.Close)
	return s
}

func metadata(t *testing.T, s *ststest.Server, opts *ststest.MetadataOptions) *ststest.Metadata {
	t.Helper()
	m := ststest.NewMetadata(s, opts)
	t.Cleanup(m.Close)
	return m
}

// get returns the credentials of p, which s must have issued.
func get(t *testing.T, s *ststest.Server, p sts.Provider) ststest.Credential {
	t.Helper()
	creds, err := p.Credentials(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c, ok := s.Lookup(creds.AccessKeyID, creds.SecurityToken)
	if !ok || c.AccessKeySecret != creds.AccessKeySecret {
		t.Fatalf("%v is not what was issued", creds)
	}
	if creds.Temporary() && !creds.Expiration.Equal(c.Expires) {
		t.Errorf("Expiration is %v, want %v", creds.Expiration, c.Expires)
	}
	return c
}

// refuse returns the error of p, whose text must have all of want, no secret, and one
// line.
func refuse(t *testing.T, p sts.Provider, want ...string) error {
	t.Helper()
	creds, err := p.Credentials(t.Context())
	if err == nil {
		t.Fatalf("got %v, want an error with %q", creds, want)
	}
	if creds != (sts.Credentials{}) {
		t.Errorf("credentials beside the error: %v", creds)
	}
	readable(t, err, want...)
	return err
}

// Secrets of the tests: whatever has one of these in it is no text for a log.
const (
	aKey    = "LTAI5tSourceTestKey0"
	aSecret = "SecretOfTheSourceTests00000000"
	aToken  = "CAISTokenOfTheSourceTests+/00000000000000=="
)

func readable(t *testing.T, err error, want ...string) {
	t.Helper()
	text := err.Error()
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("error = %q, want %q in it", text, w)
		}
	}
	for _, secret := range []string{aSecret, aToken} {
		if strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), secret) {
			t.Errorf("the error has a secret in it: %q", text)
		}
	}
	if strings.ContainsAny(text, "\n\r") || strings.Count(text, "sts: ") != 1 {
		t.Errorf("the error is not one line with one prefix: %q", text)
	}
}

func writeFile(t *testing.T, file, content string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// No provider prints a secret, whatever prints it.
func TestProvidersPrintNoSecret(t *testing.T) {
	home := noEnvironment(t, map[string]string{"ALIBABA_CLOUD_ACCESS_KEY_ID": aKey, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": aSecret,
		"ALIBABA_CLOUD_SECURITY_TOKEN": aToken})
	writeFile(t, filepath.Join(home, ".aliyun", "config.json"),
		`{"current":"a","profiles":[{"name":"a","mode":"StsToken","access_key_id":"`+aKey+`","access_key_secret":"`+aSecret+`","sts_token":"`+aToken+`"}]}`)
	s := fakeSTS(t, nil)
	m := metadata(t, s, nil)
	must := func(p sts.Provider, err error) sts.Provider {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	ecs, err := sts.NewECSRole(&sts.ECSRoleOptions{Endpoint: m.URL})
	process, err2 := sts.NewProcess([]string{"/bin/helper", "--secret", aSecret}, nil)
	uri, err3 := sts.NewURI("https://user:"+aSecret+"@127.0.0.1:1/path?token="+aToken, nil)
	profile, err4 := sts.NewProfile("", "", nil)
	if err := errors.Join(err, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
	found := sts.Default(nowhere())
	cache, err := sts.NewCache(found, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer cache.Close()
	all := []any{ecs, process, uri, profile, found, cache, sts.Env(), m,
		must(sts.NewAssumeRole(sts.Env(), ststest.DefaultRole, nil))}
	for _, p := range all {
		if provider, ok := p.(sts.Provider); ok && p != any(process) && p != any(uri) {
			_, _ = provider.Credentials(t.Context()) // so that there is something to print
		}
		texts := []string{}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%X"} {
			texts = append(texts, fmt.Sprintf(verb+verb, p, []any{p}))
		}
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "p", p)
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "p", p)
		_ = json.NewEncoder(&log).Encode(p)
		_ = xml.NewEncoder(&log).Encode(p)
		_ = gob.NewEncoder(&log).Encode(p)
		texts = append(texts, log.String())
		for _, text := range texts {
			for _, secret := range []string{aSecret, aToken, fmt.Sprintf("%x", aSecret), fmt.Sprintf("%X", aSecret)} {
				if strings.Contains(text, secret) {
					t.Errorf("%T prints a secret: %s", p, text)
				}
			}
		}
	}
}

func TestEnv(t *testing.T) {
	key := map[string]string{"ALIBABA_CLOUD_ACCESS_KEY_ID": aKey, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": aSecret}
	t.Run("a key", func(t *testing.T) {
		noEnvironment(t, key)
		c, err := sts.Env().Credentials(t.Context())
		if err != nil || c != (sts.Credentials{AccessKeyID: aKey, AccessKeySecret: aSecret}) {
			t.Errorf("got %v, %v", c, err)
		}
	})
	t.Run("a token, read again each time, without white space around it", func(t *testing.T) {
		noEnvironment(t, key)
		env := sts.Env()
		t.Setenv("ALIBABA_CLOUD_SECURITY_TOKEN", " "+aToken+"\n")
		c, err := env.Credentials(t.Context())
		if err != nil || c.SecurityToken != aToken || !c.Expiration.IsZero() {
			t.Errorf("got %v, %v", c, err)
		}
	})
	t.Run("a token that was refused is not given again", func(t *testing.T) {
		noEnvironment(t, key)
		t.Setenv("ALIBABA_CLOUD_SECURITY_TOKEN", aToken)
		d := sts.Default(nowhere())
		d.Invalidate(sts.Credentials{SecurityToken: aToken}) // of no source yet
		c, err := d.Credentials(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		d.Invalidate(sts.Credentials{AccessKeyID: "other", AccessKeySecret: "other", SecurityToken: "other"})
		if again, err := d.Credentials(t.Context()); err != nil || again != c {
			t.Fatalf("got %v, %v after another token was refused", again, err)
		}
		d.Invalidate(c)
		if err := refuse(t, d, "the server refused the token in ALIBABA_CLOUD_SECURITY_TOKEN"); !errors.Is(err, sts.ErrInvalidCredentials) {
			t.Errorf("error = %v, want ErrInvalidCredentials", err)
		}
		t.Setenv("ALIBABA_CLOUD_SECURITY_TOKEN", "CAISanother")
		if c, err := d.Credentials(t.Context()); err != nil || c.SecurityToken != "CAISanother" {
			t.Errorf("got %v, %v after the variable changed", c, err)
		}
	})
	t.Run("nothing", func(t *testing.T) {
		noEnvironment(t, nil)
		err := refuse(t, sts.Env(), "ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "not set")
		if !errors.Is(err, sts.ErrInvalidCredentials) {
			t.Errorf("error = %v, want ErrInvalidCredentials", err)
		}
	})
	for _, half := range []struct {
		set     map[string]string
		missing string
	}{
		{map[string]string{"ALIBABA_CLOUD_ACCESS_KEY_ID": aKey}, "not ALIBABA_CLOUD_ACCESS_KEY_SECRET"},
		{map[string]string{"ALIBABA_CLOUD_ACCESS_KEY_SECRET": aSecret}, "not ALIBABA_CLOUD_ACCESS_KEY_ID"},
		{map[string]string{"ALIBABA_CLOUD_SECURITY_TOKEN": aToken}, "not ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET"},
	} {
		t.Run("half: "+half.missing, func(t *testing.T) {
			noEnvironment(t, half.set)
			refuse(t, sts.Env(), half.missing)
			refuse(t, sts.Default(nowhere()), half.missing)
		})
	}
	t.Run("a role that the key assumes", func(t *testing.T) {
		s := fakeSTS(t, &ststest.Options{Roles: []ststest.Role{{ARN: ststest.DefaultRole, ExternalID: "partner-7"}}})
		user := s.DefaultUser()
		noEnvironment(t, map[string]string{"ALIBABA_CLOUD_ACCESS_KEY_ID": user.AccessKeyID, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": user.AccessKeySecret,
			"ALIBABA_CLOUD_ROLE_ARN": ststest.DefaultRole, "ALIBABA_CLOUD_ROLE_SESSION_NAME": "build-7", "ALIBABA_CLOUD_EXTERNAL_ID": "partner-7",
			"ALIBABA_CLOUD_STS_ENDPOINT": s.URL})
		if c := get(t, s, sts.Env()); c.Session != "build-7" || c.RoleARN != ststest.DefaultRole {
			t.Errorf("got %v", c)
		}
		t.Setenv("ALIBABA_CLOUD_ROLE_ARN", "uploader")
		refuse(t, sts.Env(), "RoleArn")
	})
}

func TestAssumeRolesChainWithSourceIdentity(t *testing.T) {
	noEnvironment(t, nil)
	s := fakeSTS(t, nil)
	first, err := sts.NewAssumeRole(sts.Static(s.DefaultUser()), ststest.DefaultRole, &sts.AssumeRoleOptions{Endpoint: s.URL, SourceIdentity: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	second, err := sts.NewAssumeRole(first, ststest.DefaultRole, &sts.AssumeRoleOptions{Endpoint: s.URL, SessionName: "second"})
	if err != nil {
		t.Fatal(err)
	}
	if c := get(t, s, second); c.SourceIdentity != "alice" || c.Session != "second" {
		t.Errorf("got %v with source identity %q, want alice's", c, c.SourceIdentity)
	}
	_, err = sts.NewAssumeRole(first, ststest.DefaultRole, &sts.AssumeRoleOptions{SourceIdentity: "al ice"})
	if err == nil || !strings.Contains(err.Error(), "SourceIdentity") {
		t.Errorf("error = %v", err)
	}
}

// A Cache around any source: however many ask, there is one request.
func TestManyGoroutinesCauseOneRequest(t *testing.T) {
	const many = 1000
	s := fakeSTS(t, nil)
	user := s.DefaultUser()
	m := metadata(t, s, nil)
	u := ststest.NewCredentialsURI(s)
	defer u.Close()
	tokenFile := writeFile(t, filepath.Join(t.TempDir(), "token"), s.OIDCToken("pod", time.Hour))
	sources := []struct {
		name  string
		vars  map[string]string
		count func() int
		want  int
	}{
		{"environment with a role", map[string]string{"ALIBABA_CLOUD_ACCESS_KEY_ID": user.AccessKeyID, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": user.AccessKeySecret,
			"ALIBABA_CLOUD_ROLE_ARN": ststest.DefaultRole}, func() int { return s.Stats().Calls }, 1},
		{"OIDC", map[string]string{"ALIBABA_CLOUD_OIDC_PROVIDER_ARN": ststest.DefaultOIDCProvider, "ALIBABA_CLOUD_OIDC_TOKEN_FILE": tokenFile,
			"ALIBABA_CLOUD_ROLE_ARN": ststest.DefaultRole}, func() int { return s.Stats().Calls }, 1},
		{"credentials URI", map[string]string{"ALIBABA_CLOUD_CREDENTIALS_URI": u.URL}, u.Requests, 1},
		{"ECS role", nil, m.Issued, 1},
	}
	for _, source := range sources {
		t.Run(source.name, func(t *testing.T) {
			noEnvironment(t, source.vars)
			before := source.count()
			cache, err := sts.NewCache(sts.Default(&sts.DefaultOptions{STSEndpoint: s.URL, ECSRole: &sts.ECSRoleOptions{Endpoint: m.URL, Timeout: 10 * time.Second}}), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer cache.Close()
			failed := make(chan error, many)
			for range many {
				go func() {
					_, err := cache.Credentials(t.Context())
					failed <- err
				}()
			}
			for range many {
				if err := <-failed; err != nil {
					t.Fatal(err)
				}
			}
			if got := source.count() - before; got != source.want {
				t.Errorf("%d requests, want %d", got, source.want)
			}
		})
	}
}
