//go:build unix

package manifest

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Run("that nobody reads is refused", func(t *testing.T) {
		if w, err := Open(path); err == nil || !strings.Contains(err.Error(), "nobody reads the pipe") {
			t.Errorf("got %v, %v", w, err)
		}
	})
	r, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	w, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("gets whole lines", func(t *testing.T) {
		if err := w.Add(line("a")); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 4096)
		n, err := r.Read(buf)
		if got, read := Read(strings.NewReader(string(buf[:n]))); err != nil || read != nil || len(got) != 1 {
			t.Errorf("got %v, %v, %v", got, err, read)
		}
	})
	t.Run("whose reader is gone is an error", func(t *testing.T) {
		_ = r.Close()
		if err := w.Add(line("b")); err == nil {
			t.Error("no error")
		}
		if err := w.Close(); err == nil {
			t.Error("no error of Close")
		}
	})
}

func TestPipeThatIsNotRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	w, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	ended := make(chan error, 1)
	go func() {
		for {
			if err := w.Add(line("a")); err != nil {
				ended <- err
				return
			}
		}
	}()
	w.Hurry()
	if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}
