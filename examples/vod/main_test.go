package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vodupload/vodupload/sts/ststest"
)

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "vod-cache")
	if err != nil {
		panic(err)
	}
	os.Setenv("XDG_CACHE_HOME", dir) // where checkpoints are
	os.Setenv("HOME", dir)
	code := m.Run()
	os.RemoveAll(dir)
	if err := goleak.Find(); code == 0 && err != nil {
		panic(err)
	}
	os.Exit(code)
}

// keyIDEnv is the environment variable with the ID of the key.
const keyIDEnv = "ALIBABA_CLOUD_ACCESS_KEY_ID"

// noCredentials makes this a machine on which sts.Default finds none.
func noCredentials(t *testing.T) {
	t.Helper()
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "ALIBABA_CLOUD_") {
			t.Setenv(name, "")
		}
	}
	t.Setenv("ALIBABA_CLOUD_CLI_PROFILE_DISABLED", "true")
	t.Setenv("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true")
}

// program runs the program, on a machine without credentials.
func program(t *testing.T, args ...string) (string, error) {
	t.Helper()
	noCredentials(t)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	var out bytes.Buffer
	err := run(ctx, args, &out)
	return out.String(), err
}

func TestWithoutAnAccount(t *testing.T) {
	out, err := program(t)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	id := regexp.MustCompile(`(?m)^sample\.mp4: video ([0-9a-f]{32}): 8\.0 MiB, parts: 8, resumed: 0, verified: true$`).FindStringSubmatch(out)
	if id == nil {
		t.Fatalf("no result in the output:\n%s", out)
	}
	at := 0
	for _, want := range []string{
		"sample.mp4: VOD made video " + id[1],
		"sample.mp4: its bytes go to the bucket outin-vodtest",
		"sample.mp4: the auth has expired: RefreshUploadVideo",
		"sample.mp4: VOD gave the next auth",
		"sample.mp4: 100 % of 8.0 MiB",
		"VOD was asked: CreateUploadVideo 1×, RefreshUploadVideo 1×",
	} {
		i := strings.Index(out[at:], want)
		if i < 0 {
			t.Fatalf("%q is missing, or in the wrong place, in\n%s", want, out)
		}
		at += i
	}
	for line := range strings.Lines(out) {
		if len([]rune(line)) > 81 && !strings.Contains(line, "verified: ") { // its ID is 32 characters
			t.Errorf("wider than 80 columns: %q", line)
		}
	}
}

func TestVersion(t *testing.T) {
	if out, err := program(t, "-version"); err != nil || !strings.HasPrefix(out, "vod ") {
		t.Errorf("got %q, %v", out, err)
	}
}

func TestWithoutAnAccountNothingIsKept(t *testing.T) {
	home := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", home)
	t.Setenv("HOME", home)
	t.Setenv("LocalAppData", home)
	if out, err := program(t); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	left, err := os.ReadDir(home)
	if err != nil || len(left) > 0 {
		t.Errorf("left in the user's directories: %v, %v; want nothing", left, err)
	}
}

func TestProviderAssumesTheRoleWithThisMachinesCredentials(t *testing.T) {
	keys := ststest.NewServer(nil)
	defer keys.Close()
	noCredentials(t)
	user := keys.DefaultUser()
	t.Setenv(keyIDEnv, user.AccessKeyID)
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", user.AccessKeySecret)
	s := &settings{role: ststest.DefaultRole}
	s.sts.Endpoint = keys.URL
	cache, err := s.provider(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer cache.Close()
	c, err := cache.Credentials(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if issued, _ := keys.Lookup(c.AccessKeyID, c.SecurityToken); issued.RoleARN != ststest.DefaultRole {
		t.Errorf("got %v, want a token of the role", issued)
	}
	t.Run("and says so where they are wrong", func(t *testing.T) {
		t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "another")
		if _, err := s.provider(t.Context()); err == nil || !strings.Contains(err.Error(), "SignatureDoesNotMatch") {
			t.Errorf("error = %v", err)
		}
	})
}

func TestWithFiles(t *testing.T) {
	dir := t.TempDir()
	var files []string
	for _, name := range []string{"talk.mp4", "song.mp3", "cover.jpg"} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, path)
	}
	out, err := program(t, append([]string{"-title", "T", "-tags", "a,b", "-category", "3"}, files...)...)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, text := range []string{"talk.mp4: video ", "song.mp3: video ", "cover.jpg: image "} {
		if !strings.Contains(out, text) {
			t.Errorf("%q is missing in\n%s", text, out)
		}
	}
}

func TestRefuses(t *testing.T) {
	notes := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(notes, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for text, args := range map[string][]string{
		`extension "txt"`:              {notes},
		"-role and -tokens":            {"-role", "r", "-tokens", "t", "f"},
		"no FILE":                      {"-role", "r"},
		"-endpoint needs":              {"-endpoint", "http://x"},
		keyIDEnv:                       {"-role", "acs:ram::1:role/x", notes},
		"got both TemplateGroupID":     {"-template-group", "a", "-workflow", "b"},
		"flag provided but not define": {"-nonsense"},
	} {
		if out, err := program(t, args...); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%v: error %v, want %q\n%s", args, err, text, out)
		}
	}
}
