package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/vodupload/vodupload/checkpoint/internal/filelock"
)

// A lister reads a file under a shared lock, for a millisecond or so. A claim that
// meets one tries again for as long as this; one that meets a holder fails at once.
const (
	listerPause = time.Millisecond
	listerTries = 500
)

// errIrregular says that there is something at the path that cannot be a checkpoint.
var errIrregular = errors.New("not a regular file")

// claimFile opens the file at path, making it if there is none, and locks it. The
// error is ErrInUse if another holder has it locked, errIrregular (wrapped) if there
// is no file but something else.
func (s *system) claimFile(ctx context.Context, path string) (*os.File, error) {
	for try := range listerTries {
		if try > 0 {
			if err := pause(ctx, listerPause); err != nil {
				return nil, err
			}
		}
		f, err := s.tryClaim(path)
		if f != nil || err != nil {
			return f, err
		}
	}
	return nil, ErrInUse
}

// tryClaim returns nothing, without an error, when it has to be tried again.
func (s *system) tryClaim(path string) (*os.File, error) {
	info, err := os.Lstat(path)
	if err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: %v", errIrregular, info.Mode().Type())
	}
	f, err := s.openFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errNoDir
	}
	if err != nil {
		return nil, fail("open", path, err)
	}
	ok, err := filelock.Try(f, false)
	switch {
	case err != nil:
		err = fail("lock", path, err)
	case !ok:
		err = lockedBy(f)
	case isAt(path, f):
		return f, nil
	default: // removed, or moved aside, before we had the lock
		filelock.Unlock(f)
	}
	return nil, join(err, f.Close())
}

// errNoDir says that the directory is gone.
var errNoDir = errors.New("checkpoint: directory was removed")

// lockedBy returns nil if f is only being read by a lister, and ErrInUse if it has
// a holder.
func lockedBy(f *os.File) error {
	shared, err := filelock.Try(f, true)
	if err != nil || !shared {
		return ErrInUse
	}
	filelock.Unlock(f)
	return nil
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
