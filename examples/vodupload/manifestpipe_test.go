//go:build unix

package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A reader of the manifest that stands still keeps no run from ending, and what it misses is
// said.
func TestInterruptWhileNobodyReadsTheManifest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	path := filepath.Join(w.dir, "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	pipe, err := os.OpenFile(path, os.O_RDWR|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	conn, err := pipe.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{64 << 10, 1} {
		err = nil
		for err == nil {
			_ = conn.Control(func(fd uintptr) { _, err = syscall.Write(int(fd), make([]byte, size)) })
		}
	}
	if !errors.Is(err, syscall.EAGAIN) {
		t.Fatalf("the pipe is not full: %v", err)
	}
	var stderr bytes.Buffer
	code := run([]string{"cp", w.file("a.mp4", 10), "oss://media/", "--manifest", path, "--json", "--endpoint", w.server.URL, "--checkpoint-dir", w.state}, env{
		stdin: strings.NewReader(""), stdout: onDone(func() { w.signals <- os.Interrupt }), stderr: &stderr,
		environ: w.environ, now: time.Now, signals: w.signals, exit: w.exit,
	})
	if code != exitInterrupted || !strings.Contains(stderr.String(), "is not complete") {
		t.Errorf("exit code %d\n%s", code, stderr.String())
	}
}

// An onDone is called with each file that is done, before its line of the manifest is written.
type onDone func()

func (f onDone) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(`"type":"done"`)) {
		f()
	}
	return len(p), nil
}
