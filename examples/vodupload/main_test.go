package main

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"testing"
)

// runAsCommand, in the environment, makes the test binary the command itself, so that
// tests can kill it.
const runAsCommand = "VODUPLOAD_TEST_RUN_AS_COMMAND=1"

func TestMain(m *testing.M) {
	for _, entry := range os.Environ() {
		if entry == runAsCommand {
			main()
		}
	}
	_ = flag.Set("test.parallel", "4") // those that run in parallel wait, most of the time
	os.Exit(m.Run())
}

// command returns the command as a process of its own.
func (w *world) command(args ...string) (cmd *exec.Cmd, output *bytes.Buffer) {
	w.t.Helper()
	cmd = exec.Command(os.Args[0], args...)
	cmd.Env = append([]string{runAsCommand}, w.environ...)
	output = new(bytes.Buffer)
	cmd.Stdout, cmd.Stderr = output, output
	return cmd, output
}
