package hotfolder

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return string(text)
}

// names returns the files below dir.
func names(t *testing.T, dir string) (all []string) {
	t.Helper()
	for name := range readFolder(t.Context(), dir, func(string) bool { return false }).found {
		all = append(all, name)
	}
	return all
}

func openFile(t *testing.T, path string) *opened {
	t.Helper()
	id, _ := look(filepath.Dir(path), filepath.Base(path))
	o, err := open(path, id)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.close)
	return o
}

func sum(text string) uint64 {
	n, _ := checksum(context.Background(), bytes.NewReader([]byte(text)))
	return n
}

func TestDispose(t *testing.T) {
	for name, tt := range map[string]struct {
		after     After
		meanwhile func(t *testing.T, path string)
		changed   bool
		stays     string // the text at the path afterwards
		moved     string
	}{
		"deletes":               {after: Delete},
		"moves":                 {after: Move, moved: "text"},
		"leaves":                {after: Leave, stays: "text"},
		"not what was added to": {Delete, func(t *testing.T, path string) { write(t, path, "text and more") }, true, "text and more", ""},
		"not what has other bytes and the old time": {Delete, func(t *testing.T, path string) {
			info, _ := os.Stat(path)
			write(t, path, "TEXT")
			_ = os.Chtimes(path, time.Time{}, info.ModTime())
		}, true, "TEXT", ""},
		"not what was replaced": {Delete, func(t *testing.T, path string) {
			write(t, path+".new", "text")
			info, _ := os.Stat(path)
			_ = os.Chtimes(path+".new", time.Time{}, info.ModTime())
			_ = os.Rename(path+".new", path)
		}, true, "text", ""},
		"not what is gone": {Delete, func(t *testing.T, path string) { _ = os.Remove(path) }, true, "", ""},
		"not what a link replaced": {Delete, func(t *testing.T, path string) {
			_ = os.Rename(path, path+".old")
			_ = os.Symlink(path+".old", path)
		}, true, "text", ""},
		"not what somebody writes to": {Delete, func(t *testing.T, path string) {
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { f.Close() })
			if runtime.GOOS != "linux" {
				t.Skip("not known here")
			}
		}, true, "text", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if runtime.GOOS != "linux" && name == "not what has other bytes and the old time" {
				t.Skip("change times are not asked for here")
			}
			dir := t.TempDir()
			path := filepath.Join(dir, "clip.mov")
			write(t, path, "text")
			old := time.Now().Add(-time.Hour)
			if err := os.Chtimes(path, time.Time{}, old); err != nil {
				t.Fatal(err)
			}
			o := openFile(t, path)
			if tt.meanwhile != nil {
				tt.meanwhile(t, path)
			}
			target := filepath.Join(dir, "done", "clip.mov")
			err := o.dispose(t.Context(), tt.after, target, sum("text"))
			if errors.Is(err, ErrChanged) != tt.changed || !tt.changed && err != nil {
				t.Errorf("error is %v, want ErrChanged: %v", err, tt.changed)
			}
			if got := read(t, path); got != tt.stays {
				t.Errorf("%q is there, want %q", got, tt.stays)
			}
			if got := read(t, target); got != tt.moved {
				t.Errorf("%q was moved, want %q", got, tt.moved)
			}
			if o.back != nil {
				t.Error("it says that the file was put back, and it never was away")
			}
			if _, err := os.Lstat(filepath.Join(dir, privateDir)); err == nil {
				t.Error("the private folder is left")
			}
		})
	}
}

// The window between the last look at the path and the rename.
func TestFileReplacedInTheWindowIsPutBack(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "clip.mov")
	write(t, path, "text")
	o := openFile(t, path)
	o.window = func() {
		write(t, path+".new", "other")
		_ = os.Rename(path+".new", path)
	}
	if held, err := o.setAside(); !errors.Is(err, ErrChanged) || read(t, path) != "other" {
		t.Fatalf("set aside at %q, error is %v, want ErrChanged and the other file in its place", held, err)
	}
	if id, _ := look(dir, "clip.mov"); o.back == nil || !o.back.Equal(id) {
		t.Errorf("put back: %v, want %v", o.back, id)
	}
}

// Another worker, which was the last to have a file in the private folder, removes it.
func TestPrivateFolderIsMadeAgain(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "clip.mov")
	write(t, path, "text")
	o := openFile(t, path)
	removals := 0
	o.window = func() {
		if removals++; removals <= 3 {
			_ = os.Remove(filepath.Join(dir, privateDir))
		}
	}
	if err := o.dispose(t.Context(), Delete, "", sum("text")); err != nil || len(names(t, dir)) != 0 {
		t.Errorf("error is %v, left is %q, want the file deleted", err, names(t, dir))
	}
	write(t, path, "text")
	if err := os.Symlink("nowhere", filepath.Join(dir, privateDir)); err != nil {
		t.Skip(err)
	}
	if err := openFile(t, path).dispose(t.Context(), Delete, "", sum("text")); err == nil || read(t, path) != "text" {
		t.Errorf("a private folder that leads nowhere: error is %v, text %q", err, read(t, path))
	}
}

