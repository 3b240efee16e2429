package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// asProgram makes this test's binary the program itself.
const asProgram = "OSSSERVER_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	goleak.VerifyTestMain(m)
}

// A process is the program at work.
type process struct {
	cmd    *exec.Cmd
	url    string
	stdout *bufio.Reader
	stderr bytes.Buffer
}

func start(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(os.Args[0], args...)}
	p.cmd.Env = append(os.Environ(), asProgram+"=1")
	p.cmd.Stderr = &p.stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.cmd.Process.Kill() })
	p.stdout = bufio.NewReader(out)
	line, err := p.stdout.ReadString('\n')
	url, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "listening on ")
	if err != nil || !ok {
		t.Fatalf("the first line is %q, %v; want listening on URL\n%s", line, err, p.stderr.String())
	}
	p.url = url
	return p
}

// stop sends a signal and expects a clean end.
func (p *process) stop(t *testing.T, sig os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
	rest, _ := io.ReadAll(p.stdout)
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("after %v: %v; want exit status 0\n%s", sig, err, p.stderr.String())
	}
	if !strings.Contains(string(rest), "export ALIBABA_CLOUD_ACCESS_KEY_ID=") || p.stderr.Len() > 0 {
		t.Errorf("after its first line the program wrote %q and %q; want what to copy, and no error", rest, p.stderr.String())
	}
}

// call makes a request that is signed with the key ID and SECRET.
func call(t *testing.T, method, url, body string) (status int, text string) {
	t.Helper()
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	date := time.Now().UTC().Format(http.TimeFormat)
	mac := hmac.New(sha1.New, []byte("SECRET"))
	io.WriteString(mac, method+"\n\n\n"+date+"\n"+r.URL.Path)
	r.Header.Set("Date", date)
	r.Header.Set("Authorization", "OSS ID:"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func TestKeepsWhatItStoredAcrossRestarts(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no signals can be sent to a process on Windows")
	}
	args := []string{"-addr", "127.0.0.1:0", "-dir", filepath.Join(t.TempDir(), "data"), "-bucket", "media", "-bucket", "archive",
		"-access-key-id", "ID", "-access-key-secret", "SECRET"}
	p := start(t, args...)
	for _, bucket := range []string{"media", "archive"} {
		if status, text := call(t, "PUT", p.url+"/"+bucket+"/k", "stored in "+bucket); status != 200 {
			t.Errorf("PUT: got %d %s; want 200", status, text)
		}
	}
	p.stop(t, os.Interrupt)

	p = start(t, args...)
	for _, bucket := range []string{"media", "archive"} {
		if status, text := call(t, "GET", p.url+"/"+bucket+"/k", ""); status != 200 || text != "stored in "+bucket {
			t.Errorf("GET after a restart: got %d %s; want 200 and what was stored", status, text)
		}
	}
	p.stop(t, syscall.SIGTERM)
}

func TestStopsWhileACallIsUnderWay(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no signals can be sent to a process on Windows")
	}
	p := start(t, "-addr", "127.0.0.1:0", "-bucket", "media")
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "PUT /media/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhalf")
	p.stop(t, syscall.SIGTERM)
}

func TestAddressesThatMayBeServed(t *testing.T) {
	key := []string{"-access-key-id", "ID", "-access-key-secret", "SECRET"}
	for _, args := range [][]string{
		{"-addr", "127.0.0.1:0"}, {"-addr", "localhost:0"}, {"-addr", "[::1]:0"}, append([]string{"-addr", "0.0.0.0:0"}, key...),
	} {
		if _, err := parse(args, noEnv, io.Discard); err != nil {
			t.Errorf("%v: %v", args, err)
		}
	}
}

// noEnv is an environment without variables.
func noEnv(string) string { return "" }

func TestWrongUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	others := t.TempDir()
	if err := os.WriteFile(filepath.Join(others, "notes.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		args   []string
		status int
		want   string
	}{
		{"unknown flag", []string{"-adr", "x"}, 2, "-adr"},
		{"argument", []string{"media"}, 2, `"media"`},
		{"ID without secret", []string{"-access-key-id", "ID"}, 2, "-access-key-secret"},
		{"secret without ID", []string{"-access-key-secret", "S3CR3T"}, 2, "-access-key-id"},
		{"bad bucket", []string{"-bucket", "Media"}, 1, `"Media"`},
		{"bad address", []string{"-addr", "nowhere"}, 1, "nowhere"},
		{"all addresses with the default key", []string{"-addr", "0.0.0.0:0"}, 2, "-access-key-secret"},
		{"all addresses by an empty host", []string{"-addr", ":0"}, 2, "-access-key-secret"},
		{"a name that may be anything", []string{"-addr", "example.com:0"}, 2, "-access-key-secret"},
		{"port in use", []string{"-addr", taken.Addr().String()}, 1, taken.Addr().String()},
		{"file for a directory", []string{"-addr", "127.0.0.1:0", "-dir", file}, 1, file},
		{"directory of others", []string{"-addr", "127.0.0.1:0", "-dir", others}, 1, `["notes.txt"]`},
		{"share without %", []string{"-fail", "5"}, 2, `share "5"`},
		{"share of more than all", []string{"-fail", "101%"}, 2, `share "101%"`},
		{"unknown operation", []string{"-fail", "5%,InternalError,Upload"}, 2, `operation "Upload"`},
		{"negative latency", []string{"-latency", "-1s"}, 2, "-latency -1s"},
		{"help", []string{"-help"}, 0, "-access-key-secret"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel() // should it start after all, it stops at once
			var stdout, stderr bytes.Buffer
			status := run(ctx, test.args, noEnv, &stdout, &stderr)
			if status != test.status || !strings.Contains(stderr.String(), test.want) || stdout.Len() > 0 {
				t.Errorf("got status %d, output %q and error %q; want %d and an error about %s", status, stdout.String(), stderr.String(), test.status, test.want)
			}
			if strings.Contains(stderr.String(), "S3CR3T") {
				t.Error("the error has the secret")
			}
		})
	}
}
