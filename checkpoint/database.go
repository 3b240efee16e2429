package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime/debug"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/vodupload/vodupload/checkpoint/internal/boltfile"
	"github.com/vodupload/vodupload/checkpoint/internal/filelock"
)

// fill is how full bbolt leaves a page that it splits. Parts arrive nearly in
// order, so that most pages are never touched again; the rest is for those that
// come late.
const fill = 0.9

// open hands the file to bbolt, which locks it once more and closes it in the end.
func (r *recordFile) open(noSync bool) error {
	if r.db != nil {
		return nil
	}
	return r.guard(func() error {
		db, err := bolt.Open(r.path, 0o600, &bolt.Options{
			Timeout: time.Nanosecond, PageSize: boltfile.PageSize, NoStatistics: true, NoSync: noSync, NoGrowSync: noSync,
			OpenFile: func(string, int, fs.FileMode) (*os.File, error) { return r.f, nil },
		})
		if err != nil {
			r.f = nil // bbolt has closed it
			return err
		}
		r.db = db
		return nil
	})
}

// update runs a transaction. One that fails has changed nothing, and may be tried
// again: bbolt writes all of its pages then.
func (r *recordFile) update(fn func(*bolt.Tx) error) error {
	if err := r.open(false); err != nil {
		return err
	}
	err := r.guard(func() error {
		return r.sys.commit(func() error { return r.db.Update(fn) })
	})
	if errors.Is(err, bolterrors.ErrInvalidMapping) || errors.Is(err, bolterrors.ErrDatabaseNotOpen) {
		err = join(err, r.release()) // it could not be mapped again after it grew
	}
	return err
}

// guard makes errors of bbolt's panics. The file was read before bbolt got it, so
// there is none unless another program writes to it, or cuts it short while it is
// mapped. bbolt may hold its own locks then, and is left where it is; only the
// file, and with it the claim, is taken back.
func (r *recordFile) guard(fn func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			filelock.Unlock(r.f)
			_ = r.f.Close()
			r.f, r.db = nil, nil
			err = fmt.Errorf("%w while in use: %v", ErrDamaged, p)
		}
	}()
	return fn()
}

func (r *recordFile) replaceAll(record []byte, parts []Part) error {
	return r.update(func(tx *bolt.Tx) error {
		b, err := emptyBucket(tx)
		if err != nil {
			return err
		}
		if err := b.Put(partKey(0), record); err != nil {
			return err
		}
		return r.putParts(b, tag(record), parts)
	})
}

func emptyBucket(tx *bolt.Tx) (*bolt.Bucket, error) {
	if err := tx.DeleteBucket(bucketName); err != nil && !errors.Is(err, bolterrors.ErrBucketNotFound) {
		return nil, err
	}
	return tx.CreateBucket(bucketName)
}

// putParts writes parts, and up to which number of its frames the journal is done with.
func (r *recordFile) putParts(b *bolt.Bucket, tag []byte, parts []Part) error {
	if err := b.SetSequence(r.number); err != nil {
		return err
	}
	b.FillPercent = fill
	for _, p := range parts {
		value, err := p.AppendBinary(append(make([]byte, 0, usualValueLen), tag...))
		if err != nil {
			return err
		}
		if err := b.Put(partKey(p.Number), value); err != nil {
			return err
		}
	}
	return nil
}
