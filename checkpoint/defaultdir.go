package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// appName is the store's directory in the user's cache directory.
const appName = "vodupload"

// MakeDefaultDir returns the directory where checkpoints are kept by
// default: vodupload in the user's cache directory (see [os.UserCacheDir]). Where
// there is none, because there is no home or it cannot be written to, it is a
// directory of this user alone under the temporary directory; fallback is true
// then, as such a directory may not outlive a restart of the machine or of the
// container.
//
// The directory is made if it is not there. It is an error if the one under the
// temporary directory exists and is not this user's own: another user may have
// put it there. Set the environment variable XDG_CACHE_HOME (on Unix), or give
// [OpenDir] another directory then.
func MakeDefaultDir() (dir string, fallback bool, err error) {
	sys := hostSystem()
	base, why := os.UserCacheDir()
	if why == nil {
		dir = filepath.Join(base, appName)
		why = sys.makeDir(dir)
	}
	if why == nil {
		why = writable(dir)
	}
	if why == nil {
		return dir, false, nil
	}
	dir, err = privateDir(&sys, os.TempDir(), os.Getuid())
	if err != nil {
		return "", false, fmt.Errorf("%w; the user's cache directory was tried before: %w", err, why)
	}
	return dir, true, nil
}

// privateDir returns a directory under tmp that no other user can look into or
// write to. Names under tmp are for everybody to take, so that one that exists is
// only used if the user uid has made it in the same way.
func privateDir(sys *system, tmp string, uid int) (string, error) {
	name := appName
	if uid >= 0 {
		name = fmt.Sprintf("%s-%d", appName, uid)
	}
	dir := filepath.Join(tmp, name)
	err := os.Mkdir(dir, 0o700)
	if err == nil {
		return dir, sys.syncParent(tmp)
	}
	if !errors.Is(err, fs.ErrExist) {
		return "", fail("make", dir, err)
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return "", fail("look at", dir, err)
	}
	if why := notPrivate(info, uid); why != "" {
		return "", fmt.Errorf("checkpoint: %s %s: remove it, or choose another directory for checkpoints", dir, why)
	}
	return dir, nil
}

// notPrivate says why a directory may be in the hands of another user.
func notPrivate(info fs.FileInfo, uid int) string {
	if !info.IsDir() {
		return fmt.Sprintf("is not a directory (%v)", info.Mode())
	}
	by, known := owner(info)
	switch {
	case !known:
		return ""
	case by != uid:
		return fmt.Sprintf("belongs to user %d, this is user %d", by, uid)
	case info.Mode().Perm()&0o077 != 0:
		return fmt.Sprintf("is open to other users (%v, want 0700)", info.Mode().Perm())
	}
	return ""
}
