package sts_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/sts/ststest"
)

// A surroundings is a machine on which every source is set up.
type surroundings struct {
	sts      *ststest.Server
	metadata *ststest.Metadata
	uri      *ststest.CredentialsURI
	config   string // with a profile whose key is aKey
	token    string // file
	user     sts.Credentials
}

func surround(t *testing.T) surroundings {
	t.Helper()
	s := surroundings{sts: fakeSTS(t, nil)}
	s.metadata = metadata(t, s.sts, nil)
	s.uri = ststest.NewCredentialsURI(s.sts)
	t.Cleanup(s.uri.Close)
	s.user = s.sts.DefaultUser()
	s.config = writeConfig(t, filepath.Join(t.TempDir(), "config.json"), profile{"mode": "AK", "access_key_id": aKey, "access_key_secret": aSecret})
	s.token = writeFile(t, filepath.Join(t.TempDir(), "token"), s.sts.OIDCToken("pod", time.Hour))
	return s
}

func (s surroundings) options() *sts.DefaultOptions {
	return &sts.DefaultOptions{STSEndpoint: s.sts.URL, ECSRole: &sts.ECSRoleOptions{Endpoint: s.metadata.URL, Timeout: 10 * time.Second}}
}

func (s surroundings) env() map[string]string {
	return map[string]string{"ALIBABA_CLOUD_ACCESS_KEY_ID": s.user.AccessKeyID, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": s.user.AccessKeySecret}
}

func (s surroundings) oidc() map[string]string {
	return map[string]string{"ALIBABA_CLOUD_ROLE_ARN": ststest.DefaultRole, "ALIBABA_CLOUD_OIDC_PROVIDER_ARN": ststest.DefaultOIDCProvider,
		"ALIBABA_CLOUD_OIDC_TOKEN_FILE": s.token}
}

// The first that is configured wins: each source in turn, with all that come after it.
func TestDefaultTakesTheFirstSource(t *testing.T) {
	s := surround(t)
	profile := map[string]string{"ALIBABA_CLOUD_CONFIG_FILE": s.config}
	uri := map[string]string{"ALIBABA_CLOUD_CREDENTIALS_URI": s.uri.URL}
	tests := []struct {
		source  string
		vars    []map[string]string
		session string
	}{
		{"environment", []map[string]string{s.env(), profile, uri}, ""},
		{"environment", []map[string]string{s.env(), s.oidc(), profile, uri}, "vodupload"}, // the key assumes the role
		{"OIDC", []map[string]string{s.oidc(), profile, uri}, "vodupload"},
		{"profile p of " + s.config, []map[string]string{profile, uri}, ""},
		{"credentials URI " + s.uri.URL, []map[string]string{uri}, "uri"},
		{"ECS role", nil, "i-ststest"},
	}
	for _, tt := range tests {
		t.Run(tt.source, func(t *testing.T) {
			noEnvironment(t, nil)
			for _, vars := range tt.vars {
				for name, value := range vars {
					t.Setenv(name, value)
				}
			}
			d := sts.Default(s.options())
			if got := d.Source(); got != "" {
				t.Errorf("Source before the first call = %q", got)
			}
			c, err := d.Credentials(t.Context())
			if err != nil || d.Source() != tt.source {
				t.Fatalf("source %q, %v; want %q", d.Source(), err, tt.source)
			}
			if issued, _ := s.sts.Lookup(c.AccessKeyID, c.SecurityToken); issued.Session != tt.session {
				t.Errorf("session %q, want %q", issued.Session, tt.session)
			}
		})
	}
}

// A source that is set up by half is an error, although others would work.
func TestDefaultRefusesHalfASource(t *testing.T) {
	s := surround(t)
	tests := []struct {
		name string
		vars map[string]string
		text string
	}{
		{"a key without its secret", map[string]string{"ALIBABA_CLOUD_ACCESS_KEY_ID": aKey}, "not ALIBABA_CLOUD_ACCESS_KEY_SECRET"},
		{"a token file alone", map[string]string{"ALIBABA_CLOUD_OIDC_TOKEN_FILE": s.token}, "not ALIBABA_CLOUD_OIDC_PROVIDER_ARN and ALIBABA_CLOUD_ROLE_ARN"},
		{"OIDC without a role", map[string]string{"ALIBABA_CLOUD_OIDC_TOKEN_FILE": s.token, "ALIBABA_CLOUD_OIDC_PROVIDER_ARN": ststest.DefaultOIDCProvider}, "not ALIBABA_CLOUD_ROLE_ARN"},
		{"OIDC without a token file", map[string]string{"ALIBABA_CLOUD_ROLE_ARN": ststest.DefaultRole, "ALIBABA_CLOUD_OIDC_PROVIDER_ARN": ststest.DefaultOIDCProvider}, "not ALIBABA_CLOUD_OIDC_TOKEN_FILE"},
		{"a role alone", map[string]string{"ALIBABA_CLOUD_ROLE_ARN": ststest.DefaultRole}, "ALIBABA_CLOUD_ROLE_ARN is set, but nothing that may assume it"},
		{"a profile that does not exist", map[string]string{"ALIBABA_CLOUD_CONFIG_FILE": s.config, "ALIBABA_CLOUD_PROFILE": "ghost"}, `there is no profile "ghost"`},
		{"a file that does not exist", map[string]string{"ALIBABA_CLOUD_CONFIG_FILE": s.config + ".gone"}, "no such file"},
		{"a profile where there is no file", map[string]string{"ALIBABA_CLOUD_PROFILE": "media"}, "no such file"},
		{"a URI that is none", map[string]string{"ALIBABA_CLOUD_CREDENTIALS_URI": "localhost"}, "credentials URI: want http://"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			noEnvironment(t, tt.vars)
			before := s.metadata.Requests()
			d := sts.Default(s.options())
			if err := refuse(t, d, tt.text); errors.Is(err, sts.ErrNotConfigured) {
				t.Errorf("error = %v, want one that is not ErrNotConfigured", err)
			}
			if d.Source() != "" || s.metadata.Requests() != before {
				t.Errorf("source %q, %d requests of the next source", d.Source(), s.metadata.Requests()-before)
			}
		})
	}
}

