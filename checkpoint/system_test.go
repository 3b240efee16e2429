package checkpoint

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestPermissions(t *testing.T) {
	unixOnly(t)
	base := t.TempDir()
	must(t, os.Mkdir(filepath.Join(base, "shared"), 0o755))
	must(t, os.Chmod(filepath.Join(base, "shared"), 0o775))
	d := mustOpenDir(t, filepath.Join(base, "shared", "a", "b"), hostSystem())
	u := mustBegin(t, d, "a")
	defer u.Close()
	for path, want := range map[string]fs.FileMode{
		filepath.Join(base, "shared"): 0o775, // is as it was
		filepath.Dir(d.Path()):        0o700,
		d.Path():                      0o700,
		u.file.path:                   0o600,
	} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s has permissions %v (%v), want %v", path, info.Mode().Perm(), err, want)
		}
	}
}

func TestOpenDirSaysWhatIsWrong(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o600))
	for dir, want := range map[string]string{
		"":                           "no directory given",
		file:                         "is not a directory",
		filepath.Join(file, "below"): file,
	} {
		if _, err := OpenDir(dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("OpenDir(%q): error is %v, want one that says %q", dir, err, want)
		}
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	const path = "/x/y.checkpoint"
	for _, tt := range []struct {
		err  error
		want string
	}{
		{&fs.PathError{Op: "open", Path: path, Err: diskFull[0]}, "free some space"},
		{diskFull[1], "free some space"},
		{fileLimit[0], "raise it"},
		{readOnly[0], "choose another directory"},
		{notDir[0], "choose another directory"},
		{noLocks[0], "on a local disk"},
		{&fs.PathError{Op: "open", Path: path, Err: fs.ErrPermission}, "make it writable"},
	} {
		err := fail("write", path, tt.err)
		if !strings.Contains(err.Error(), tt.want) || strings.Count(err.Error(), path) != 1 {
			t.Errorf("error is %q, want it to name the file once and to say %q", err, tt.want)
		}
		var pe *fs.PathError
		if cause := tt.err; errors.As(cause, &pe) && !errors.Is(err, pe.Err) || pe == nil && !errors.Is(err, cause) {
			t.Errorf("error %v does not wrap %v", err, cause)
		}
	}
}

// unixOnly skips what cannot happen where files in use cannot be touched.
func unixOnly(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("files in use cannot be removed here")
	}
}
