package checkpoint

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// A Dir is a [Store] in a directory. Many goroutines and many processes of one
// machine may use the same directory at the same time.
type Dir struct {
	path string
	sys  system

	mu     sync.Mutex
	open   map[*dirUpload]struct{}
	closed bool
}

var _ Finder = (*Dir)(nil)

// OpenDir opens the store in the directory dir, which is made, with its parents,
// if there is none; see [MakeDefaultDir] for where it is best put. It needs no
// exclusive access, and does nothing else to the disk. What it makes is for this
// user alone: directories have the permissions 0700, files 0600. A directory that
// is there already keeps the permissions that it has.
func OpenDir(dir string) (*Dir, error) { return openDir(dir, hostSystem()) }

func openDir(dir string, sys system) (*Dir, error) {
	if dir == "" {
		return nil, errors.New("checkpoint: no directory given")
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fail("find", dir, err)
	}
	if err := sys.makeDir(abs); err != nil {
		return nil, err
	}
	// One name for one file, whichever way it was reached: claims go by it.
	path, err := filepath.EvalSymlinks(abs)
	if err != nil {
		return nil, fail("find", abs, err)
	}
	return &Dir{path: path, sys: sys, open: make(map[*dirUpload]struct{})}, nil
}

// Path returns the directory, as an absolute path without symbolic links.
func (d *Dir) Path() string { return d.path }

// file returns the path of an upload's file.
func (d *Dir) file(key Key) string {
	h := sha256.New()
	for _, s := range []string{key.Source, key.Endpoint, key.Bucket, key.Object} {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(s))))
		h.Write([]byte(s))
	}
	const enough = 16 // bytes: uploads of one directory do not meet by chance
	return filepath.Join(d.path, hex.EncodeToString(h.Sum(nil)[:enough])+fileExt)
}

// Open implements [Store]. The upload's file is made and locked; it is filled by
// [Claim.Begin].
func (d *Dir) Open(ctx context.Context, key Key) (Claim, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	if d.isClosed() {
		return nil, ErrClosed
	}
	path := d.file(key)
	u := &dirUpload{
		owner: d, key: key, file: recordFile{sys: &d.sys, dir: d.path, path: path},
		journal: journal{sys: &d.sys, path: path + journalExt},
	}
	if !inProcess.take(u.file.path, u) {
		return nil, inUse(u)
	}
	if err := u.load(ctx); err != nil {
		inProcess.release(u.file.path)
		if errors.Is(err, ErrInUse) {
			err = inUse(u)
		}
		return nil, err
	}
	if !d.keep(u) {
		return nil, join(ErrClosed, u.Close())
	}
	return u, nil
}

// Has implements [Finder].
func (d *Dir) Has(ctx context.Context, key Key) (bool, error) {
	if err := context.Cause(ctx); err != nil {
		return false, err
	}
	if d.isClosed() {
		return false, ErrClosed
	}
	path := d.file(key)
	switch _, err := os.Lstat(path); {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, fail("look at", path, err)
	}
	return true, nil
}

func inUse(u *dirUpload) error { return fmt.Errorf("%w: %v (%s)", ErrInUse, u.key, u.file.path) }

// Close implements [Store].
func (d *Dir) Close() error {
	d.mu.Lock()
	d.closed = true
	open := slices.Collect(maps.Keys(d.open))
	d.mu.Unlock()
	var errs []error
	for _, u := range open {
		errs = append(errs, u.Close())
	}
	return join(errs...)
}

func (d *Dir) isClosed() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.closed
}

// keep records an open upload, unless the store is closed.
func (d *Dir) keep(u *dirUpload) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.closed {
		d.open[u] = struct{}{}
	}
	return !d.closed
}

func (d *Dir) drop(u *dirUpload) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.open, u)
}
