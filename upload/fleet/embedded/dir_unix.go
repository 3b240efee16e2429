//go:build unix

package embedded

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

const writableByOthers = 0o022

func checkPrivate(dir string, info fs.FileInfo) error {
	if mode := info.Mode().Perm(); mode&writableByOthers != 0 {
		return fmt.Errorf("embedded: other users may write to %s (mode %04o), which is for the server's data: run chmod 700 on it, or choose another Options.Dir", dir, mode)
	}
	return nil
}

func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return f, nil
	}
	f.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, errLocked
	}
	return nil, &fs.PathError{Op: "lock", Path: path, Err: err}
}
