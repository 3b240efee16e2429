package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestWithoutAnAccount(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out strings.Builder
	if err := run(ctx, nil, &out); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	want := regexp.MustCompile(`^OSS: stored media/in/talk\.mp4, 23 bytes, ETag [0-9A-F]{32}
the uploader got {"Status":"OK","object":"in/talk\.mp4"}
time=\S+ level=WARN msg="upload callback refused" code=InvalidToken .*
a callback without a token was refused
VOD: video [0-9a-f]{32} was uploaded, 23 bytes
VOD: video [0-9a-f]{32} is ready \(success\), streams: 1
$`)
	if !want.MatchString(out.String()) {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

func TestServesTheRealServices(t *testing.T) {
	dir := t.TempDir()
	secret, key := filepath.Join(dir, "secret"), filepath.Join(dir, "key")
	for path, text := range map[string]string{secret: "0123456789abcdef0123456789abcdef\n", key: "AuthKey123\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := run(ctx, []string{"-listen", "127.0.0.1:0", "-secret", secret, "-vod-url", "https://app.example.com/vod", "-vod-key", key}, in)
		_ = in.CloseWithError(io.EOF)
		done <- err
	}()
	line := make([]byte, 100)
	n, err := out.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	address := strings.TrimSpace(strings.TrimPrefix(string(line[:n]), "listening on "))
	for path, want := range map[string]int{"/oss": 403, "/vod": 403, "/": 404} {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		resp, err := client.Post(address+path, "application/json", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: got %d, want %d", path, resp.StatusCode, want)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestRefuses(t *testing.T) {
	short := filepath.Join(t.TempDir(), "short")
	if err := os.WriteFile(short, []byte("hunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, args := range map[string][]string{
		"give -listen too":              {"-secret", short},
		"-listen needs":                 {"-listen", "127.0.0.1:0"},
		"no such file":                  {"-listen", "127.0.0.1:0", "-secret", short + "x"},
		"has 7 bytes":                   {"-listen", "127.0.0.1:0", "-secret", short},
		"callbackURL is empty":          {"-listen", "127.0.0.1:0", "-vod-key", short},
		"flag provided but not defined": {"-nonsense"},
	} {
		if err := run(t.Context(), args, io.Discard); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%v: error is %v, want one that says %q", args, err, want)
		}
	}
}