func TestPutBackKeepsBoth(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "clip.mov")
	held := filepath.Join(dir, privateDir, "clip.mov")
	write(t, held, "other")
	write(t, path, "third") // somebody is quick
	if _, err := putBack(held, path); err != nil {
		t.Fatal(err)
	}
	if a, b := read(t, path), read(t, filepath.Join(dir, "clip (2).mov")); a != "third" || b != "other" {
		t.Errorf("got %q and %q, want both files", a, b)
	}
}

func TestRecoverPutsBack(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a", privateDir, "clip.mov"), "one")
	write(t, filepath.Join(dir, privateDir, "talk.mov"), "two")
	write(t, filepath.Join(dir, "talk.mov"), "three")
	if err := Recover(dir); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"a/clip.mov": "one", "talk.mov": "three", "talk (2).mov": "two"} {
		if got := read(t, filepath.Join(dir, name)); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if all := names(t, dir); len(all) != 3 {
		t.Errorf("files are %q", all)
	}
}

// otherFileSystem returns a folder of another file system than that of t.TempDir.
func otherFileSystem(t *testing.T) string {
	t.Helper()
	shm := "/dev/shm"
	if info, err := os.Stat(shm); runtime.GOOS != "linux" || err != nil || !info.IsDir() {
		t.Skip("no second file system")
	}
	dir, err := os.MkdirTemp(shm, "hotfolder")
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// A readContext calls a function before the nth read.
type readContext struct {
	context.Context
	n  int
	do func()
}

func (c *readContext) Err() error {
	if c.n--; c.n == 0 {
		c.do()
	}
	return c.Context.Err()
}

func TestMoveToAnotherFileSystem(t *testing.T) {
	dir, target := t.TempDir(), otherFileSystem(t)
	from, to := filepath.Join(dir, "a"), filepath.Join(target, "in", "a")
	write(t, from, "text")
	old := time.Now().Add(-time.Hour).Truncate(time.Second)
	_ = os.Chtimes(from, time.Time{}, old)
	if err := moveTo(t.Context(), from, to, func(uint64) error { return ErrChanged }); !errors.Is(err, ErrChanged) || read(t, from) != "text" || len(names(t, target)) != 0 {
		t.Errorf("refused: error is %v, there are %q", err, names(t, target))
	}
	var got uint64
	if err := moveTo(t.Context(), from, to, func(crc uint64) error { got = crc; return nil }); err != nil || read(t, to) != "text" || got != sum("text") {
		t.Errorf("error is %v, copy is %q, checksum %d", err, read(t, to), got)
	}
	if info, err := os.Stat(to); err != nil || !info.ModTime().Equal(old) {
		t.Errorf("the copy: %v, %v, want the time %v", info, err, old)
	}
	if _, err := os.Lstat(from); err == nil || len(names(t, target)) != 1 {
		t.Errorf("the file is there still, or more than it: %q", names(t, target))
	}
	t.Run("of a name as long as there are", func(t *testing.T) {
		from := filepath.Join(dir, strings.Repeat("a", 255))
		write(t, from, "text")
		if err := moveTo(t.Context(), from, filepath.Join(target, filepath.Base(from)), nil); err != nil {
			t.Error(err)
		}
	})
	for name, tt := range map[string]struct {
		do   func(cancel func(error))
		want error
		text string
	}{
		"other bytes in the upload":      {func(func(error)) {}, ErrChanged, "else"},
		"bytes that change once copied":  {func(func(error)) { write(t, filepath.Join(dir, privateDir, "b"), "TEXT") }, ErrChanged, "TEXT"},
		"the end of ctx, in the middle":  {func(cancel func(error)) { cancel(errFatal) }, errFatal, "text"},
		"another name, once it is taken": {func(func(error)) { _ = Recover(dir) }, ErrChanged, "text"},
	} {
		t.Run(name+": it stays", func(t *testing.T) {
			path := filepath.Join(dir, "b")
			text := "text"
			if tt.text == "else" {
				text = tt.text
			}
			write(t, path, text)
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			o := openFile(t, path)
			err := o.dispose(&readContext{ctx, 2, func() { tt.do(cancel) }}, Move, filepath.Join(target, "b"), sum("text"))
			if !errors.Is(err, tt.want) || read(t, path) != tt.text || read(t, filepath.Join(target, "b")) != "" {
				t.Errorf("error is %v, want %v, and %q", err, tt.want, names(t, dir))
			}
			if left, _ := filepath.Glob(filepath.Join(target, ".*.tmp")); len(left) != 0 {
				t.Errorf("left is %q", left)
			}
		})
	}
}

// Copies of two files for one place are two files: each would have bytes of the other.
func TestNamesOfCopiesDiffer(t *testing.T) {
	if a, b := tempName("/a/talk.mp4"), tempName("/b/talk.mp4"); a == b || a != tempName("/a/talk.mp4") {
		t.Errorf("names are %s and %s", a, b)
	}
}
