package conformance

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload/osstest"
)

const sdkV1 = "github.com/aliyun/aliyun-oss-go-sdk"

var long = flag.Bool("long", false, "compile and run the SDK's own tests, too")

// The tests that the SDK of version 1 has for multipart uploads and for its
// UploadFile assert what the real service does. All of them must pass here, and
// must have run: a suite that skips proves nothing.
func TestSuitesOfSDKv1(t *testing.T) {
	if !*long {
		t.Skip("compiles the SDK's tests: run it with -args -long")
	}
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()

	dir := t.TempDir()
	binary := filepath.Join(dir, "v1.test.exe")
	goTool(ctx, t, "test", "-c", "-vet=off", "-o", binary, sdkV1+"/oss")
	copySamples(t, filepath.Join(goTool(ctx, t, "list", "-m", "-f", "{{.Dir}}", sdkV1), "sample"), filepath.Join(dir, "sample"))
	work := filepath.Join(dir, "oss")
	if err := os.Mkdir(work, 0o700); err != nil {
		t.Fatal(err)
	}

	callbacks := &redirector{}
	s := osstest.NewServer(&osstest.Options{Region: region, CallbackTransport: callbacks})
	defer s.Close()
	suite := exec.CommandContext(ctx, binary, "-test.run", "^Test$", "-check.vv",
		"-check.f", "OssBucketMultipartSuite|OssUploadSuite")
	suite.Dir = work
	suite.Env = append(os.Environ(),
		"OSS_TEST_ENDPOINT="+s.URL,
		"OSS_TEST_ACCESS_KEY_ID="+osstest.DefaultKey.AccessKeyID,
		"OSS_TEST_ACCESS_KEY_SECRET="+osstest.DefaultKey.AccessKeySecret)
	output, err := suite.CombinedOutput()
	results := parseCheck(output)

	for _, f := range results.failed {
		t.Errorf("%s failed:\n%s", f.name, f.said)
	}
	for _, name := range results.skipped {
		t.Errorf("%s was skipped", name)
	}
	if len(results.passed) != 31 {
		t.Errorf("%d of the SDK's tests passed, want 31: %q", len(results.passed), results.passed)
	}
	if err != nil {
		t.Errorf("the SDK's tests: %v", err)
	}
	if err != nil && len(results.failed) == 0 {
		t.Logf("all that they said:\n%s", output)
	}
	equal(t, "callbacks", callbacks.list(), "http://www.aliyuncs.com http://www.aliyuncs.com")
}

// A redirector answers callbacks as the site does that the SDK's tests call
// back: it sends them elsewhere, which OSS takes for a failure.
type redirector struct {
	mu    sync.Mutex
	asked []string
}

func (c *redirector) list() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.asked, " ")
}

// RoundTrip answers 301 without asking anybody.
func (c *redirector) RoundTrip(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked = append(c.asked, r.URL.String())
	return &http.Response{
		StatusCode: http.StatusMovedPermanently, ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Location": {"https://www.aliyun.com/"}}, Body: http.NoBody, Request: r,
	}, nil
}

// goTool runs the go command in this module and returns its output.
func goTool(ctx context.Context, t *testing.T, args ...string) string {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, &stderr)
	}
	return strings.TrimSpace(string(output))
}

// copySamples copies the files that the SDK's tests upload and write beside.
func copySamples(t *testing.T, from, to string) {
	t.Helper()
	files, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(to, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		data, err := os.ReadFile(filepath.Join(from, f.Name()))
		if err == nil {
			err = os.WriteFile(filepath.Join(to, f.Name()), data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

type checkResults struct {
	passed, skipped []string
	failed          []failedCheck
}

type failedCheck struct{ name, said string }

// parseCheck reads what gocheck says: of each method of a suite a line such as
// "PASS: /src/upload_test.go:40: OssUploadSuite.TestUploadRoutine	0.1s", and
// before it, after a line with START, what the method had to say. The methods
// that set a suite up and tear it down count only when they fail.
func parseCheck(output []byte) checkResults {
	var r checkResults
	var said strings.Builder
	lines := bufio.NewScanner(bytes.NewReader(output))
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) < 3 || !strings.HasSuffix(f[0], ":") {
			said.WriteString(lines.Text() + "\n")
			continue
		}
		name := f[2]
		isTest := strings.Contains(name, ".Test")
		switch f[0] {
		case "START:":
			if isTest {
				said.Reset()
			}
		case "PASS:":
			if isTest {
				r.passed = append(r.passed, name)
			}
		case "FAIL:", "PANIC:":
			r.failed = append(r.failed, failedCheck{name, strings.TrimSpace(said.String())})
		case "SKIP:", "MISS:":
			r.skipped = append(r.skipped, name)
		default:
			said.WriteString(lines.Text() + "\n")
		}
	}
	return r
}

func TestParseCheck(t *testing.T) {
	r := parseCheck([]byte(`START: /oss/upload_test.go:1: Suite.TestGood
START: /oss/upload_test.go:2: Suite.SetUpTest
PASS: /oss/upload_test.go:2: Suite.SetUpTest	0.000s
PASS: /oss/upload_test.go:1: Suite.TestGood	0.010s
START: /oss/upload_test.go:3: Suite.TestBad
/oss/upload_test.go:5:
    c.Assert(err, IsNil)
... value *errors.errorString = &errors.errorString{s:"boom"} ("boom")
FAIL: /oss/upload_test.go:3: Suite.TestBad
SKIP: /oss/upload_test.go:4: Suite.TestSkipped (why not)
OOPS: 1 passed, 1 FAILED`))
	equal(t, "passed", strings.Join(r.passed, " "), "Suite.TestGood")
	equal(t, "skipped", strings.Join(r.skipped, " "), "Suite.TestSkipped")
	if len(r.failed) != 1 || r.failed[0].name != "Suite.TestBad" || !strings.Contains(r.failed[0].said, "boom") {
		t.Errorf("failed: %q", r.failed)
	}
}
