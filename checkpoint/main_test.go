package checkpoint

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// childEnv names the directory in which this program, run once more by a test, is
// a process that holds an upload.
const childEnv = "CHECKPOINT_TEST_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		holdUpload(dir)
	}
	if dir := os.Getenv(slowEnv); dir != "" {
		slowUpload(dir)
	}
	if dir := os.Getenv(tracedEnv); dir != "" {
		tracedPromises(dir)
	}
	goleak.VerifyTestMain(m)
}

func testKey(name string) Key {
	return Key{Source: "/media/" + name, Endpoint: "https://oss-cn-hangzhou.aliyuncs.com", Bucket: "media", Object: "in/" + name}
}

func testRecord(name string) Record {
	at := time.Date(2026, 3, 1, 12, 30, 15, 123_456_789, time.UTC)
	return Record{
		Version:  Version,
		Key:      testKey(name),
		Source:   Source{Size: 1 << 30, ModTime: at, Inode: 12345678, Device: 2049, ChangeTime: at.Add(time.Second)},
		UploadID: "0004B9894A22E5B1888A1E29F8236E2D",
		PartSize: 1 << 20,
		Started:  at.Add(time.Hour),
	}
}

func testPart(number int) Part {
	return Part{Number: number, Size: 1 << 20, ETag: fmt.Sprintf("%032X", number*7919), CRC64: 0x9E3779B97F4A7C15 * uint64(number)}
}

func testParts(first, last int) []Part {
	var parts []Part
	for n := first; n <= last; n++ {
		parts = append(parts, testPart(n))
	}
	return parts
}

func mustOpenDir(t testing.TB, dir string, sys system) *Dir {
	t.Helper()
	d, err := openDir(dir, sys)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("Close of the store: %v", err)
		}
	})
	return d
}

func mustOpen(t testing.TB, d *Dir, name string) *dirUpload {
	t.Helper()
	u, err := d.Open(t.Context(), testKey(name))
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	return u.(*dirUpload)
}

// mustBegin opens and begins an upload, and adds parts to it.
func mustBegin(t testing.TB, d *Dir, name string, parts ...Part) *dirUpload {
	t.Helper()
	u := mustOpen(t, d, name)
	must(t, u.Begin(t.Context(), testRecord(name)))
	mustAdd(t, u, parts...)
	return u
}

func mustAdd(t testing.TB, u Claim, parts ...Part) {
	t.Helper()
	for _, p := range parts {
		must(t, u.Add(p))
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantContent(t *testing.T, u Claim, name string, parts []Part) {
	t.Helper()
	rec, have, ok := u.Load()
	if !ok || rec != testRecord(name) || !slices.Equal(have, parts) {
		t.Errorf("Load: %v, %d parts, record %+v, want %d parts of %+v", ok, len(have), rec, len(parts), testRecord(name))
	}
}

// onDisk reads what the file of u holds, as another process would find it.
func onDisk(t *testing.T, u *dirUpload) content {
	t.Helper()
	f, err := os.Open(u.file.path)
	must(t, err)
	defer f.Close()
	info, err := f.Stat()
	must(t, err)
	c, err := readContent(f, info.Size())
	must(t, err)
	return c
}

// filesIn returns the names of what is in dir.
func filesIn(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	must(t, err)
	for i := range files {
		files[i] = filepath.Base(files[i])
	}
	return files
}
