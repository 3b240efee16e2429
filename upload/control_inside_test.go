package upload

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/transfer"
)

func newTestClient(t *testing.T, o Options) *Client {
	t.Helper()
	o.Checkpoints = checkpoint.NewMemory()
	c, err := New(&o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// TestLateEndOfAnEarlierContext is about a client that was stopped and started anew
// while the end of the first context was on its way.
func TestLateEndOfAnEarlierContext(t *testing.T) {
	c := newTestClient(t, Options{})
	first, cancel := context.WithCancel(t.Context())
	if err := errors.Join(c.Start(first), c.Stop(), c.Start(t.Context())); err != nil {
		t.Fatal(err)
	}
	cancel()
	c.contextEnded(first, 1)
	if got := c.Status(); got != Finished {
		t.Errorf("the client is %s, want it finished: it was started with another", got)
	}
	c.contextEnded(first, 2)
	if got := c.Status(); got != Stopped {
		t.Errorf("the client is %s, want stopped", got)
	}
}

// TestWaitThatMissedAStop looks only when the client has been started again.
func TestWaitThatMissedAStop(t *testing.T) {
	c := newTestClient(t, Options{})
	c.state = Started
	w := waiting{c: c, stops: -1}
	if w.over() {
		t.Error("Wait is over while the client is started")
	}
	c.stops, c.why = c.stops+1, ErrStopped
	if !w.over() || !errors.Is(w.outcome(), ErrStopped) {
		t.Errorf("over %t, %v; want ErrStopped", w.over(), w.outcome())
	}
}

// TestStatsOfAFileThatIsBeingCanceled count it as Files does.
func TestStatsOfAFileThatIsBeingCanceled(t *testing.T) {
	c := newTestClient(t, Options{})
	c.mu.Lock()
	f := &file{spec: &File{}, info: FileInfo{State: FileUploading, Size: 7}, cancel: func(error) {}}
	c.account(f)
	c.interrupt(f, toCancel, ErrCanceled)
	c.mu.Unlock()
	if s := c.Stats(); f.snapshot().State != FileCanceled || s.Files[FileCanceled] != 1 || len(s.Files) != 1 || s.Total != 0 {
		t.Errorf("the file is %s, Stats say %+v", f.snapshot().State, s)
	}
	c.mu.Lock()
	f.deleted = true
	c.account(f)
	c.mu.Unlock()
	if s := c.Stats(); len(s.Files) != 0 {
		t.Errorf("it was deleted, Stats say %+v", s)
	}
}

// TestSuccessWithoutProgress tells of all bytes before it tells of the success, also
// if the transfer has not.
func TestSuccessWithoutProgress(t *testing.T) {
	var told []string
	c := newTestClient(t, Options{Callbacks: Callbacks{
		OnProgress: func(_ *Client, f FileInfo, uploaded, total int64) {
			if uploaded == 7 && total == 7 && f.State == FileUploading {
				told = append(told, "all of it")
			}
		},
		OnSucceeded: func(*Client, FileInfo, Result) { told = append(told, "succeeded") },
	}})
	c.mu.Lock()
	f := &file{begun: true, uploaded: -1, info: FileInfo{State: FileUploading}, spec: &File{}}
	c.succeeded(f, transfer.Result{Size: 7}, time.Second)
	c.mu.Unlock()
	c.callers.Wait(t.Context())
	if len(told) != 2 || told[0] != "all of it" {
		t.Errorf("told %v, want all of it, then the success", told)
	}
}
