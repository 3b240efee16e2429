package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/sts/ststest"
)

// programEnv makes the test binary be the program.
const programEnv = "TOKENSERVER_TEST_RUN"

func TestMain(m *testing.M) {
	if os.Getenv(programEnv) != "" {
		main()
		return
	}
	goleak.VerifyTestMain(m)
}

const (
	keyID  = "LTAI4FtestAccessKeyId"
	secret = "uGkAPxOPnnTestSecretOf30Chars0"
)

// A program is a running process of this program.
type program struct {
	t      *testing.T
	cmd    *exec.Cmd
	url    string
	stderr *buffer
	ended  chan error
}

// A buffer is written and read at once.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) { b.mu.Lock(); defer b.mu.Unlock(); return b.b.Write(p) }
func (b *buffer) String() string              { b.mu.Lock(); defer b.mu.Unlock(); return b.b.String() }

// start runs the program and waits for its first line.
func start(t *testing.T, env []string, args ...string) *program {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	p := &program{t: t, stderr: &buffer{}, ended: make(chan error, 1)}
	p.cmd = exec.CommandContext(ctx, os.Args[0], append([]string{"-addr", "127.0.0.1:0"}, args...)...)
	p.cmd.Env = append(cleanEnv(), append(env, programEnv+"=1")...)
	p.cmd.Stderr = p.stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	go func() {
		_, _ = io.Copy(io.Discard, out)
		p.ended <- p.cmd.Wait()
	}()
	t.Cleanup(func() {
		cancel()
		p.wait()
		if text := p.stderr.String(); strings.Contains(text, secret) {
			t.Errorf("the log has the secret in it: %s", text)
		}
	})
	m := regexp.MustCompile(`^listening on (https?://127\.0\.0\.1:\d+)\r?\n$`).FindStringSubmatch(line)
	if m == nil {
		t.Fatalf("first line %q, %v; want the address. Log: %s", line, err, p.stderr)
	}
	p.url = m[1]
	return p
}

// cleanEnv is the environment without what would override the configuration.
func cleanEnv() []string {
	var env []string
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "ALIBABA_CLOUD_") && !strings.HasPrefix(e, "VODUPLOAD_") {
			env = append(env, e)
		}
	}
	return env
}

func (p *program) wait() error {
	err := <-p.ended
	p.ended <- err
	return err
}

// logs returns the log when it has all of these texts: what the program writes comes later.
func (p *program) logs(texts ...string) string {
	p.t.Helper()
	for {
		log := p.stderr.String()
		if !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(log, text) }) {
			return log
		}
		select {
		case err := <-p.ended:
			p.ended <- err
			p.t.Fatalf("it ended: %v; want %q in its log %s", err, texts, log)
		case <-time.After(time.Millisecond):
		}
	}
}