// A source that is configured and fails is the answer: the next one has other rights.
func TestDefaultDoesNotFallBack(t *testing.T) {
	s := surround(t)
	noEnvironment(t, s.oidc())
	d := sts.Default(s.options())
	s.sts.FailNext(1, "InternalError")
	refuse(t, d, "OIDC", "InternalError")
	if got := d.Source(); got != "" {
		t.Errorf("a source that failed is remembered: %q", got)
	}
	if _, err := d.Credentials(t.Context()); err != nil || d.Source() != "OIDC" {
		t.Errorf("source %q, %v", d.Source(), err)
	}
}

// slowMetadata is a metadata service that takes a while for each request, and gives no
// credentials.
func slowMetadata(each time.Duration) *sts.ECSRoleOptions {
	var o sts.ECSRoleOptions
	o.Through(transport(func(r *http.Request) (*http.Response, error) {
		select {
		case <-time.After(each):
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("x"))}, nil
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}))
	return &o
}

// Where nothing is configured, the error comes soon, and lists what was looked for.
func TestDefaultWithNothingConfigured(t *testing.T) {
	home := noEnvironment(t, nil)
	// after returns the error of a metadata service that takes a while for each request, and
	// how long it took to find out.
	after := func(t *testing.T, each time.Duration, want ...string) (err error) {
		synctest.Test(t, func(t *testing.T) {
			begin := time.Now()
			err = refuse(t, sts.Default(&sts.DefaultOptions{ECSRole: slowMetadata(each)}), want...)
			if took := time.Since(begin); took > 2*time.Second {
				t.Errorf("it took %v, want at most 2s", took)
			}
		})
		return err
	}
	err := after(t, time.Minute, // takes connections and does not answer: the slowest kind of nothing
		"environment (ALIBABA_CLOUD_ACCESS_KEY_ID is not set)", "OIDC (ALIBABA_CLOUD_OIDC_PROVIDER_ARN and ALIBABA_CLOUD_OIDC_TOKEN_FILE are not set)",
		"profile (there is no "+filepath.Join(home, ".aliyun", "config.json")+")", "credentials URI (ALIBABA_CLOUD_CREDENTIALS_URI is not set)",
		"ECS role, metadata service http://100.100.100.200: get a token: no complete answer within 1s")
	if !errors.Is(err, sts.ErrNotConfigured) || errors.Is(err, sts.ErrInvalidCredentials) {
		t.Errorf("error = %v, want ErrNotConfigured, which may pass", err)
	}

	t.Run("and a service that answers some of the requests", func(t *testing.T) {
		after(t, 700*time.Millisecond, "no credentials within 1.5s") // each in time, all three together not
	})
	t.Run("and everything switched off", func(t *testing.T) {
		noEnvironment(t, map[string]string{"ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true", "ALIBABA_CLOUD_CLI_PROFILE_DISABLED": "true", "HOME": ""})
		err := refuse(t, sts.Default(nowhere()), "profile (switched off by ALIBABA_CLOUD_CLI_PROFILE_DISABLED)", "switched off by ALIBABA_CLOUD_ECS_METADATA_DISABLED")
		if !errors.Is(err, sts.ErrNotConfigured) || !errors.Is(err, sts.ErrInvalidCredentials) {
			t.Errorf("error = %v, want ErrNotConfigured and, since it will stay so, ErrInvalidCredentials", err)
		}
	})
	t.Run("without a home", func(t *testing.T) {
		noEnvironment(t, map[string]string{"HOME": "", "USERPROFILE": "", "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true"})
		refuse(t, sts.Default(nowhere()), "profile (the home folder is not known)")
	})
	t.Run("with a profile that was never filled in", func(t *testing.T) {
		home := noEnvironment(t, map[string]string{"ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true"})
		file := writeConfig(t, filepath.Join(home, ".aliyun", "config.json"), profile{"mode": "", "output_format": "json"})
		refuse(t, sts.Default(nowhere()), "profile (p of "+file+" is blank)")
		named := nowhere()
		named.Profile = "p"
		refuse(t, sts.Default(named), "neither a mode nor a key")
	})
	t.Run("and a caller who goes away", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			_, err := sts.Default(&sts.DefaultOptions{ECSRole: slowMetadata(time.Minute)}).Credentials(ctx)
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error = %v, want the context's", err)
			}
		})
	})
}

