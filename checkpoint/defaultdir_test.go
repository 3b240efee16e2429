package checkpoint

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// homes lets the user's directories begin in a directory of the test.
func homes(t *testing.T, home, tmp string) {
	for _, name := range []string{"XDG_CACHE_HOME", "LocalAppData"} {
		t.Setenv(name, "")
	}
	t.Setenv("HOME", home)
	t.Setenv("TMPDIR", tmp)
	t.Setenv("TMP", tmp)
}

func TestDefaultDirIsInTheCache(t *testing.T) {
	home := t.TempDir()
	homes(t, home, t.TempDir())
	t.Setenv("LocalAppData", home)
	dir, fallback, err := MakeDefaultDir()
	if err != nil || fallback || !strings.HasPrefix(dir, home) || filepath.Base(dir) != "vodupload" {
		t.Errorf("MakeDefaultDir is %q, %v, %v, want vodupload below %s", dir, fallback, err, home)
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		t.Errorf("it was not made: %v", err)
	}
}

func TestDefaultDirFallsBack(t *testing.T) {
	noDir := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(noDir, nil, 0o600))
	for name, home := range map[string]string{
		"without a home":                "",
		"where home is not a directory": noDir,
	} {
		t.Run(name, func(t *testing.T) {
			tmp := t.TempDir()
			homes(t, home, tmp)
			for range 2 { // made, and found again
				dir, fallback, err := MakeDefaultDir()
				if err != nil || !fallback || filepath.Dir(dir) != tmp {
					t.Fatalf("MakeDefaultDir is %q, %v, %v, want a fallback in %s", dir, fallback, err, tmp)
				}
				info, err := os.Stat(dir)
				if _, known := owner(info); err != nil || known && info.Mode().Perm() != 0o700 {
					t.Errorf("%s is %v, %v, want 0700", dir, info.Mode(), err)
				}
			}
		})
	}
}

func TestDefaultDirRefusesWhatOthersMayHavePut(t *testing.T) {
	unixOnly(t)
	for want, put := range map[string]func(dir string) error{
		"is not a directory":      func(dir string) error { return os.Symlink(t.TempDir(), dir) },
		"is not a directory (-rw": func(dir string) error { return os.WriteFile(dir, nil, 0o600) },
		"is open to other users": func(dir string) error {
			if err := os.Mkdir(dir, 0o700); err != nil {
				return err
			}
			return os.Chmod(dir, 0o770)
		},
	} {
		t.Run(want, func(t *testing.T) {
			tmp := t.TempDir()
			homes(t, "", tmp)
			dir, _, err := MakeDefaultDir()
			must(t, err)
			must(t, os.Remove(dir))
			must(t, put(dir))
			if _, _, err := MakeDefaultDir(); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), dir) {
				t.Errorf("MakeDefaultDir: error is %v, want one that says that %s %s", err, dir, want)
			}
		})
	}
	t.Run("belongs to another user", func(t *testing.T) {
		sys := hostSystem()
		tmp, other := t.TempDir(), os.Getuid()+1
		must(t, os.Mkdir(filepath.Join(tmp, fmt.Sprint("vodupload-", other)), 0o700))
		want := fmt.Sprintf("belongs to user %d, this is user %d", os.Getuid(), other)
		if _, err := privateDir(&sys, tmp, other); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want one that says that it %s", err, want)
		}
	})
}
