//go:build unix

package transfer

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// Opening a pipe that nobody writes to would wait for ever.
func TestOpenFileDoesNotWaitForAPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip(err)
	}
	if _, err := OpenFile(path); !errors.Is(err, ErrNotRegular) {
		t.Errorf("got %v, want ErrNotRegular", err)
	}
}

// TestOpeningAPipeDoesNotWait where there was a regular file when it was looked at.
func TestOpeningAPipeDoesNotWait(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for name, open := range map[string]func() (fs.File, error){
		"by its path":  func() (fs.File, error) { return openRegular(path) },
		"below a root": func() (fs.File, error) { return openBelow(root, "pipe") },
	} {
		done := make(chan error, 1)
		go func() {
			_, err := openSeen(path, func() (fs.FileInfo, error) { return os.Stat(path) }, open)
			done <- err
		}()
		select {
		case err := <-done:
			if !errors.Is(err, ErrNotRegular) {
				t.Errorf("%s: got %v, want ErrNotRegular", name, err)
			}
		case <-time.After(10 * time.Second):
			t.Errorf("%s: it waits for a writer", name)
			w, err := os.OpenFile(path, os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			<-done
			_ = w.Close()
		}
	}
}
