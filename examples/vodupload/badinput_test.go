package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload/osstest"
)

// deadAddress is where nobody listens: a free port is soon another test's.
const deadAddress = "127.0.0.1:1"

// TestBadInputIsExplained gives each command that talks to a bucket what people get wrong. It
// has to end soon, with the right code and with what to do, on less than a screen, and
// without a secret.
func TestBadInputIsExplained(t *testing.T) {
	t.Parallel()
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<html>Welcome to the hotel</html>"))
	}))
	defer page.Close()
	dead := deadAddress
	commands := map[string][]string{
		"cp":      {"cp", "FILE", "oss://BUCKET/in/", "--retries", "0"},
		"sync":    {"sync", "DIR", "oss://BUCKET/in/", "--retries", "0"},
		"watch":   {"watch", "DIR", "oss://BUCKET/in/", "--retries", "0", "--once", "--settle", "50ms", "--poll", "20ms"},
		"verify":  {"verify", "DIR", "oss://BUCKET/in/"},
		"uploads": {"uploads", "oss://BUCKET/in/"},
		"sweep":   {"sweep", "oss://BUCKET/in/"},
		"whoami":  {"whoami", "oss://BUCKET/in/"},
		"doctor":  {"doctor", "oss://BUCKET/in/"},
	}
	for name, tt := range map[string]struct {
		bucket, endpoint string
		env              []string
		codes            []int
		says             []string // one of them
		slow             bool     // the library waits and tries again
	}{
		"a bucket that is not there":   {bucket: "nobody", codes: []int{exitFailed}, says: []string{"check the bucket's name", "NoSuchBucket"}},
		"a bucket's name that is none": {bucket: "No_Body", codes: []int{exitUsage, exitFailed}, says: []string{"bucket name", "bucket's name", "Bucket Name"}},
		"an ID that is wrong":          {env: []string{"OSS_ACCESS_KEY_ID=nobody"}, codes: []int{exitDenied}, says: []string{"InvalidAccessKeyId"}},
		"a secret that is wrong":       {env: []string{"OSS_ACCESS_KEY_SECRET=typo-of-a-secret"}, codes: []int{exitDenied}, says: []string{"check the access key's secret", "SignatureDoesNotMatch"}},
		"a secret that is missing":     {env: []string{"OSS_ACCESS_KEY_SECRET="}, codes: []int{exitUsage, exitDenied}, says: []string{"OSS_ACCESS_KEY_SECRET"}},
		"no key":                       {env: []string{"OSS_ACCESS_KEY_ID=", "OSS_ACCESS_KEY_SECRET="}, codes: []int{exitDenied}, says: []string{"OSS_"}},
		"a region that is not its own": {env: []string{"OSS_REGION=cn-beijing"}, codes: []int{exitFailed, exitDenied}, says: []string{"--region", "signing region"}},
		"a region that is none":        {env: []string{"OSS_REGION=cn hangzhou"}, codes: []int{exitUsage, exitFailed}, says: []string{"region"}},
		"an endpoint of nobody":        {endpoint: "http://" + dead, codes: []int{exitTemporary}, says: []string{"connection refused"}, slow: true},
		"an endpoint that is none":     {endpoint: "http://", codes: []int{exitUsage, exitFailed}, says: []string{"endpoint"}},
		"an endpoint with a path":      {endpoint: "http://oss.example.com/media", codes: []int{exitUsage, exitFailed}, says: []string{"endpoint"}},
		"a page in place of OSS":       {endpoint: page.URL, codes: []int{exitFailed, exitTemporary, exitDenied}, says: []string{"hotel", "is not of OSS"}, slow: true},
	} {
		for command, args := range commands {
			if tt.slow && (command == "verify" || command == "uploads" || command == "sweep" || command == "watch") {
				continue
			}
			t.Run(name+"/"+command, func(t *testing.T) {
				w := newWorld(t)
				file := w.file("talk.mp4", 1000)
				w.environ = append(w.environ, tt.env...)
				bucket, endpoint := "media", w.server.URL
				if tt.bucket != "" {
					bucket = tt.bucket
				}
				if tt.endpoint != "" {
					endpoint = tt.endpoint
				}
				var typed []string
				for _, arg := range args {
					typed = append(typed, strings.NewReplacer("FILE", file, "DIR", w.dir, "BUCKET", bucket).Replace(arg))
				}
				typed = append(typed, "--endpoint", endpoint)
				if command != "verify" && command != "whoami" {
					typed = append(typed, "--checkpoint-dir", w.state)
				}
				began := time.Now()
				r := w.run(typed...)
				text := r.stdout + r.stderr
				ok := false
				for _, code := range tt.codes {
					ok = ok || r.code == code
				}
				if !ok {
					t.Errorf("exit code %d, want one of %v\n%s", r.code, tt.codes, text)
				}
				ok = false
				for _, says := range tt.says {
					ok = ok || strings.Contains(text, says)
				}
				if !ok {
					t.Errorf("says none of %q in\n%s", tt.says, text)
				}
				if n := strings.Count(text, "\n"); n > 24 || len(text) > 3000 {
					t.Errorf("%d lines and %d bytes are more than a screen:\n%s", n, len(text), text)
				}
				if took := time.Since(began); took > 15*time.Second {
					t.Errorf("it took %v", took)
				}
				if strings.Contains(text, osstest.DefaultKey.AccessKeySecret) || strings.Contains(text, "typo-of-a-secret") {
					t.Errorf("a secret is shown:\n%s", text)
				}
			})
		}
	}
}
