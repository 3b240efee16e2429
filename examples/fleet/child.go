package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync/atomic"
	"time"

	"github.com/vodupload/vodupload/upload/fleet/embedded"
)

// childEnv holds what a process is to be, as JSON; the director has none.
const childEnv = "FLEET_EXAMPLE_CHILD"

const ready = "ready"

// A child is a node or a worker in a process of its own.
type child struct {
	Node   *embedded.Options `json:",omitempty"`
	Worker *workerSpec       `json:",omitempty"`
}

func isChild() bool { return os.Getenv(childEnv) != "" }

// runChild is the node or the worker. It ends when the director does, in whatever way:
// then its standard input ends.
func runChild() int {
	signal.Ignore(os.Interrupt) // Ctrl-C is for the director, which ends all others
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	var c child
	err := json.Unmarshal([]byte(os.Getenv(childEnv)), &c)
	switch {
	case err != nil:
	case c.Node != nil:
		err = runNode(c.Node)
	case c.Worker != nil:
		err = runWorker(c.Worker)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", c.name(), err)
		return 1
	}
	return 0
}

// name names the process for people.
func (c child) name() string {
	switch {
	case c.Node != nil:
		return c.Node.Name
	case c.Worker != nil:
		return c.Worker.Name
	}
	return "fleet example"
}

func runNode(o *embedded.Options) error {
	o.ReadyTimeout = 30 * time.Second
	if _, err := embedded.Run(o); err != nil {
		return err
	}
	fmt.Println(ready)
	select {}
}

// A process is a child that runs.
type process struct {
	cmd    *exec.Cmd
	stdin  io.Closer
	killed atomic.Bool
	ended  chan struct{}
}

// start runs this program as a child, and returns when it is ready.
func (c child) start() (*process, error) {
	spec, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), childEnv+"="+string(spec))
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, stdin: stdin, ended: make(chan struct{})}
	line, err := bufio.NewReader(out).ReadString('\n')
	go func() {
		defer close(p.ended)
		_ = cmd.Wait()
	}()
	if strings.TrimSpace(line) != ready {
		p.kill()
		return nil, errors.Join(errors.New(c.name()+" did not start"), err)
	}
	return p, nil
}

// kill ends the process with SIGKILL, and returns when it is gone.
func (p *process) kill() {
	p.killed.Store(true)
	_ = p.cmd.Process.Kill() // fails only if it has ended
	<-p.ended
	_ = p.stdin.Close()
}
