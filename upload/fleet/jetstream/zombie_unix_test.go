//go:build unix

package jetstream_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload/fleet/fleettest"
	"github.com/vodupload/vodupload/upload/fleet/jetstream"
)

// TestStoppedWorker stops the process of a worker past its lease. Another finishes its
// upload, a newer film takes the name, and the worker continues: nothing happens to the
// newer film.
func TestStoppedWorker(t *testing.T) {
	t.Parallel()
	cluster := fleettest.Start(t, 1)
	nc := cluster.Connect()
	t.Cleanup(nc.Close)
	const parts = 20
	for name, when := range map[string]func(r *http.Request, part int) bool{
		"between parts":      func(r *http.Request, part int) bool { return part == parts/2 },
		"before Complete":    func(r *http.Request, part int) bool { return part == parts },
		"while it completes": func(r *http.Request, part int) bool { return r.Method == http.MethodPost && part == parts },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			oss := newSlowOSS(t, 20*time.Millisecond)
			path, newer := film(t, parts), film(t, parts)
			w := worker{NATS: cluster.URLs(), Namespace: namespace(), OSS: oss.url, Path: path, Object: "film.mp4", Lease: 3 * time.Second}

			var sent atomic.Int32
			var process *exec.Cmd
			started, stopped := make(chan struct{}), make(chan struct{})
			oss.watch(func(r *http.Request) {
				<-started
				n := int(sent.Load())
				if isPart(r) {
					n = int(sent.Add(1))
				}
				select {
				case <-stopped:
				default:
					if when(r, n) {
						stop(t, process.Process)
						close(stopped)
					}
				}
			})
			process, out := w.start(t)
			close(started)
			<-stopped

			next := open(t, nc, jetstream.Options{Namespace: w.Namespace, Lease: 3 * time.Second})
			r, err := send(t.Context(), next, oss.url, path, w.Object) // waits for the lease
			noError(t, "upload by the next worker", err)
			if r.ResumedParts == 0 && !r.CompletedByOther {
				t.Errorf("the next worker resumed no part: %+v", r)
			}
			oss.checkObject(t, path, w.Object)
			_, err = send(t.Context(), next, oss.url, newer, w.Object)
			noError(t, "upload of a newer film", err)

			var changes atomic.Int32
			oss.watch(func(*http.Request) { changes.Add(1) })
			noError(t, "continue", process.Process.Signal(syscall.SIGCONT))
			err = process.Wait()
			if name != "while it completes" && (err == nil || !strings.Contains(out.String(), "claim lost")) {
				t.Errorf("the stopped worker ended with %v and said %q, want that its claim is lost", err, out)
			}
			oss.checkObject(t, newer, w.Object)
			if n := changes.Load(); n > 1 {
				t.Errorf("the worker made %d requests that change something after it had been stopped, want at most 1", n)
			}
			if left := oss.Uploads("media"); len(left) > 0 {
				t.Errorf("%d uploads are left", len(left))
			}
		})
	}
}

// stop returns when the process is stopped. A signal takes effect when one of its threads
// has had a processor: until then the others run on.
func stop(t *testing.T, p *os.Process) {
	t.Helper()
	if err := p.Signal(syscall.SIGSTOP); err != nil {
		t.Error(err)
		return
	}
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(p.Pid, &status, syscall.WUNTRACED, nil); err != nil || !status.Stopped() {
		t.Errorf("the process is not stopped: %v, %#x", err, status)
	}
}

// start runs the worker in a process of its own.
func (w worker) start(t *testing.T) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	text, err := json.Marshal(w)
	noError(t, "encode", err)
	ctx, cancel := context.WithCancel(context.Background())
	program, err := os.Executable()
	noError(t, "find this program", err)
	cmd := exec.CommandContext(ctx, program)
	cmd.Env = append(os.Environ(), workerEnv+"="+string(text))
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	noError(t, "start a worker", cmd.Start())
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait() // which the test may have done
	})
	return cmd, &out
}
