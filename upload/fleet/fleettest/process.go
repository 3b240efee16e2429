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
	cmd    *exec.Cmd
	name   string
	stdin  io.WriteCloser
	stdout *bufio.Reader
	ended  chan struct{} // closed when it has been waited for
}

// startProcess runs this program as a node, whose log is appended to a file, and returns
// when it waits for serve.
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
	p := &process{cmd: cmd, name: n.Name, stdin: stdin, stdout: bufio.NewReader(stdout), ended: make(chan struct{})}
	go func() {
		defer close(p.ended)
		_ = cmd.Wait() // how a node ends is the test's doing
	}()
	if err := p.expect(waiting); err != nil {
		p.kill()
		return nil, fmt.Errorf("%w (is Init the first call of TestMain?)", err)
	}
	return p, nil
}

// serve has the node start its server, and returns when that takes connections.
func (p *process) serve() error {
	if _, err := io.WriteString(p.stdin, "\n"); err != nil {
		return fmt.Errorf("fleettest: node %s: %w", p.name, err)
	}
	return p.expect(ready)
}

// expect reads a line that the node prints.
func (p *process) expect(want string) error {
	line, err := p.stdout.ReadString('\n')
	if strings.TrimSpace(line) != want {
		return errors.Join(fmt.Errorf("fleettest: node %s did not start: it says %q, want %q", p.name, line, want), err)
	}
	return nil
}

// kill ends the process at once, also a stopped one, and returns when it is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // fails only if it has ended
	<-p.ended
	p.stdin.Close()
}
