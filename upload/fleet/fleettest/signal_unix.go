//go:build unix

package fleettest

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// stopProcess returns when the process is stopped. The signal takes effect when one of its
// threads has had a processor: until then the others run on.
func stopProcess(p *os.Process) error {
	if err := p.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	var status syscall.WaitStatus
	for {
		_, err := syscall.Wait4(p.Pid, &status, syscall.WUNTRACED, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return fmt.Errorf("wait until it is stopped: %w", err)
		case !status.Stopped():
			return fmt.Errorf("it has ended instead of being stopped: wait status %#x", status)
		default:
			return nil
		}
	}
}

func continueProcess(p *os.Process) error { return p.Signal(syscall.SIGCONT) }
