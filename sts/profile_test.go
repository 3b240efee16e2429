package sts_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/sts/ststest"
)

// A profile is one of config.json. Its name is "p" unless it says so.
type profile map[string]any

// writeConfig writes config.json with the given profiles, of which the first is the
// current one, and returns its path.
func writeConfig(t *testing.T, file string, profiles ...profile) string {
	t.Helper()
	for _, p := range profiles {
		if p["name"] == nil {
			p["name"] = "p"
		}
	}
	content, err := json.MarshalIndent(map[string]any{"current": profiles[0]["name"], "profiles": profiles, "meta_path": ""}, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	return writeFile(t, file, string(content))
}

func with(p profile, more profile) profile {
	p = maps.Clone(p)
	maps.Copy(p, more)
	return p
}

func TestProfileModes(t *testing.T) {
	s := fakeSTS(t, &ststest.Options{Roles: []ststest.Role{{ARN: ststest.DefaultRole, ExternalID: "partner-7"}, {ARN: "acs:ram::1:role/second"}}})
	m := metadata(t, s, nil)
	u := ststest.NewCredentialsURI(s)
	defer u.Close()
	user := s.DefaultUser()
	key := profile{"access_key_id": user.AccessKeyID, "access_key_secret": user.AccessKeySecret}
	role := profile{"ram_role_arn": ststest.DefaultRole, "ram_session_name": "cli", "external_id": "partner-7", "expired_seconds": 900}
	stored, err := sts.NewAssumeRole(sts.Static(user), "acs:ram::1:role/second", &sts.AssumeRoleOptions{Endpoint: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	token, err := stored.Credentials(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tokenKey := profile{"access_key_id": token.AccessKeyID, "access_key_secret": token.AccessKeySecret, "sts_token": token.SecurityToken}
	expires := profile{"sts_expiration": token.Expiration.Unix()}
	tokenFile := writeFile(t, filepath.Join(t.TempDir(), "token"), s.OIDCToken("pod", time.Hour))
	helper := writeFile(t, filepath.Join(t.TempDir(), "with space", "answer.json"), ststest.ProcessOutput(token))

	tests := []struct {
		name     string
		profiles []profile
		session  string // of the credentials; empty: the user's key
	}{
		{"AK", []profile{with(key, profile{"mode": "AK"})}, ""},
		{"AK in another case", []profile{with(key, profile{"mode": "ak"})}, ""},
		{"a key without a mode", []profile{key}, ""},
		{"RamRoleArn", []profile{with(with(key, role), profile{"mode": "RamRoleArn"})}, "cli"},
		{"RamRoleArn with a token", []profile{with(with(tokenKey, role), profile{"mode": "RamRoleArn"})}, "cli"},
		{"a role without a mode", []profile{with(key, role)}, "cli"},
		{"ChainableRamRoleArn", []profile{
			with(role, profile{"mode": "ChainableRamRoleArn", "source_profile": "base"}), with(key, profile{"name": "base", "mode": "AK"})}, "cli"},
		{"a chain of three", []profile{
			with(role, profile{"mode": "ChainableRamRoleArn", "source_profile": "middle"}),
			{"name": "middle", "mode": "ChainableRamRoleArn", "source_profile": "base", "ram_role_arn": "acs:ram::1:role/second"},
			{"name": "base", "mode": "EcsRamRole"}}, "cli"},
		{"EcsRamRole", []profile{{"mode": "EcsRamRole"}}, "i-ststest"},
		{"EcsRamRole with its name", []profile{{"mode": "EcsRamRole", "ram_role_name": "uploader"}}, "i-ststest"},
		{"RamRoleArnWithRoleName", []profile{with(role, profile{"mode": "RamRoleArnWithRoleName", "ram_role_name": "uploader"})}, "cli"},
		{"OIDC", []profile{{"mode": "OIDC", "ram_role_arn": "acs:ram::1:role/second", "ram_session_name": "pod", "oidc_provider_arn": ststest.DefaultOIDCProvider,
			"oidc_token_file": tokenFile}}, "pod"},
		{"CredentialsURI", []profile{{"mode": "CredentialsURI", "credentials_uri": u.URL}}, "uri"},
		{"CloudSSO", []profile{with(with(tokenKey, expires), profile{"mode": "CloudSSO", "cloud_sso_sign_in_url": "https://x"})}, "vodupload"},
		{"OAuth", []profile{with(with(tokenKey, expires), profile{"mode": "OAuth", "oauth_site_type": "CN"})}, "vodupload"},
		{"StsToken with its end", []profile{with(with(tokenKey, expires), profile{"mode": "StsToken"})}, "vodupload"},
	}
	if runtime.GOOS != "windows" {
		tests = append(tests, struct {
			name     string
			profiles []profile
			session  string
		}{"External", []profile{{"mode": "External", "process_command": "cat '" + helper + "'"}}, "vodupload"})
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			home := noEnvironment(t, nil)
			file := writeConfig(t, filepath.Join(home, ".aliyun", "config.json"), tt.profiles...)
			before, _ := os.ReadFile(file)
			p, err := sts.NewProfile("", "", &sts.ProfileOptions{STSEndpoint: s.URL, ECSRole: &sts.ECSRoleOptions{Endpoint: m.URL, Timeout: 10 * time.Second}})
			if err != nil {
				t.Fatal(err)
			}
			c := get(t, s, p)
			if c.Session != tt.session || c.SecurityToken == "" && c.AccessKeyID != user.AccessKeyID {
				t.Errorf("got %v, want session %q", c, tt.session)
			}
			if c.Session == "cli" && time.Until(c.Expires) > 15*time.Minute {
				t.Errorf("token lives until %v; want expired_seconds to count", c.Expires)
			}
			if after, _ := os.ReadFile(file); !bytes.Equal(before, after) {
				t.Error("the file was written")
			}
		})
	}
	t.Run("StsToken without its end", func(t *testing.T) {
		file := writeConfig(t, filepath.Join(t.TempDir(), "c.json"), with(tokenKey, profile{"mode": "StsToken"}))
		p, err := sts.NewProfile(file, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		c, err := p.Credentials(t.Context())
		if err != nil || c.SecurityToken != token.SecurityToken || !c.Expiration.IsZero() {
			t.Errorf("got %v, %v", c, err)
		}
	})
}

func TestProfileThatIsNoUse(t *testing.T) {
	key := profile{"access_key_id": aKey, "access_key_secret": aSecret, "sts_token": aToken}
	past, future := time.Now().Add(-time.Hour).Unix(), time.Now().Add(time.Hour).Unix()
	role := profile{"mode": "ChainableRamRoleArn", "ram_role_arn": ststest.DefaultRole}
	tests := []struct {
		name     string
		profiles []profile
		text     []string
		is       error
	}{
		{"an unknown mode", []profile{with(key, profile{"mode": "Telepathy"})}, []string{`"Telepathy" is not known`}, sts.ErrInvalidCredentials},
		{"a secret as the mode", []profile{with(key, profile{"mode": aSecret})}, []string{"is not known"}, sts.ErrInvalidCredentials},
		{"BearerToken", []profile{{"mode": "BearerToken", "bearer_token": aToken}}, []string{"BearerToken has no access key"}, sts.ErrInvalidCredentials},
		{"Anonymous", []profile{{"mode": "Anonymous"}}, []string{"Anonymous has no access key"}, sts.ErrInvalidCredentials},
		{"RsaKeyPair", []profile{{"mode": "RsaKeyPair", "private_key": aSecret}}, []string{"RsaKeyPair has no access key"}, sts.ErrInvalidCredentials},
		{"nothing filled in", []profile{{"mode": ""}}, []string{"neither a mode nor a key", "run: aliyun configure --profile p"}, sts.ErrInvalidCredentials},
		{"AK without a secret", []profile{{"mode": "AK", "access_key_id": aKey}}, []string{"access_key_secret is missing", "aliyun configure --profile p --mode AK"}, sts.ErrInvalidCredentials},
		{"StsToken without a token", []profile{{"mode": "StsToken", "access_key_id": aKey, "access_key_secret": aSecret}}, []string{"sts_token is missing"}, sts.ErrInvalidCredentials},
		{"StsToken that ended", []profile{with(key, profile{"mode": "StsToken", "sts_expiration": past})}, []string{"expired at", "aliyun configure --profile p --mode StsToken"}, sts.ErrExpired},
		{"RamRoleArn without a role", []profile{with(key, profile{"mode": "RamRoleArn"})}, []string{"ram_role_arn is missing"}, sts.ErrInvalidCredentials},
		{"RamRoleArn for a minute", []profile{with(key, profile{"mode": "RamRoleArn", "ram_role_arn": ststest.DefaultRole, "expired_seconds": 60})}, []string{"Duration is 1m0s"}, nil},
		{"External without a command", []profile{{"mode": "External"}}, []string{"process_command is missing"}, sts.ErrInvalidCredentials},
		{"External with an open quote", []profile{{"mode": "External", "process_command": `x "` + aSecret}}, []string{"process_command: a quote is not closed"}, sts.ErrInvalidCredentials},
		{"CredentialsURI without one", []profile{{"mode": "CredentialsURI"}}, []string{"credentials_uri is missing"}, sts.ErrInvalidCredentials},
		{"OIDC by half", []profile{{"mode": "OIDC", "oidc_provider_arn": "x"}}, []string{"oidc_token_file is missing"}, sts.ErrInvalidCredentials},
		{"CloudSSO that ended, still logged in", []profile{with(key, profile{"mode": "CloudSSO", "sts_expiration": past, "cloud_sso_access_token_expire": future, "access_token": aToken})},
			[]string{"expired at", "run: aliyun sts GetCallerIdentity --profile p"}, sts.ErrExpired},
		{"CloudSSO that ended, login too", []profile{with(key, profile{"mode": "CloudSSO", "sts_expiration": past, "cloud_sso_access_token_expire": past, "access_token": aToken})},
			[]string{"expired at", "run: aliyun configure --profile p --mode CloudSSO"}, sts.ErrExpired},
		{"CloudSSO without a token", []profile{{"mode": "CloudSSO", "cloud_sso_access_token_expire": past}},
			[]string{"no token is stored", "run: aliyun configure --profile p --mode CloudSSO"}, sts.ErrExpired},
		{"OAuth that ended, still logged in", []profile{with(key, profile{"mode": "OAuth", "sts_expiration": past, "oauth_refresh_token_expire": future})},
			[]string{"run: aliyun sts GetCallerIdentity --profile p"}, sts.ErrExpired},
		{"OAuth that ended", []profile{with(key, profile{"mode": "OAuth", "sts_expiration": past})}, []string{"run: aliyun configure --profile p --mode OAuth"}, sts.ErrExpired},
		{"no source_profile", []profile{role}, []string{"source_profile is missing"}, sts.ErrInvalidCredentials},
		{"a source that does not exist", []profile{with(role, profile{"source_profile": "ghost"})}, []string{`there is no profile "ghost"`}, sts.ErrInvalidCredentials},
		{"a source that is broken", []profile{with(role, profile{"source_profile": "b"}), {"name": "b", "mode": "AK"}}, []string{"source_profile b: access_key_id is missing"}, sts.ErrInvalidCredentials},
		{"its own source", []profile{with(role, profile{"source_profile": "p"})}, []string{"sources of each other: p → p"}, sts.ErrInvalidCredentials},
		{"a loop of three", []profile{with(role, profile{"source_profile": "b"}), with(role, profile{"name": "b", "source_profile": "c"}),
			with(role, profile{"name": "c", "source_profile": "b"})}, []string{"sources of each other: p → b → c → b"}, sts.ErrInvalidCredentials},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			noEnvironment(t, nil)
			file := writeConfig(t, filepath.Join(t.TempDir(), "config.json"), tt.profiles...)
			p, err := sts.NewProfile(file, "", nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := refuse(t, p, append(tt.text, file)...); tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("error = %v, want %v in it", err, tt.is)
			}
		})
	}
}

// What fails at the far end of a chain of roles is read in one line.
func TestProfileWhoseSourceFails(t *testing.T) {
	noEnvironment(t, nil)
	s := fakeSTS(t, nil)
	m := metadata(t, s, nil)
	m.SetRole("")
	file := writeConfig(t, filepath.Join(t.TempDir(), "config.json"),
		profile{"mode": "ChainableRamRoleArn", "source_profile": "base", "ram_role_arn": ststest.DefaultRole}, profile{"name": "base", "mode": "EcsRamRole"})
	p, err := sts.NewProfile(file, "", &sts.ProfileOptions{STSEndpoint: s.URL, ECSRole: &sts.ECSRoleOptions{Endpoint: m.URL, Timeout: 10 * time.Second}})
	if err != nil {
		t.Fatal(err)
	}
	refuse(t, p, "sts: current profile of "+file+": assume role "+ststest.DefaultRole+" as vodupload: ", "no RAM role is attached to this instance")
}

func TestProfileFileThatIsNoUse(t *testing.T) {
	noEnvironment(t, nil)
	secret := `"access_key_id":"` + aKey + `","access_key_secret":"` + aSecret + `"`
	for name, tt := range map[string]struct{ content, text string }{
		"empty":                {"", "it is empty"},
		"half written":         {`{"current":"p","profiles":[{"name":"p",` + secret, "not JSON from byte"},
		"no JSON":              {secret, "not JSON from byte"},
		"HTML":                 {"<html>" + secret, "HTML"},
		"a list":               {`[{` + secret + `}]`, "JSON array"},
		"a number as a text":   {`{"profiles":[{"name":"p","mode":17}]}`, "mode"},
		"a text as a number":   {`{"profiles":[{"name":"p","expired_seconds":"` + aSecret + `"}]}`, "expired_seconds"},
		"no profiles":          {`{"current":"media"}`, `there is no profile "media"`},
		"neither":              {`{}`, `there is no profile "default"`},
		"larger than any file": {strings.Repeat(" ", 5<<20), "want at most"},
	} {
		t.Run(name, func(t *testing.T) {
			file := writeFile(t, filepath.Join(t.TempDir(), "config.json"), tt.content)
			p, err := sts.NewProfile(file, "", nil)
			if err != nil {
				t.Fatal(err)
			}
			refuse(t, p, tt.text, file)
			o := nowhere()
			o.ConfigFile = file
			refuse(t, sts.Default(o), tt.text, file)
		})
	}
	t.Run("not there", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "config.json")
		p, err := sts.NewProfile(file, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := refuse(t, p, file); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("error = %v, want os.ErrNotExist", err)
		}
	})
	t.Run("a folder", func(t *testing.T) {
		p, err := sts.NewProfile(t.TempDir(), "", nil)
		if err != nil {
			t.Fatal(err)
		}
		refuse(t, p, "not a regular file")
	})
	t.Run("not readable", func(t *testing.T) {
		file, problem := unreadable(t)
		p, err := sts.NewProfile(file, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		refuse(t, p, file, problem)
	})
}

