package fleettest

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// A process is a node that is running.
type process struct {
	cmd   *exec.Cmd
	stdin io.Closer
	ended chan struct{} // closed when it has been waited for
}

// startProcess runs this program as a node, whose log is appended to a file, and returns
// when it takes connections.
func startProcess(n spec, logPath string) (*process, error) {
	text, err := json.Marshal(n)
	if err != nil {
		return nil, err
	}
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	log, err := os.OpenFile(logPath, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()

	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), nodeEnv+"="+string(text))
	cmd.Stderr = log
	endWithParent(cmd)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	p := &process{cmd: cmd, stdin: stdin, ended: make(chan struct{})}
	go func() {
		defer close(p.ended)
		_ = cmd.Wait() // how a node ends is the test's doing
	}()
	if strings.TrimSpace(line) != ready {
		p.kill()
		return nil, errors.Join(fmt.Errorf("fleettest: node %s did not start (is Init the first call of TestMain?)", n.Name), err)
	}
	return p, nil
}

// kill ends the process at once, also a stopped one, and returns when it is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // fails only if it has ended
	<-p.ended
	p.stdin.Close()
}
