package main

import (
	"net"
	"os"
	"strings"
	"testing"

	"github.com/vodupload/vodupload/upload/osstest"
)

// What a signal ended has not failed, and nothing is said of what could not be looked at.
func TestInterruptIsNoFailure(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		during osstest.Op
		args   []string
	}{
		"sweep of checkpoints": {osstest.OpAbortMultipartUpload, []string{"sweep", "--abort", "--older-than", "0s"}},
		"sweep of a bucket":    {osstest.OpListMultipartUploads, []string{"sweep", "oss://media/"}},
		"uploads of a bucket":  {osstest.OpListMultipartUploads, []string{"uploads", "oss://media/"}},
		"doctor":               {osstest.OpHeadObject, []string{"doctor", "oss://media/"}},
		"doctor, of rights":    {osstest.OpListParts, []string{"doctor", "oss://media/"}},
		"whoami":               {osstest.OpHeadObject, []string{"whoami", "oss://media/"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := interruptedWorld(t)
			w.environ = append(w.environ, "VODUPLOAD_ENDPOINT="+w.server.URL, "VODUPLOAD_CHECKPOINT_DIR="+w.state)
			hang := osstest.Hang(tt.during)
			w.server.Inject(hang)
			go func() {
				<-hang.Fired()
				w.signals <- os.Interrupt
			}()
			w.isInterrupted(tt.args...)
		})
	}
	t.Run("doctor --speed, whose object is there", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.environ = append(w.environ, "VODUPLOAD_ENDPOINT="+w.server.URL, "VODUPLOAD_CHECKPOINT_DIR="+w.state)
		// Two requests look for other objects. The third is to tell what the lost answer was.
		hang := osstest.Hang(osstest.OpHeadObject).Nth(3)
		w.server.Inject(osstest.LoseAnswer(osstest.OpCompleteMultipartUpload), hang)
		go func() {
			<-hang.Fired()
			w.signals <- os.Interrupt
		}()
		w.isInterrupted("doctor", "oss://media/", "--speed")
		if n := len(w.server.Objects("media")) + len(w.server.Uploads("media")); n != 0 {
			t.Errorf("%d things are left", n)
		}
	})
	t.Run("enqueue that waits", func(t *testing.T) {
		w := newWorld(t).withQueue()
		path := w.file("talk.mp4", 10)
		go func() { // there is no worker, so that it waits whenever this comes
			w.signals <- os.Interrupt
		}()
		w.isInterrupted("enqueue", path, "oss://media/", "--wait")
	})
	t.Run("a queue's server that says nothing", func(t *testing.T) {
		w := newWorld(t)
		silent, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer silent.Close()
		go func() {
			for {
				if c, err := silent.Accept(); err == nil {
					defer c.Close()
					w.signals <- os.Interrupt
				} else {
					return
				}
			}
		}()
		w.isInterrupted("jobs", "--nats", "nats://"+silent.Addr().String())
	})
}

// isInterrupted runs a command that a signal ends.
func (w *world) isInterrupted(args ...string) {
	w.t.Helper()
	r := w.run(args...).wants(w.t, exitInterrupted)
	r.says(w.t, "interrupted: resume with: vodupload "+strings.Join(args, " "))
	for _, wrong := range []string{"failed", "error:", "bad  ", "0 abandoned", "context canceled"} {
		if strings.Contains(r.stdout+r.stderr, wrong) {
			w.t.Errorf("it says %q:\n%s%s", wrong, r.stdout, r.stderr)
		}
	}
}
