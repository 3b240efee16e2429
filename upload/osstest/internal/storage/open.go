package storage

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// formatText is the whole of format.json, by which a server recognizes its own
// directory.
const (
	FormatText    = `{"Format":1}`
	diskFormat    = 1
	maxFormatSize = 4 << 10
)

// layout is what a directory has at its top, apart from files of others.
var layout = struct{ format, lock, incoming, blobs, buckets string }{
	"format.json", "lock", "incoming", "blobs", "buckets",
}

// NewFormat is how the names begin under which format.json is written. A server
// that was killed over that leaves one behind, and nothing else.
const NewFormat = "format.json.new-"

// OpenDisk opens a directory and locks it. A directory that is neither empty
// nor one of a server is refused, and nothing in it is changed, created or locked.
func OpenDisk(dir string) (*Disk, error) {
	own, err := checkDirectory(dir)
	if err != nil {
		return nil, err
	}
	if !own {
		if err := initDirectory(dir); err != nil {
			return nil, err
		}
	}
	lock, err := lockFile(filepath.Join(dir, layout.lock))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	d := &Disk{dir: dir, lock: lock}
	for _, sub := range []string{layout.incoming, layout.blobs, layout.buckets} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			d.Close()
			return nil, err
		}
	}
	return d, nil
}

// ErrInUse is the error of lockFile when another server has the lock.
var ErrInUse = errors.New("another server uses the directory")

// checkDirectory reports whether a directory is one of a server. One that is
// empty or missing is not, and may become one. All others are an error.
func checkDirectory(dir string) (own bool, err error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var foreign []string
	for _, e := range entries {
		if e.Name() == layout.format {
			return true, checkLayout(dir)
		}
		if !strings.HasPrefix(e.Name(), NewFormat) || !e.Type().IsRegular() {
			foreign = append(foreign, e.Name())
		}
	}
	if len(foreign) > 0 {
		return false, fmt.Errorf("%s holds %s, and no %s of a server: it was left as it is; choose an empty or a new directory",
			dir, someOf(foreign), layout.format)
	}
	return false, nil
}

// someOf names the first few of some names.
func someOf(names []string) string {
	const few = 3
	if len(names) <= few {
		return fmt.Sprintf("%q", names)
	}
	return fmt.Sprintf("%q and %d more", names[:few], len(names)-few)
}

// checkLayout checks that a directory is of this layout, and that what stands at
// the names of the layout is what a server made there. A link could lead to
// files of others.
func checkLayout(dir string) error {
	if err := checkFormat(filepath.Join(dir, layout.format)); err != nil {
		return err
	}
	if _, err := isPlainFile(filepath.Join(dir, layout.lock)); err != nil {
		return err
	}
	for _, sub := range []string{layout.incoming, layout.blobs, layout.buckets} {
		if _, err := isPlainDir(filepath.Join(dir, sub)); err != nil {
			return err
		}
	}
	return nil
}

func checkFormat(path string) error {
	if _, err := isPlainFile(path); err != nil {
		return err
	}
	if info, err := os.Stat(path); err != nil || info.Size() > maxFormatSize {
		return errors.Join(err, notOurs(path))
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if strings.TrimSpace(string(data)) == FormatText {
		return nil
	}
	var f struct{ Format int }
	strict := json.NewDecoder(bytes.NewReader(data))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&f); err != nil || f.Format <= diskFormat {
		return notOurs(path)
	}
	return fmt.Errorf("%s: the directory has format %d; this server knows format %d", path, f.Format, diskFormat)
}

func notOurs(path string) error {
	return fmt.Errorf("%s is not of a server: the directory was left as it is; choose an empty or a new one", path)
}

// isPlainDir reports whether there is a directory at a path. Something else
// there, a link to a directory included, is an error.
func isPlainDir(path string) (bool, error) {
	return isPlain(path, "a directory", fs.FileMode.IsDir)
}

// isPlainFile is like isPlainDir, for files. Opening something else could block.
func isPlainFile(path string) (bool, error) {
	return isPlain(path, "a file", fs.FileMode.IsRegular)
}

func isPlain(path, kind string, is func(fs.FileMode) bool) (bool, error) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	case !is(info.Mode()):
		return false, &fs.PathError{Op: "check", Path: path, Err: fmt.Errorf("not %s of a server but %v", kind, info.Mode())}
	}
	return true, nil
}

// initDirectory makes an empty or missing directory one of a server. It comes
// whole or not at all, since a server may be killed at any time.
func initDirectory(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, NewFormat+"*")
	if err != nil {
		return err
	}
	_, err = f.WriteString(FormatText)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, layout.format))
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}
