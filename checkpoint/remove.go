package checkpoint

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"

	bolt "go.etcd.io/bbolt"
)

// A List that looks whether the upload is in use has the file open for a moment, and
// Windows does not remove it then.
const (
	removePause = 5 * time.Millisecond
	removeTries = 20
)

// remove deletes the file and gives the claim up. It leaves what is at the path
// alone if that is not ours.
func (r *recordFile) remove() error {
	if err := r.reclaim(); err != nil {
		return err
	}
	if r.gone() {
		return r.release()
	}
	if r.sys.closeFirst {
		return r.removeClosed()
	}
	err := r.sys.remove(r.path)
	return join(r.unlessGone(err), r.release())
}

// reclaim takes back a file that had to be given up after an error, so that it does
// not stay.
func (r *recordFile) reclaim() error {
	if r.f != nil {
		return nil
	}
	if _, err := os.Lstat(r.path); err != nil {
		return r.unlessGone(err)
	}
	err := r.claim(context.Background())
	if errors.Is(err, ErrInUse) {
		return nil // the next holder's by now
	}
	return err
}

// removeClosed is remove where an open file stays. Between closing and removing,
// another holder may claim the file, so nothing is in it any more by then.
func (r *recordFile) removeClosed() error {
	if err := r.clear(); err != nil {
		return join(r.wrap(err), r.release())
	}
	if err := r.release(); err != nil {
		return err
	}
	err := r.sys.remove(r.path)
	for try := 1; try < removeTries && r.unlessGone(err) != nil; try++ {
		time.Sleep(removePause)
		err = r.sys.remove(r.path)
	}
	return r.unlessGone(err)
}

func (r *recordFile) clear() error {
	if r.db == nil {
		return r.f.Truncate(0)
	}
	r.db.NoSync = true // a power failure brings back an upload that is known no more
	return r.update(func(tx *bolt.Tx) error {
		_, err := emptyBucket(tx)
		return err
	})
}

func (r *recordFile) unlessGone(err error) error {
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return fail("remove", r.path, err)
}
