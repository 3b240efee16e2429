package hotfolder

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash/crc64"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// After says what happens to a file once it is uploaded.
type After uint8

// The values of After.
const (
	Leave  After = iota // it stays where it is
	Move                // it is moved to another folder
	Delete              // it is deleted
)

var afterNames = [...]string{"leave", "move", "delete"}

// String returns "leave", "move" or "delete".
func (a After) String() string { return afterNames[a] }

// MarshalText returns what String does.
func (a After) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (a *After) UnmarshalText(text []byte) error {
	for i, name := range afterNames {
		if name == string(text) {
			*a = After(i)
			return nil
		}
	}
	return fmt.Errorf("after: got %q, want leave, move or delete", text)
}

// ErrChanged says that a file is not the one, or not in the state, that was uploaded.
var ErrChanged = errors.New("the file has changed, or somebody has it open for writing")

// privateDir is the folder, beside a file, in which the file is looked at for the last time.
const privateDir = ".vodupload"

// An opened is a file from before its upload until after it.
type opened struct {
	f    *os.File
	path string
	info fs.FileInfo // when it was opened
	id   Identity
	ctim time.Time // of the inode; zero where the system has none
	back *Identity // of a file that was set aside and has its name again; nil: there is none

	window func() // for tests: between the last look at the path and the rename
}

// open opens the file for a last look before its upload. The error is ErrChanged (wrapped)
// if it is not what it was, or open for writing.
func open(path string, want Identity) (*opened, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|nonblock, 0)
	if err != nil {
		return nil, err
	}
	o := &opened{f: f, path: path}
	o.info, err = f.Stat()
	if err == nil {
		o.id, o.ctim = IdentityOf(o.info), changeTime(o.info)
		err = o.unchanged()
	}
	if err == nil && !o.id.Equal(want) {
		err = ErrChanged
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return o, nil
}

// unchanged returns ErrChanged (wrapped) unless the open file is as it was when it was
// opened, is the one at its path, and nobody has it open for writing.
func (o *opened) unchanged() error {
	if err := o.sameAt(o.path); err != nil {
		return err
	}
	info, err := o.f.Stat()
	if err != nil {
		return err
	}
	if !changeTime(info).Equal(o.ctim) {
		return ErrChanged
	}
	return nil
}

// sameAt is unchanged for a path to which the file may have been renamed, which changes its
// change time.
func (o *opened) sameAt(path string) error {
	info, err := o.f.Stat()
	if err != nil {
		return err
	}
	there, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return ErrChanged
	}
	if err != nil {
		return err
	}
	if !there.Mode().IsRegular() || !os.SameFile(o.info, there) || !IdentityOf(info).Equal(o.id) || !IdentityOf(there).Equal(o.id) {
		return ErrChanged
	}
	if writing, _ := openForWriting(o.f); writing {
		return ErrChanged
	}
	return nil
}

func (o *opened) close() { _ = o.f.Close() }

// setAside renames the file to a name that no other program knows, and looks at it again.
// If it is not the one that was opened, it is put back, and the error is ErrChanged.
func (o *opened) setAside() (held string, err error) {
	if err := o.unchanged(); err != nil {
		return "", err
	}
	if !canRenameOpen {
		o.close()
	}
	held = filepath.Join(filepath.Dir(o.path), privateDir, filepath.Base(o.path))
	if err := o.renameTo(held); err != nil {
		return "", err
	}
	if err := o.sameAtHeld(held); err != nil {
		return "", errors.Join(err, o.putBack(held))
	}
	return held, nil
}

