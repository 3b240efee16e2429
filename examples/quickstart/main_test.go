package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"hash/crc64"
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

func TestTwoFilesAreTooMany(t *testing.T) {
	if err := run(t.Context(), []string{"a", "b"}, os.Stdout); err == nil {
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
	rerr := run(ctx, []string{path}, out)
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
		{long, long + "a", "the object ends at byte 1048576, the file goes on"},
		{"ab", "a", "the file ends at byte 1, the object goes on"},
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
