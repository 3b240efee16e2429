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

// program runs the program, without a key in the environment.
func program(t *testing.T, args ...string) (string, error) {
	t.Helper()
	t.Setenv(keyIDEnv, "")
	t.Setenv(secretEnv, "")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
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
	if !regexp.MustCompile(`sample\.mp4: video [0-9a-f]{32}, 8388608 bytes, 8 parts, 0 resumed, verified: true\n$`).MatchString(out) {
		t.Errorf("output:\n%s", out)
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
