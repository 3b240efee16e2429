package checkpoint

import (
	"context"
	"errors"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"github.com/vodupload/vodupload/checkpoint/internal/boltfile"
)

// add writes parts in one transaction, which is durable when it returns. The error
// is errGone when all there is has to be written again, by begin.
func (r *recordFile) add(parts []Part) error {
	if r.phase != phaseRecord || r.gone() {
		return errGone
	}
	err := r.update(func(tx *bolt.Tx) error {
		b := tx.Bucket(bucketName)
		if b == nil {
			return errGone
		}
		return r.putParts(b, r.tag, parts)
	})
	if errors.Is(err, errGone) || errors.Is(err, ErrDamaged) { // damaged by another program, while it was mapped
		return errGone
	}
	return r.wrap(err)
}

var errGone = errors.New("checkpoint: file was removed while in use")

// begin writes a record with its parts in place of all that the file holds, which
// is durable when it returns. A file that is gone is made again.
func (r *recordFile) begin(ctx context.Context, rec Record, parts []Part) error {
	encoded, err := rec.MarshalBinary()
	if err != nil {
		return err
	}
	err = r.fill(ctx, encoded, parts)
	if errors.Is(err, ErrDamaged) { // by another program, while it was mapped
		err = r.fill(ctx, encoded, parts)
	}
	if err != nil {
		return r.wrap(err)
	}
	r.tag, r.phase = tag(encoded), phaseRecord
	return nil
}

// fill writes a record with its parts into the file, which is claimed again if it is gone.
func (r *recordFile) fill(ctx context.Context, record []byte, parts []Part) error {
	if err := r.regain(ctx); err != nil {
		return err
	}
	if r.phase == phaseEmpty {
		return r.create(record, parts)
	}
	r.phase = phaseMixed // the old content counts until the new is there
	if err := r.list(); err != nil {
		return err
	}
	return r.replaceAll(record, parts)
}

// regain claims a file that is gone. What it holds then stays only if it is sound.
func (r *recordFile) regain(ctx context.Context) error {
	if !r.gone() {
		return nil
	}
	_ = r.release()
	err := r.claim(ctx)
	if errors.Is(err, ErrInUse) {
		return fmt.Errorf("%w: %s was removed while in use, and made again by another", ErrInUse, r.path)
	}
	if err != nil || r.phase == phaseEmpty {
		return err
	}
	if _, err := r.read(); err == nil {
		return nil
	}
	if err := r.f.Truncate(0); err != nil {
		return r.wrap(err)
	}
	r.phase = phaseEmpty
	return nil
}

// create fills an empty file. Nothing was promised of it yet, so the order in which
// its pages reach the disk does not matter, and one sync is enough for all of them.
func (r *recordFile) create(record []byte, parts []Part) error {
	if _, err := r.f.WriteAt(boltfile.Empty(), 0); err != nil {
		return join(err, r.f.Truncate(0))
	}
	err := r.open(true)
	if err == nil {
		err = r.replaceAll(record, parts)
	}
	if err == nil {
		err = r.sys.sync(r.f)
	}
	if err == nil {
		err = r.list()
	}
	if err != nil {
		return join(err, r.remove())
	}
	r.db.NoSync, r.db.NoGrowSync = false, false
	return nil
}

// list makes the file's entry in its directory durable.
func (r *recordFile) list() error {
	if r.dirSynced {
		return nil
	}
	if err := r.sys.syncDir(r.dir); err != nil {
		return err
	}
	r.dirSynced = true
	return nil
}
