package upload

import (
	"context"
	"errors"
	"testing"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/filelist"
	"github.com/vodupload/vodupload/upload/internal/slots"
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

// TestLateEndOfAnEarlierContext is about a client that was stopped and started again
// while the end of the first context was on its way.
func TestLateEndOfAnEarlierContext(t *testing.T) {
	c := newTestClient(t, Options{})
	first, cancel := context.WithCancel(t.Context())
	if err := errors.Join(c.Start(first), c.Stop(), c.Start(t.Context())); err != nil {
		t.Fatal(err)
	}
	cancel()
	c.startEnded(first, 1)
	if got := c.Status(); got != StateFinished {
		t.Errorf("the client is %s, want it finished: it was started with another", got)
	}
	c.startEnded(first, 2)
	if got := c.Status(); got != StateStopped {
		t.Errorf("the client is %s, want stopped", got)
	}
}

// TestLastProgress reports all bytes before the success, also if the transfer has not.
func TestLastProgress(t *testing.T) {
	var got []FileInfo
	c := newTestClient(t, Options{Callbacks: Callbacks{
		OnProgress: func(_ *Client, f FileInfo, _, _ int64) { got = append(got, f) },
	}})
	e := &entry{path: "talk.mp4", reportedUploaded: -1, result: new(Result)}
	f := filelist.File{State: filelist.FileSucceeded, Size: 7, Uploaded: 7}
	for range 2 {
		c.view(func(*filelist.List) { c.enqueueLastProgressLocked(e, f) })
	}
	c.notify.Idle(t.Context())
	if len(got) != 1 || got[0].State != FileUploading || got[0].Uploaded != 7 || got[0].Result != nil {
		t.Errorf("got %+v; want one progress event of an uploading file, with all bytes", got)
	}
}

func TestAutoIsAnOption(t *testing.T) {
	o, err := (&Options{Parallel: Auto}).withDefaults()
	if err != nil || o.Parallel != slots.AutoMost {
		t.Errorf("got at most %d in flight and error %v, want %d", o.Parallel, err, slots.AutoMost)
	}
	if _, err := (&Options{Parallel: -1}).withDefaults(); !errors.Is(err, ErrInvalidArgument) {
		t.Errorf("got error %v, want ErrInvalidArgument", err)
	}
}