// unreadable returns a file that is there and cannot be read, and why.
func unreadable(t *testing.T) (file, problem string) {
	t.Helper()
	if os.Geteuid() == 0 && runtime.GOOS == "linux" {
		// Rights do not stop root. The first page of a process's memory is never mapped.
		return "/proc/self/mem", "input/output error"
	}
	if os.Geteuid() <= 0 {
		t.Skip("everything is readable here")
	}
	file = writeFile(t, filepath.Join(t.TempDir(), "config.json"), "{}")
	if err := os.Chmod(file, 0); err != nil {
		t.Fatal(err)
	}
	return file, "permission"
}

func TestProfileIsFound(t *testing.T) {
	ak := func(name string) profile {
		return profile{"name": name, "mode": "AK", "access_key_id": "LTAI-" + name, "access_key_secret": aSecret}
	}
	id := func(t *testing.T, path, name string) string {
		t.Helper()
		p, err := sts.NewProfile(path, name, nil)
		if err != nil {
			t.Fatal(err)
		}
		c, err := p.Credentials(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimPrefix(c.AccessKeyID, "LTAI-")
	}
	home := noEnvironment(t, nil)
	file := filepath.Join(home, ".aliyun", "config.json")
	writeConfig(t, file, ak("current"), ak("other"), ak("third"))
	other := writeConfig(t, filepath.Join(t.TempDir(), "c.json"), ak("elsewhere"))

	if got := id(t, "", ""); got != "current" {
		t.Errorf("by default: %s", got)
	}
	if got := id(t, other, ""); got != "elsewhere" {
		t.Errorf("by path: %s", got)
	}
	t.Setenv("ALIBABA_CLOUD_PROFILE", "other")
	if got := id(t, "", ""); got != "other" {
		t.Errorf("by ALIBABA_CLOUD_PROFILE: %s", got)
	}
	if got := id(t, "", "third"); got != "third" {
		t.Errorf("by name, whatever the environment says: %s", got)
	}
	t.Setenv("ALIBABA_CLOUD_PROFILE", "")
	t.Setenv("ALIBABA_CLOUD_CONFIG_FILE", other)
	if got := id(t, "", ""); got != "elsewhere" {
		t.Errorf("by ALIBABA_CLOUD_CONFIG_FILE: %s", got)
	}
	t.Run("as the file is now", func(t *testing.T) {
		p, err := sts.NewProfile(other, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"one", "two"} {
			writeConfig(t, other, ak(name))
			if c, err := p.Credentials(t.Context()); err != nil || c.AccessKeyID != "LTAI-"+name {
				t.Errorf("got %v, %v; want %s", c, err, name)
			}
		}
	})
	t.Run("nowhere without a home", func(t *testing.T) {
		noEnvironment(t, map[string]string{"HOME": "", "USERPROFILE": "", "ALIBABA_CLOUD_CONFIG_FILE": ""})
		_, err := sts.NewProfile("", "", nil)
		if err == nil || !strings.Contains(err.Error(), "home folder is not known") || !strings.Contains(err.Error(), "ALIBABA_CLOUD_CONFIG_FILE") {
			t.Errorf("error = %v", err)
		}
	})
}

func TestProfileThatOthersCanRead(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the mode does not say it on Windows")
	}
	noEnvironment(t, nil)
	for mode, warnings := range map[os.FileMode]int{0o600: 0, 0o400: 0, 0o640: 1, 0o644: 1} {
		t.Run(fmt.Sprint(mode), func(t *testing.T) {
			file := writeConfig(t, filepath.Join(t.TempDir(), "config.json"), profile{"mode": "AK", "access_key_id": aKey, "access_key_secret": aSecret})
			if err := os.Chmod(file, mode); err != nil {
				t.Fatal(err)
			}
			var log bytes.Buffer
			var p *sts.Profile
			text := slog.NewTextHandler(&log, nil)
			asks := handlerThatAsks{text, func() { _, _ = p.Credentials(t.Context()) }}
			p, err := sts.NewProfile(file, "", &sts.ProfileOptions{Logger: slog.New(asks)})
			if err != nil {
				t.Fatal(err)
			}
			for range 3 {
				if _, err := p.Credentials(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if got := strings.Count(log.String(), "level=WARN"); got != warnings || strings.Contains(log.String(), aSecret) {
				t.Errorf("%d warnings, want %d: %s", got, warnings, log.String())
			}
		})
	}
}
