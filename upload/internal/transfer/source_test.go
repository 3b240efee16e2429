package transfer

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

func TestFileSourceSeesChanges(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(path string) error
		want   string // part of Check's error; empty: none
	}{
		{"nothing", func(string) error { return nil }, ""},
		{"grown", func(p string) error { return os.WriteFile(p, data(1001, 1), 0o600) }, "1001 bytes, it had 1000"},
		{"truncated", func(p string) error { return os.Truncate(p, 10) }, "10 bytes, it had 1000"},
		{"written", func(p string) error { return os.Chtimes(p, time.Time{}, time.Unix(1, 5)) }, "was written at"},
		{"removed", os.Remove, "no longer there"},
		{"replaced by a rename", func(p string) error {
			info, err := os.Stat(p)
			next := p + ".next"
			return errors.Join(err, os.WriteFile(next, data(1000, 1), 0o600),
				os.Chtimes(next, info.ModTime(), info.ModTime()), os.Rename(next, p))
		}, "another file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if runtime.GOOS == "windows" && (tt.name == "removed" || strings.HasPrefix(tt.name, "replaced")) {
				t.Skip("an open file can be neither removed nor replaced there")
			}
			path := filepath.Join(t.TempDir(), "f")
			if err := os.WriteFile(path, data(1000, 1), 0o600); err != nil {
				t.Fatal(err)
			}
			src := must(OpenFile(path))
			defer src.Close()
			if err := tt.change(path); err != nil {
				t.Fatal(err)
			}
			err := src.Check()
			if tt.want == "" && err != nil {
				t.Fatalf("got %v, want nothing", err)
			}
			if tt.want != "" && (!errors.Is(err, ErrChanged) || !strings.Contains(err.Error(), tt.want)) {
				t.Fatalf("got %v, want ErrChanged with %q", err, tt.want)
			}
		})
	}
}

func TestTouched(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there is no change time")
	}
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, data(1000, 1), 0o600); err != nil {
		t.Fatal(err)
	}
	src := must(OpenFile(path))
	defer src.Close()
	if touched, err := src.Touched(); touched || err != nil {
		t.Errorf("got %t, %v before anything happened", touched, err)
	}
	changeInPlace(t, path, 0, data(1000, 2))
	if err := src.Check(); err != nil {
		t.Errorf("got %v: size and time are the same", err)
	}
	if touched, err := src.Touched(); !touched || err != nil {
		t.Errorf("got %t, %v after its bytes were changed and its time set back", touched, err)
	}
}

// changeInPlace writes to a file, and sets its modification time back. It writes
// until the file system's clock, which ticks every few milliseconds, has moved on.
func changeInPlace(t testing.TB, path string, off int64, b []byte) {
	t.Helper()
	before := must(os.Stat(path))
	f := must(os.OpenFile(path, os.O_WRONLY, 0))
	defer f.Close()
	for range 1_000_000 {
		_, err := f.WriteAt(b, off)
		if err := errors.Join(err, os.Chtimes(path, before.ModTime(), before.ModTime())); err != nil {
			t.Fatal(err)
		}
		if now := must(os.Stat(path)); !changeTime(now).Equal(changeTime(before)) {
			return
		}
	}
	t.Fatal("the clock of the file system stands still")
}

func TestReadAtOfTruncatedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, data(1000, 1), 0o600); err != nil {
		t.Fatal(err)
	}
	src := must(OpenFile(path))
	defer src.Close()
	buf := make([]byte, 100)
	if n, err := src.ReadAt(buf, 900); n != 100 || err != nil && err != io.EOF {
		t.Errorf("the last bytes: got %d, %v", n, err)
	}
	if n, err := src.ReadAt(buf, 950); n != 50 || err != io.EOF {
		t.Errorf("beyond the end: got %d, %v, want 50, EOF", n, err)
	}
	if err := os.Truncate(path, 940); err != nil {
		t.Fatal(err)
	}
	for _, off := range []int64{900, 950} {
		_, err := src.ReadAt(buf, off)
		if !errors.Is(err, ErrChanged) || !strings.Contains(err.Error(), "it had 1000") {
			t.Errorf("at %d after it was cut short: got %v, want ErrChanged", off, err)
		}
	}
}

func TestOpenFileRefuses(t *testing.T) {
	dir := t.TempDir()
	if _, err := OpenFile(dir); !errors.Is(err, ErrNotRegular) || !strings.Contains(err.Error(), "a directory") {
		t.Errorf("a directory: got %v, want ErrNotRegular", err)
	}
	if _, err := OpenFile(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("nothing: got %v, want ErrNotExist", err)
	}
}

func TestFileOfANegativeSizeIsRefused(t *testing.T) {
	fsys := sizedFS{fstest.MapFS{"a": {Data: data(10, 1), ModTime: time.Unix(1e9, 0)}}, -5}
	if _, err := OpenFS(fsys, "a"); !errors.Is(err, os.ErrInvalid) || !strings.Contains(err.Error(), "size -5") {
		t.Errorf("got %v, want os.ErrInvalid and the size", err)
	}
}

// A sizedFS has files that say to have so many bytes once they are open.
type sizedFS struct {
	fstest.MapFS
	size int64
}

func (f sizedFS) Open(name string) (fs.File, error) {
	file, err := f.MapFS.Open(name)
	return sizedFile{file.(openFile), f.size}, err
}

type sizedFile struct {
	openFile
	size int64
}

func (f sizedFile) Stat() (fs.FileInfo, error) {
	info, err := f.openFile.Stat()
	return sizedInfo{info, f.size}, err
}

type sizedInfo struct {
	fs.FileInfo
	size int64
}

func (i sizedInfo) Size() int64 { return i.size }

// TestPathThatLeadsNowhere by now is one without a file, whatever the system calls that.
func TestPathThatLeadsNowhere(t *testing.T) {
	for name, spoil := range map[string]func(folder, path string) error{
		"a folder of it is a file": func(folder, _ string) error {
			return errors.Join(os.RemoveAll(folder), os.WriteFile(folder, nil, 0o600))
		},
		"it is a link to itself": func(_, path string) error {
			return errors.Join(os.Remove(path), os.Symlink(path, path))
		},
		"nothing is there": func(folder, _ string) error { return os.RemoveAll(folder) },
	} {
		t.Run(name, func(t *testing.T) {
			folder := filepath.Join(t.TempDir(), "in")
			path := filepath.Join(folder, "a")
			if err := errors.Join(os.Mkdir(folder, 0o700), os.WriteFile(path, data(10, 1), 0o600)); err != nil {
				t.Fatal(err)
			}
			src := must(OpenFile(path))
			defer src.Close()
			if runtime.GOOS == "windows" {
				t.Skip("files in use cannot be removed here")
			}
			if err := spoil(folder, path); err != nil {
				t.Fatal(err)
			}
			if err := src.Check(); !errors.Is(err, ErrChanged) {
				t.Errorf("Check: got %v, want ErrChanged", err)
			}
			if _, err := OpenFile(path); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("OpenFile: got %v, want fs.ErrNotExist", err)
			}
		})
	}
}
