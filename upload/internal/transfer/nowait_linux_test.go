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