// token asks for one.
func (p *program) token(opts *sts.HTTPOptions) (sts.Credentials, error) {
	p.t.Helper()
	provider, err := sts.NewHTTP(p.url, opts)
	if err != nil {
		p.t.Fatal(err)
	}
	c, err := provider.Credentials(p.t.Context())
	if log := p.stderr.String(); err == nil && (strings.Contains(log, c.AccessKeySecret) || strings.Contains(log, c.SecurityToken)) {
		p.t.Errorf("the log has the token in it: %s", log)
	}
	return c, err
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func configFile(t *testing.T, edit ...string) string {
	return write(t, "config.json", strings.NewReplacer(edit...).Replace(`{
		"AccessKeyID": "`+keyID+`", "AccessKeySecret": "`+secret+`", "RoleArn": "`+ststest.DefaultRole+`",
		"TokenExpireTime": "900", "PolicyFile": "policy/bucket_read_write_policy.txt", "BucketName": "media" }`))
}

func TestEmbedded(t *testing.T) {
	p := start(t, nil, "-embedded", "-verbose")
	first, err := p.token(nil)
	if err != nil {
		t.Fatal(err)
	}
	if left := time.Until(first.Expiration); !strings.HasPrefix(first.AccessKeyID, "STS.") || left < 14*time.Minute || left > 15*time.Minute {
		t.Errorf("got %v, want an STS key for 15 minutes", first)
	}
	if second, err := p.token(nil); err != nil || second != first {
		t.Errorf("second client got %v, %v; want the same token", second, err)
	}
	if log := p.logs("STS is in this process"); strings.Contains(log, "level=WARN") {
		t.Errorf("want no warning: %s", log)
	}
	resp, err := http.Get(p.url + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != 200 || !strings.Contains(string(body), `"sts":"ok"`) {
		t.Errorf("health: HTTP %d, %s, %v", resp.StatusCode, body, err)
	}
}

func TestWithConfigFile(t *testing.T) {
	server := ststest.NewServer(&ststest.Options{Users: []ststest.User{{AccessKeyID: keyID, AccessKeySecret: secret}}})
	defer server.Close()
	clients := write(t, "clients.json", `{"token-of-alice-123": {"Name": "alice", "ObjectPrefix": "in/alice/"}}`)
	p := start(t, []string{"VODUPLOAD_STS_ENDPOINT=" + server.URL}, "-config", configFile(t), "-clients", clients)

	c, err := p.token(&sts.HTTPOptions{Prepare: func(r *http.Request) error {
		r.Header.Set("Authorization", "Bearer token-of-alice-123")
		return nil
	}})
	if err != nil {
		t.Fatalf("%v; log %s", err, p.stderr)
	}
	issued, ok := server.Lookup(c.AccessKeyID, c.SecurityToken)
	if !ok || issued.Session != "alice" || !strings.Contains(issued.Policy, "acs:oss:*:*:media/in/alice/*") {
		t.Errorf("STS issued %v, %t with policy %s", issued, ok, issued.Policy)
	}
	if _, err := p.token(nil); err == nil || !strings.Contains(err.Error(), "Unauthenticated") {
		t.Errorf("without a bearer token: %v", err)
	}
	p.logs("VODUPLOAD_STS_ENDPOINT", "session=alice")
}

func TestWithoutClientsItWarnsOfProxies(t *testing.T) {
	server := ststest.NewServer(&ststest.Options{Users: []ststest.User{{AccessKeyID: keyID, AccessKeySecret: secret}}})
	defer server.Close()
	p := start(t, []string{"VODUPLOAD_STS_ENDPOINT=" + server.URL}, "-config", configFile(t))
	p.logs("level=WARN", "a reverse proxy or a tunnel", "-clients") // of what a proxy lets in
}

func TestWithTheEnvironmentAlone(t *testing.T) {
	server := ststest.NewServer(&ststest.Options{Users: []ststest.User{{AccessKeyID: keyID, AccessKeySecret: secret}}})
	defer server.Close()
	p := start(t, []string{
		"VODUPLOAD_STS_ENDPOINT=" + server.URL, "ALIBABA_CLOUD_ACCESS_KEY_ID=" + keyID, "ALIBABA_CLOUD_ACCESS_KEY_SECRET=" + secret,
		"ALIBABA_CLOUD_ROLE_ARN=" + ststest.DefaultRole, "VODUPLOAD_BUCKET_NAME=media",
		"VODUPLOAD_POLICY_FILE=policy/bucket_read_write_policy.txt",
	})
	if _, err := p.token(nil); err != nil {
		t.Errorf("%v; log %s", err, p.stderr)
	}
}

func TestVersion(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if status := run(t.Context(), []string{"-version"}, &stdout, &stderr); status != 0 || !strings.HasPrefix(stdout.String(), "tokenserver ") {
		t.Errorf("status %d, output %q, error %q", status, stdout.String(), stderr.String())
	}
}

func TestQuietStart(t *testing.T) {
	var log bytes.Buffer
	quiet, started := quietStart(slog.New(slog.NewTextHandler(&log, nil)))
	quiet.With("a", 1).Warn("of the start")
	quiet.Error("an error")
	started()
	quiet.With("a", 1).Warn("later")
	if text := log.String(); strings.Contains(text, "of the start") || !strings.Contains(text, "an error") || !strings.Contains(text, "level=WARN msg=later") {
		t.Errorf("log:\n%s", text)
	}
}

func TestStopsGracefully(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no signal that a test can send to one process")
	}
	server := ststest.NewServer(&ststest.Options{Users: []ststest.User{{AccessKeyID: keyID, AccessKeySecret: secret}}})
	defer server.Close()
	p := start(t, []string{"VODUPLOAD_STS_ENDPOINT=" + server.URL}, "-config", configFile(t))
	release := server.Hold()
	type result struct {
		c   sts.Credentials
		err error
	}
	got := make(chan result, 1)
	go func() {
		c, err := p.token(nil)
		got <- result{c, err}
	}()
	if err := server.WaitInFlight(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	// The listener closes first: once it has, the client that waits is all there is.
	address := strings.TrimPrefix(p.url, "http://")
	for {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err != nil {
			break
		}
		conn.Close()
		if t.Context().Err() != nil {
			t.Fatal("the listener stays open")
		}
	}
	release()
	if r := <-got; r.err != nil {
		t.Errorf("the client that was waiting got %v", r.err)
	}
	if err := p.wait(); err != nil {
		t.Errorf("exit: %v; log %s", err, p.stderr)
	}
}

func TestTLS(t *testing.T) {
	certPEM, keyPEM := certificate(t)
	p := start(t, nil, "-embedded", "-tls-cert", write(t, "cert.pem", certPEM), "-tls-key", write(t, "key.pem", keyPEM))
	if !strings.HasPrefix(p.url, "https://") {
		t.Fatalf("listening on %s, want https", p.url)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(certPEM))
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	defer transport.CloseIdleConnections()
	if _, err := p.token(&sts.HTTPOptions{HTTPClient: &http.Client{Transport: transport}}); err != nil {
		t.Error(err)
	}
}

func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER}))
}

