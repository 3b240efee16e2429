package main

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/vodupload/vodupload/sts"
)

// inTemp makes a program keep its temporary files in dir, also if it is killed.
func inTemp(dir string) []string { return []string{"TMPDIR=" + dir, "TMP=" + dir, "TEMP=" + dir} }

// The SDK is not there before npm was run; for the server any file will do.
func sdkFile(t *testing.T) string { return write(t, "sdk.js", "var OSS;") }

func TestWeb(t *testing.T) {
	p := start(t, inTemp(t.TempDir()), "-embedded", "-web", "-web-sdk", sdkFile(t))
	get := func(path string, want ...string) http.Header {
		t.Helper()
		resp, err := http.Get(p.url + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != 200 {
			t.Fatalf("%s: HTTP %d, %v", path, resp.StatusCode, err)
		}
		for _, text := range want {
			if !strings.Contains(string(body), text) {
				t.Errorf("%s: %q is missing in %s", path, text, body)
			}
		}
		return resp.Header
	}
	policy := get("/upload/", "<title>Upload media</title>").Get("Content-Security-Policy")
	if !strings.Contains(policy, "connect-src 'self' http://localhost:") {
		t.Errorf("the page may not connect to the OSS server: %s", policy)
	}
	get("/upload", "<title>Upload media</title>") // by way of a redirect
	get("/upload/config.json", `"bucket":"media"`, `"token":"/"`, `"sldEnable":true`)
	get("/upload/aliyun-oss-sdk.min.js", "var OSS")
	if _, err := p.token(nil); err != nil {
		t.Errorf("the token server beside the page: %v", err)
	}
}

func TestWebKnowsItsClients(t *testing.T) {
	clients := write(t, "clients.json", `{"token-of-alice-123": {"Name": "alice", "ObjectPrefix": "in/alice/"}}`)
	p := start(t, inTemp(t.TempDir()), "-embedded", "-web", "-web-sdk", sdkFile(t), "-clients", clients)
	for code, want := range map[string]int{"": 401, "Bearer wrong": 401, "Bearer token-of-alice-123": 200} {
		r, err := http.NewRequest("GET", p.url+"/upload/config.json", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", code)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != want || strings.Contains(string(body), `"prefix":"in/alice/"`) != (want == 200) {
			t.Errorf("%q: HTTP %d, %s; want %d", code, resp.StatusCode, body, want)
		}
	}
	if _, err := p.token(&sts.HTTPOptions{}); err == nil {
		t.Error("a token for nobody")
	}
}

func TestGuessesAtAccessCodesAreThrottled(t *testing.T) {
	clients := write(t, "clients.json", `{"token-of-alice-123": {"Name": "alice", "ObjectPrefix": "in/alice/"}}`)
	p := start(t, inTemp(t.TempDir()), "-embedded", "-web", "-web-sdk", sdkFile(t), "-clients", clients, "-rate", "1")
	ask := func(edit func(*http.Request)) int {
		t.Helper()
		r, err := http.NewRequest("GET", p.url+"/upload/config.json", nil)
		if err != nil {
			t.Fatal(err)
		}
		edit(r)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	code := func(code string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+code) }
	}
	if got := ask(func(r *http.Request) { code("token-of-alice-123")(r); r.Header.Set("Sec-Fetch-Site", "cross-site") }); got != 403 {
		t.Errorf("a page of another site: HTTP %d, want 403", got)
	}
	statuses := map[int]int{}
	for range 50 {
		statuses[ask(code("a-guess-of-somebody"))]++
	}
	if statuses[401] == 0 || statuses[429] == 0 || statuses[401]+statuses[429] != 50 {
		t.Errorf("guesses got %v, want 401 and then 429", statuses)
	}
	p.logs("Unauthenticated", "Throttling") // of the guesses
	if got := ask(code("token-of-alice-123")); got != 200 {
		t.Errorf("the right code at the same address: HTTP %d, want 200", got)
	}
}

// A temporary directory that stayed would fill the disk with videos.
func TestWebLeavesNothing(t *testing.T) {
	temp := t.TempDir()
	p := start(t, inTemp(temp), "-embedded", "-web", "-web-sdk", sdkFile(t))
	if dirs, err := filepath.Glob(filepath.Join(temp, "tokenserver-oss-*")); err != nil || len(dirs) != 1 {
		t.Fatalf("got %v, %v; want one directory", dirs, err)
	}
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no signal that a test can send to one process")
	}
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := p.wait(); err != nil {
		t.Fatal(err)
	}
	if dirs, err := filepath.Glob(filepath.Join(temp, "tokenserver-oss-*")); err != nil || len(dirs) != 0 {
		t.Errorf("got %v, %v; want none", dirs, err)
	}
}