// A metadata service that is not up yet when the program starts does no lasting harm.
func TestDefaultAtBoot(t *testing.T) {
	noEnvironment(t, nil)
	s := surround(t)
	d := sts.Default(s.options())
	s.metadata.FailNext(1, ststest.FaultDown)
	if err := refuse(t, d, "ECS role"); !errors.Is(err, sts.ErrNotConfigured) {
		t.Errorf("error = %v, want ErrNotConfigured", err)
	}
	if c := get(t, s.sts, d); c.Session != "i-ststest" || d.Source() != "ECS role" {
		t.Errorf("got %v from %q", c, d.Source())
	}
	// Found is found: another source that turns up has other rights.
	for name, value := range s.env() {
		t.Setenv(name, value)
	}
	if c := get(t, s.sts, d); c.Session != "i-ststest" {
		t.Errorf("got %v after the environment changed", c)
	}
	s.metadata.SetFault(ststest.FaultDown)
	refuse(t, d, "ECS role")
}

func TestDefaultOnECSIsQuick(t *testing.T) {
	noEnvironment(t, nil)
	s := surround(t)
	synctest.Test(t, func(t *testing.T) { // where time passes only for those that wait for it
		begin := time.Now()
		get(t, s.sts, sts.Default(s.options()))
		if took := time.Since(begin); took > 0 {
			t.Errorf("the first credentials came after a wait of %v", took)
		}
	})
}

func TestDefaultWithManyGoroutines(t *testing.T) {
	noEnvironment(t, nil)
	s := surround(t)
	var log bytes.Buffer
	o := s.options()
	o.Logger = slog.New(slog.NewTextHandler(&log, nil))
	d := sts.Default(o)
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if _, err := d.Credentials(t.Context()); err != nil {
				t.Error(err)
			}
			_ = d.Source()
		})
	}
	wg.Wait()
	if got := strings.Count(log.String(), "credentials found"); got != 1 || !strings.Contains(log.String(), `source="ECS role"`) {
		t.Errorf("%d lines about the source: %s", got, log.String())
	}
}
