package checkpoint

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/vodupload/vodupload/checkpoint/internal/boltfile"
	"github.com/vodupload/vodupload/checkpoint/internal/filelock"
)

// A phase is how far the content of a recordFile has come.
type phase uint8

const (
	phaseEmpty  phase = iota // nothing was written
	phaseMixed               // not read yet, or a begin failed: it may be of either record
	phaseRecord              // one record and parts of it
)

// A recordFile is the file of one upload, claimed. Its methods are for one
// goroutine at a time.
type recordFile struct {
	sys  *system
	dir  string
	path string

	f         *os.File // nil when it is gone: see [recordFile.gone]
	db        *bolt.DB // over f; opened with the first write
	phase     phase
	tag       []byte // of the record in it
	number    uint64 // of the last frame of the journal whose part is in the next transaction
	dirSynced bool   // its entry in the directory is durable

	unbegun time.Time // when an earlier holder claimed the file that neither began nor removed it; zero: none did
}

// claim locks the file at path and opens it.
func (r *recordFile) claim(ctx context.Context) error {
	_, lerr := os.Lstat(r.path)
	f, err := r.sys.claimFile(ctx, r.path)
	if errors.Is(err, errNoDir) {
		if err := r.sys.makeDir(r.dir); err != nil {
			return err
		}
		f, err = r.sys.claimFile(ctx, r.path)
		if errors.Is(err, errNoDir) {
			if _, statErr := os.Stat(r.dir); statErr == nil { // as in /proc
				err = fmt.Errorf("checkpoint: no file can be made in %s: choose another directory for checkpoints", r.dir)
			}
		}
	}
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		filelock.Unlock(f)
		return join(fail("look at", r.path, err), f.Close())
	}
	r.f, r.phase, r.dirSynced, r.unbegun = f, phaseEmpty, false, time.Time{}
	if info.Size() > 0 {
		r.phase = phaseMixed
	}
	if lerr == nil && neverBegun(f, info.Size()) {
		r.unbegun = info.ModTime()
	}
	return nil
}

// read returns what the claimed file holds.
func (r *recordFile) read() (content, error) {
	info, err := r.f.Stat()
	if err != nil {
		return content{}, err
	}
	if info.Size() > 0 && neverBegun(r.f, info.Size()) {
		// Nothing was promised of it, so that it counts as a new file.
		r.phase = phaseEmpty
		return content{}, r.f.Truncate(0)
	}
	c, err := readContent(r.f, info.Size())
	r.tag = c.tag
	if err == nil && info.Size() > 0 {
		r.phase = phaseRecord
	}
	return c, err
}

// neverBegun reports whether the process that made the file was ended before its
// first transaction: both meta pages, or as much as there is of them, are those of
// an empty database, which is true of an empty file as well. The first transaction
// replaces one of them, and no accident brings it back.
func neverBegun(r io.ReaderAt, size int64) bool {
	head := make([]byte, min(size, 2*boltfile.PageSize))
	_, err := r.ReadAt(head, 0)
	return err == nil && bytes.Equal(head, boltfile.Empty()[:len(head)])
}

// gone reports whether the file is not ours any more: it was removed by another, or
// had to be given up after an error.
func (r *recordFile) gone() bool { return r.f == nil || !isAt(r.path, r.f) }

// isOthers reports whether the file at the path may be another holder's by now.
func (r *recordFile) isOthers() bool {
	_, err := os.Lstat(r.path)
	return err == nil && r.gone()
}

// release gives the claim up and closes the file.
func (r *recordFile) release() error {
	if r.f == nil {
		return nil
	}
	f, db := r.f, r.db
	r.f, r.db = nil, nil
	filelock.Unlock(f)
	if db != nil {
		return db.Close()
	}
	return f.Close()
}

func (r *recordFile) wrap(err error) error {
	if err == nil {
		return nil
	}
	return fail("write", r.path, err)
}
