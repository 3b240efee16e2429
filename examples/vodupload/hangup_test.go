//go:build unix

package main

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/vodupload/vodupload/upload/osstest"
)

// A terminal that is closed ends the run as SIGTERM does, with a summary; nohup keeps it.
func TestHangup(t *testing.T) {
	t.Parallel()
	// A process that catches a signal starts others with what the signal does by default. Where
	// the tests run by nohup, they would inherit that it is ignored.
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGHUP)
	t.Cleanup(func() { signal.Stop(caught) })
	for name, tt := range map[string]struct {
		shell string // around the command
		then  syscall.Signal
		code  int
		says  string
	}{
		"ends the run":         {`exec "$0" "$@"`, 0, exitTemporary, "hangup"},
		"is nothing for nohup": {`trap "" HUP; exec "$0" "$@"`, syscall.SIGTERM, exitTemporary, "terminated"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			hang := osstest.Hang(osstest.OpPutObject)
			w.server.Inject(hang)
			cmd, output := w.command("cp", w.file("a.mp4", 1000), "oss://media/", "--json", "--endpoint", w.server.URL, "--checkpoint-dir", filepath.Join(w.dir, "state"))
			sh := exec.Command("/bin/sh", append([]string{"-c", tt.shell}, cmd.Args...)...)
			sh.Env, sh.Stdout, sh.Stderr = cmd.Env, cmd.Stdout, cmd.Stderr
			if err := sh.Start(); err != nil {
				t.Fatal(err)
			}
			<-hang.Fired()
			_ = sh.Process.Signal(syscall.SIGHUP)
			if tt.then != 0 {
				_ = sh.Process.Signal(tt.then)
			}
			var ended *exec.ExitError
			if err := sh.Wait(); !errors.As(err, &ended) || ended.ExitCode() != tt.code {
				t.Errorf("%v, want exit code %d", err, tt.code)
			}
			if text := output.String(); !strings.Contains(text, tt.says) || !strings.Contains(text, `"exit_code":5`) {
				t.Errorf("want %q and a summary:\n%s", tt.says, text)
			}
		})
	}
}