// renameTo renames the file into the private folder, which is made. A worker that has emptied
// the folder removes it at any moment, so it may have to be made again.
func (o *opened) renameTo(held string) (err error) {
	for range 100 {
		if err := os.Mkdir(filepath.Dir(held), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		if o.window != nil {
			o.window()
		}
		if err = renameNew(o.path, held); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if _, there := os.Lstat(o.path); errors.Is(there, fs.ErrNotExist) {
			return ErrChanged
		}
	}
	return err
}

func (o *opened) sameAtHeld(held string) error {
	if canRenameOpen {
		return o.sameAt(held)
	}
	there, err := os.Lstat(held)
	if err == nil && (!os.SameFile(o.info, there) || !IdentityOf(there).Equal(o.id)) {
		err = ErrChanged
	}
	return err
}

// putBack undoes setAside.
func (o *opened) putBack(held string) error {
	info, infoErr := os.Lstat(held)
	to, err := putBack(held, o.path)
	if infoErr == nil && err == nil && to == o.path {
		id := IdentityOf(info)
		o.back = &id
	}
	return err
}

// putBack gives a file that was set aside its name again, or one like it if that is taken,
// which it returns.
func putBack(held, path string) (to string, err error) {
	to, err = renameFree(held, path)
	_ = os.Remove(filepath.Dir(held)) // if it is empty
	return to, err
}

// renameFree renames to path, or to a name like it if there is such a file. It returns
// the name.
func renameFree(from, path string) (to string, err error) {
	to = path
	ext := filepath.Ext(path)
	for n := 2; ; n++ {
		err := renameNew(from, to)
		if !errors.Is(err, fs.ErrExist) || n > 1000 {
			return to, err
		}
		to = fmt.Sprintf("%s (%d)%s", strings.TrimSuffix(path, ext), n, ext)
	}
}

// Recover puts back the files that an earlier process set aside before it was killed.
func Recover(dir string) error {
	var errs []error
	_ = filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() || d.Name() != privateDir {
			return nil
		}
		entries, err := os.ReadDir(p)
		if err != nil {
			errs = append(errs, err)
			return fs.SkipDir
		}
		for _, e := range entries {
			if e.Type().IsRegular() {
				_, err := putBack(filepath.Join(p, e.Name()), filepath.Join(filepath.Dir(p), e.Name()))
				errs = append(errs, err)
			}
		}
		_ = os.Remove(p)
		return fs.SkipDir
	})
	return errors.Join(errs...)
}

// dispose does to an uploaded file what comes after, if it is still what was uploaded.
// target is where Move moves it, and want the checksum of what was uploaded. The end of ctx
// ends a copy to another file system, and the file is put back.
func (o *opened) dispose(ctx context.Context, after After, target string, want uint64) error {
	if after == Leave {
		return nil
	}
	held, err := o.setAside()
	if err != nil {
		return err
	}
	if after == Delete {
		err = os.Remove(held)
	} else {
		err = moveTo(ctx, held, target, func(got uint64) error {
			if got != want {
				return fmt.Errorf("%w: the copy has the CRC-64 %d, what was uploaded %d", ErrChanged, got, want)
			}
			return o.sameAtHeld(held) // copying may take minutes
		})
	}
	if err != nil {
		return errors.Join(err, o.putBack(held))
	}
	_ = os.Remove(filepath.Dir(held))
	return nil
}

// moveTo moves a file, to another file system as well: then check, if there is one, gets the
// checksum of the copy, and its error leaves the file where it is.
func moveTo(ctx context.Context, from, target string, check func(crc uint64) error) error {
	if err := os.MkdirAll(filepath.Dir(target), 0o777); err != nil {
		return err
	}
	_, err := renameFree(from, target)
	if !errors.Is(err, syscall.EXDEV) {
		return err
	}
	temp := filepath.Join(filepath.Dir(target), tempName(from))
	crc, err := copyFile(ctx, from, temp)
	if err == nil && check != nil {
		err = check(crc)
	}
	if err == nil {
		_, err = renameFree(temp, target)
	}
	if err != nil {
		_ = os.Remove(temp) // the next attempt replaces it
		return err
	}
	return os.Remove(from)
}

// tempName returns the name of a copy that is not whole. It fits where the file's own does, no
// other file's copy has it, and that of the next attempt has the same.
func tempName(from string) string {
	host, _ := os.Hostname() // several machines may move to one folder
	sum := sha256.Sum256([]byte(host + "\x00" + from))
	return fmt.Sprintf(".vodupload-%x.tmp", sum[:12])
}

// checksum returns the CRC-64 of OSS, or the cause of the end of ctx.
func checksum(ctx context.Context, r io.Reader) (uint64, error) {
	h := crc64.New(crc64.MakeTable(crc64.ECMA))
	_, err := io.Copy(h, endingReader{ctx, r})
	return h.Sum64(), err
}

// An endingReader reads until its context ends.
type endingReader struct {
	ctx context.Context
	r   io.Reader
}

// Read implements io.Reader.
func (r endingReader) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.r.Read(p)
}

// copyFile returns the checksum of the copy.
func copyFile(ctx context.Context, from, to string) (crc uint64, err error) {
	src, err := os.OpenFile(from, os.O_RDONLY|nonblock, 0)
	if err != nil {
		return 0, err
	}
	defer src.Close()
	info, err := src.Stat()
	if err != nil {
		return 0, err
	}
	dst, err := os.OpenFile(to, os.O_RDWR|os.O_CREATE|os.O_TRUNC, info.Mode().Perm())
	if err != nil {
		return 0, err
	}
	crc, err = checksum(ctx, io.TeeReader(src, dst))
	if err == nil {
		err = dst.Sync()
	}
	if err = errors.Join(err, dst.Close()); err != nil {
		return 0, err
	}
	if err := os.Chtimes(to, time.Time{}, info.ModTime()); err != nil {
		return 0, err
	}
	return crc, syncDir(filepath.Dir(to))
}