func TestRefusesToStart(t *testing.T) {
	for _, e := range []string{"ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "ALIBABA_CLOUD_ROLE_ARN"} {
		t.Setenv(e, "")
	}
	tests := []struct {
		name   string
		args   []string
		status int
		texts  []string
	}{
		{"unknown flag", []string{"-nonsense"}, 2, []string{"-nonsense"}},
		{"argument", []string{"7080"}, 2, []string{`"7080"`, "only flags"}},
		{"argument that is a URL", []string{"https://me:secret-token@host/"}, 2, []string{"only flags"}},
		{"proxy that is a URL", []string{"-embedded", "-proxy", "https://me:secret-token@host/"}, 2, []string{"-proxy: want an address"}},
		{"address that is a URL", []string{"-embedded", "-addr", "https://me:secret-token@host:7080"}, 2, []string{"-addr: want a host and a port"}},
		{"address with a password", []string{"-embedded", "-anyone", "-addr", "secret-token@host:7080"}, 2, []string{"-addr: want a host and a port"}},
		{"origin that is a URL", []string{"-embedded", "-origin", "https://me:secret-token@host/"}, 1, []string{"origin 1 of 1"}},
		{"host that is a URL", []string{"-embedded", "-host", "https://me:secret-token@host/"}, 1, []string{"Hosts: want host names"}},
		{"endpoint that is a URL", []string{"-config", configFile(t), "-web", "-endpoint", "https://me:secret-token@host/", "-web-sdk", sdkFile(t)}, 1, []string{"-web", "Endpoint"}},
		{"no configuration", []string{"-config", filepath.Join(t.TempDir(), "config.json")}, 1, []string{"config.json"}},
		{"configuration as shipped", []string{"-config", "config.json"}, 1,
			[]string{"AccessKeyID is empty", "AccessKeySecret is empty", "RoleArn is empty", "BucketName is empty"}},
		{"misspelt key", []string{"-config", configFile(t, "RoleArn", "RoleARN")}, 1, []string{"RoleARN is not a known key"}},
		{"several wrong fields", []string{"-config", configFile(t, `"900"`, `"90"`, "policy/", "rules/", "_read_write", "")}, 1,
			[]string{"TokenExpireTime is 90 seconds; want 900 to 43200", `PolicyFile is "rules/bucket_policy.txt"`}},
		{"open to the network without clients", []string{"-embedded", "-addr", "0.0.0.0:0"}, 2, []string{"-clients", "-anyone"}},
		{"open to the network by default port", []string{"-embedded", "-addr", ":7080"}, 2, []string{"-clients"}},
		{"name that looks like loopback", []string{"-embedded", "-addr", "127.example.com:0"}, 2, []string{"-clients"}},
		{"clients and anyone", []string{"-embedded", "-clients", "x", "-anyone"}, 2, []string{"-anyone"}},
		{"certificate without a key", []string{"-embedded", "-tls-cert", "x"}, 2, []string{"-tls-key"}},
		{"certificate that is not there", []string{"-embedded", "-addr", "127.0.0.1:0", "-tls-cert", "x.pem", "-tls-key", "y.pem"}, 1, []string{"-tls-cert x.pem"}},
		{"clients that are not there", []string{"-embedded", "-clients", filepath.Join(t.TempDir(), "c.json")}, 1, []string{"-clients", "c.json"}},
		{"clients that are no JSON", []string{"-embedded", "-clients", write(t, "c.json", `{"secret-token-123456`)}, 1, []string{"not valid JSON at line 1"}},
		{"clients with an unknown field", []string{"-embedded", "-clients", write(t, "c.json", `{"secret-token-123456":{"Prefix":"x"}}`)}, 1, []string{"Prefix is not a known key", "Name and ObjectPrefix"}},
		{"client with a short token", []string{"-embedded", "-clients", write(t, "c.json", `{"secret-token":{"Name":"x"}}`)}, 1, []string{"want 16 or more"}},
		{"origin", []string{"-embedded", "-origin", "example.com"}, 1, []string{"origin 1 of 1"}},
		{"page without an endpoint", []string{"-config", configFile(t), "-web"}, 2, []string{"-endpoint"}},
		{"endpoint without the page", []string{"-embedded", "-endpoint", "oss-cn-hangzhou.aliyuncs.com"}, 2, []string{"-web"}},
		{"endpoint for an embedded server", []string{"-embedded", "-web", "-endpoint", "oss-cn-hangzhou.aliyuncs.com"}, 2, []string{"-embedded", "-endpoint"}},
		{"custom domain without the page", []string{"-embedded", "-custom-domain"}, 2, []string{"-web"}},
		{"custom domain without a region", []string{"-config", configFile(t), "-web", "-endpoint", "media.example.com", "-custom-domain"}, 2, []string{"-region"}},
		{"region for an embedded server", []string{"-embedded", "-web", "-region", "cn-hangzhou"}, 2, []string{"-embedded", "-region"}},
		{"page with an endpoint that is none", []string{"-config", configFile(t), "-web", "-endpoint", "a b", "-web-sdk", sdkFile(t)}, 1, []string{"-web", "Endpoint"}},
		{"page without the SDK", []string{"-embedded", "-web", "-web-sdk", "x.js"}, 1, []string{"-web", "x.js", "npm ci"}},
		{"page without a bucket", []string{"-config", configFile(t, `"BucketName": "media"`, `"BucketName": ""`, "bucket_read_write", "all"), "-web", "-endpoint", "oss-cn-hangzhou.aliyuncs.com", "-web-sdk", sdkFile(t)}, 1, []string{"-web", "Bucket"}},
		{"address", []string{"-embedded", "-addr", "127.0.0.1:99999"}, 1, []string{"-addr 127.0.0.1:99999"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if got := run(t.Context(), tt.args, &stdout, &stderr); got != tt.status {
				t.Errorf("status %d, want %d", got, tt.status)
			}
			for _, text := range tt.texts {
				if !strings.Contains(stderr.String(), text) {
					t.Errorf("%q is missing in %s", text, stderr.String())
				}
			}
			if stdout.Len() > 0 || strings.Contains(stderr.String(), secret) || strings.Contains(stderr.String(), "secret-token") {
				t.Errorf("output %q, errors %q", stdout.String(), stderr.String())
			}
		})
	}
}

func TestHelp(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if got := run(t.Context(), []string{"-help"}, &stdout, &stderr); got != 0 || !strings.Contains(stderr.String(), "-embedded") {
		t.Errorf("status %d, %s", got, stderr.String())
	}
}

// The configuration that is shipped has the documented keys.
func TestShippedConfiguration(t *testing.T) {
	data, err := os.ReadFile("config.json")
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]string
	if err := json.Unmarshal(data, &fields); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"AccessKeyID", "AccessKeySecret", "RoleArn", "TokenExpireTime", "PolicyFile", "BucketName"} {
		if _, ok := fields[name]; !ok {
			t.Errorf("%s is missing", name)
		}
	}
	if fields["AccessKeySecret"] != "" {
		t.Error("somebody left a secret in it")
	}
}
