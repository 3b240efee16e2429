package fleettest

import (
	"os/exec"
	"syscall"
)

// endWithParent kills the process when the test's process is gone: the end of its
// standard input does not reach one that is stopped.
func endWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
