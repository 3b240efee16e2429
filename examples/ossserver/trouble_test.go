package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/sts/ststest"
	"github.com/vodupload/vodupload/upload/osstest"
)

func TestParseFailing(t *testing.T) {
	for text, want := range map[string]failing{
		"5%":                                 {0.05, "InternalError", osstest.AnyOp},
		"100%,ServiceUnavailable":            {1, "ServiceUnavailable", osstest.AnyOp},
		"0.5%,,UploadPart":                   {0.005, "InternalError", osstest.OpUploadPart},
		"50%,SecurityTokenExpired,PutObject": {0.5, "SecurityTokenExpired", osstest.OpPutObject},
	} {
		if got, err := parseFailing(text); err != nil || got != want {
			t.Errorf("%s: got %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "%", "0%", "NaN%", "-1%", "5", "x%", "5%,,Nothing"} {
		if got, err := parseFailing(text); err == nil {
			t.Errorf("%q: got %v, want an error", text, got)
		}
	}
}

// handler is the server with the flags' faults and log, without a socket.
func handler(t *testing.T, log io.Writer, args ...string) http.Handler {
	t.Helper()
	c, err := parse(append(args, "-v"), noEnv, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	oss, err := osstest.New(&c.opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(oss.Close)
	oss.Inject(faults(c.fails, c.latency)...)
	return logged(oss, log)
}

func TestFailAndLog(t *testing.T) {
	var log bytes.Buffer
	h := handler(t, &log, "-fail", "100%,ServiceUnavailable,PutObject", "-latency", "1ms")
	for method, want := range map[string]int{http.MethodPut: 503, http.MethodGet: 403} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(method, "http://127.0.0.1/media/k", strings.NewReader("body"))
		r.Header.Set("Authorization", "OSS ID:the-signature")
		h.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%s: got %d, want %d", method, w.Code, want)
		}
	}
	for _, want := range []string{"PutObject media/k: 503 ServiceUnavailable", "GetObject media/k: 403"} {
		if strings.Count(log.String(), want) != 1 {
			t.Errorf("%q is not once in the log\n%s", want, log.String())
		}
	}
	if strings.Contains(log.String(), "the-signature") || strings.Count(log.String(), "\n") != 2 {
		t.Errorf("log:\n%s\nwant two lines without a signature", log.String())
	}
}

func TestKeysOfTheEnvironment(t *testing.T) {
	env := func(name string) string {
		return map[string]string{keyIDEnv: "ID", keySecretEnv: "S3CR3T"}[name]
	}
	c, err := parse([]string{"-addr", "0.0.0.0:0"}, env, io.Discard)
	if err != nil || c.key.AccessKeyID != "ID" || c.key.AccessKeySecret != "S3CR3T" {
		t.Fatalf("got %v, %v", c, err)
	}
	if text := banner("http://127.0.0.1:9000", "", "media", c.key); strings.Contains(text, "S3CR3T") || !strings.Contains(text, "KEY_ID=ID\n") {
		t.Errorf("the banner is\n%s\nwant the ID and no secret", text)
	}
	if c, err := parse([]string{"-access-key-id", "mine"}, env, io.Discard); err != nil || c.key.AccessKeyID != "mine" || c.key.AccessKeySecret != "S3CR3T" {
		t.Errorf("an ID of the command line: got %v, %v; want it with the secret of the environment", c, err)
	}
}

func TestBannerFitsATerminal(t *testing.T) {
	text := banner("http://127.0.0.1:59000", "http://127.0.0.1:59001", "media", osstest.DefaultKey)
	for line := range strings.Lines(text) {
		if len(line) > 80 {
			t.Errorf("wider than 80 columns: %q", line)
		}
	}
	if strings.Contains(text, "export ALIBABA_CLOUD_ROLE_ARN") {
		t.Errorf("with the role in its environment, an upload would ask the real STS:\n%s", text)
	}
	if !strings.Contains(text, osstest.DefaultKey.AccessKeySecret) {
		t.Errorf("the secret that everybody knows is missing in\n%s", text)
	}
}

func TestTokensOfSTSAreAccepted(t *testing.T) {
	c, err := parse([]string{"-sts"}, noEnv, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	tokens := startSTS(&c.opts, c.key)
	defer tokens.Close()
	user := sts.Credentials{AccessKeyID: c.key.AccessKeyID, AccessKeySecret: c.key.AccessKeySecret}
	role, err := sts.NewAssumeRole(sts.Static(user), ststest.DefaultRole, &sts.AssumeRoleOptions{Endpoint: tokens.URL})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	got, err := role.Credentials(ctx)
	if err != nil {
		t.Fatal(err)
	}
	key, ok := c.opts.LookupKey(got.AccessKeyID, got.SecurityToken)
	if !ok || key.AccessKeySecret != got.AccessKeySecret {
		t.Errorf("got %v, %t; want the key of the token", key, ok)
	}
}

func TestVersion(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if status := run(t.Context(), []string{"-version"}, noEnv, &stdout, &stderr); status != 0 || !strings.HasPrefix(stdout.String(), "ossserver ") {
		t.Errorf("status %d, output %q, error %q", status, stdout.String(), stderr.String())
	}
}
