package embedded

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

const lockName = "vodupload.lock"

// errLocked is returned by lockFile when another server has the lock.
var errLocked = errors.New("locked")

// A dirLock keeps a second server out of the folder of the first: they would write over
// each other's files.
type dirLock struct{ file *os.File }

// lockDir makes the folder if there is none, and locks it.
func lockDir(dir string) (*dirLock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("embedded: make the folder for the server's data: %w", err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("embedded: look at the folder for the server's data: %w", err)
	}
	if err := checkPrivate(dir, info); err != nil {
		return nil, err
	}
	f, err := lockFile(filepath.Join(dir, lockName))
	if errors.Is(err, errLocked) {
		return nil, fmt.Errorf("embedded: another server is running on %s: give each its own Options.Dir", dir)
	}
	if err != nil {
		return nil, fmt.Errorf("embedded: lock the folder for the server's data: %w", err)
	}
	return &dirLock{f}, nil
}

// unlock gives the folder up. The lock ends with the file that holds it.
func (l *dirLock) unlock() error { return l.file.Close() }

func joinErrors(err, also error) error {
	if also == nil {
		return err
	}
	return fmt.Errorf("%w; %w", err, also)
}
