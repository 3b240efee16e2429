package transfer

import (
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
)

// TestOpenWaitsForALease that another has: the kernel asks its holder to give it back.
func TestOpenWaitsForALease(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	held, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	lease := func(kind uintptr) error {
		_, _, errno := syscall.Syscall(syscall.SYS_FCNTL, held.Fd(), syscall.F_SETLEASE, kind)
		if errno != 0 {
			return errno
		}
		return nil
	}
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGIO)
	defer signal.Stop(asked)
	if err := lease(syscall.F_WRLCK); err != nil {
		t.Skip(err)
	}
	done := make(chan error, 1)
	go func() {
		f, err := openRegular(path)
		if err == nil {
			err = f.Close()
		}
		done <- err
	}()
	<-asked
	if err := lease(syscall.F_UNLCK); err != nil {
		t.Error(err)
	}
	if err := <-done; err != nil {
		t.Errorf("got %v, want it open once the lease was given back", err)
	}
}

// A file system in user space is told how a file was opened with each read of it.
func TestReadsOfAFileWait(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for name, open := range map[string]func() (*os.File, error){
		"by its path":  func() (*os.File, error) { return openRegular(path) },
		"below a root": func() (*os.File, error) { return openBelow(root, "a") },
	} {
		f, err := open()
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		conn, err := f.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.Control(func(fd uintptr) {
			flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, fd, syscall.F_GETFL, 0)
			if errno != 0 || flags&syscall.O_NONBLOCK != 0 {
				t.Errorf("%s: flags are %#x, %v, want them without O_NONBLOCK", name, flags, errno)
			}
		})
	}
}
