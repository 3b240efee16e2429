package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"hash/crc64"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestMain lets the test binary be the uploading process, too.
func TestMain(m *testing.M) {
	if os.Getenv(uploaderEnv) != "" {
		main()
		return
	}
	goleak.VerifyTestMain(m)
}

func TestQuickstart(t *testing.T) {
	for _, tt := range []struct {
		name    string
		size    int
		parts   int
		resumed string
	}{
		{"empty", 0, 1, "0"},
		{"one byte", 1, 1, "0"},
		{"hundred KiB.mp4", 100 << 10, 1, "0"},
		{"ein Film ü 影片.mp4", 3<<20 + 1, 4, "[1-3]"},
		{"twenty.ts", 20 << 20, 20, "([1-9]|1[0-9])"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), tt.name)
			data := make([]byte, tt.size)
			_, _ = rand.Read(data)
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
			lines, err := play(t, path)
			if err != nil {
				t.Fatalf("%v\n%s", err, strings.Join(lines, "\n"))
			}
			want := fmt.Sprintf(`^verified: %d bytes, crc64 %d, %d parts, %s resumed, 3 retried$`,
				tt.size, crc64.Checksum(data, crc64.MakeTable(crc64.ECMA)), tt.parts, tt.resumed)
			if last := lines[len(lines)-1]; !regexp.MustCompile(want).MatchString(last) {
				t.Errorf("the last line is %q, want it to match %q", last, want)
			}
			for _, line := range lines {
				if len([]rune(line)) > 80 && !strings.Contains(line, "verified: ") {
					t.Errorf("wider than 80 columns: %q", line)
				}
			}
		})
	}
}

func TestBadFileIsNamed(t *testing.T) {
	for _, path := range []string{filepath.Join(t.TempDir(), "none"), t.TempDir()} {
		if _, err := play(t, path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("got error %v, want one that names %s", err, path)
		}
	}
}

func TestHelpAndWrongFlags(t *testing.T) {
	if err := run(t.Context(), []string{"--help"}, os.Stdout, io.Discard); err != nil {
		t.Errorf("--help: %v", err)
	}
	if err := run(t.Context(), []string{"--fast"}, os.Stdout, io.Discard); err == nil || !strings.Contains(err.Error(), "--fast") {
		t.Errorf("--fast: got %v", err)
	}
}

func TestTwoFilesAreTooMany(t *testing.T) {
	if err := run(t.Context(), []string{"a", "b"}, os.Stdout, io.Discard); err == nil {
		t.Error("got no error")
	}
}

// play runs the quickstart and returns the lines that it printed.
func play(t *testing.T, path string) ([]string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	out, err := os.CreateTemp(t.TempDir(), "out")
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	rerr := run(ctx, []string{path}, out, io.Discard)
	text, err := os.ReadFile(out.Name())
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n"), rerr
}

func TestCompare(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	for _, tt := range []struct{ object, file, want string }{
		{"", "", ""},
		{long + "ab", long + "ab", ""},
		{long + "ab", long + "ac", "byte 1048577 is 0x62 in the object, 0x63 in the file"},
		{long, long + "a", "the object ends at byte 1048576, the file continues"},
		{"ab", "a", "the file ends at byte 1, the object continues"},
	} {
		got := ""
		if _, err := compare(strings.NewReader(tt.object), strings.NewReader(tt.file)); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

func TestEachStepSaysWhatItShows(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "twenty.mp4")
	if err := os.WriteFile(path, make([]byte, 20<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	lines, err := play(t, path)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(lines, "\n")
	for _, want := range []string{
		`(?m)^1\. An OSS server starts`,
		`(?m)^   the file: twenty\.mp4, 20 MiB in 20 parts$`,
		`(?m)^2\. A process uploads, and is killed half way$`,
		`(?m)^   killed at [34]\d %% \(SIGKILL\): the server has [78] of 20 parts$`,
		`(?m)^3\. Another process resumes`,
		`(?m)^   retried 3 times, first part \d+: 500 InternalError$`,
		`(?m)^   the token expired: `,
		`(?m)^   [78] of 20 parts kept, 1[23] sent by this process$`,
		`(?m)^4\. The object is read back`,
	} {
		if want = strings.ReplaceAll(want, "%%", "%"); !regexp.MustCompile(want).MatchString(text) {
			t.Errorf("%s is missing in\n%s", want, text)
		}
	}
}

func TestRetriesAreOneLine(t *testing.T) {
	var r retries
	for _, why := range []string{"part 3: " + strings.Repeat("ü", 100), "part 4: x", "part 5: x"} {
		r.add(why)
	}
	if got, want := r.take(), "retried 3 times, first part 3: "+strings.Repeat("ü", 44)+"…"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	r.add("EOF")
	if got, want := r.take(), "retried once: EOF"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := r.take(); got != "" || r.total != 4 {
		t.Errorf("got %q, %d in all; want nothing more, 4 in all", got, r.total)
	}
}

// On a terminal the two processes together take about six seconds for the bytes; in a
// pipe nobody waits.
func TestPace(t *testing.T) {
	for _, tt := range []struct {
		size    int64
		watched bool
		want    int64
	}{
		{ownFileSize, true, ownFileSize / 6}, {ownFileSize, false, 0}, {0, true, 0}, {1000, true, 0}, {60 << 30, true, 10 << 30},
	} {
		if got := pace(tt.size, tt.watched); got != tt.want {
			t.Errorf("%d bytes, watched %t: %d bytes a second, want %d", tt.size, tt.watched, got, tt.want)
		}
	}
}

func TestVersion(t *testing.T) {
	out, err := os.CreateTemp(t.TempDir(), "out")
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if err := run(t.Context(), []string{"-version"}, out, io.Discard); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(out.Name()); err != nil || !strings.HasPrefix(string(text), "quickstart ") {
		t.Errorf("got %q, %v", text, err)
	}
}
