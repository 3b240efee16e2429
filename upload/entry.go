package upload

import (
	"container/heap"
	"container/list"
	"context"
	"sync/atomic"
	"time"

	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// An intent is why a running file was interrupted.
type intent int

const (
	goOn intent = iota
	toPause
	toStop
	toCancel
	toClose
)

// A file is one entry of the list. Its fields belong to the client's lock, but for
// those that say otherwise.
type file struct {
	id   FileID
	spec File
	path string // absolute, for a file of the system
	info FileInfo

	stream *transfer.Stream // of File.Reader; nil for all else

	target    transfer.Target
	hasTarget bool
	own       atomic.Pointer[gate] // credentials of its own; read without the lock
	given     signal               // gets a turn when credentials or a destination come

	elem    *list.Element // in the list; nil once it was deleted
	queued  bool          // waits for its turn
	solo    bool          // of Upload: runs whatever the client's state
	begun   bool          // OnStarted went out, and no terminal event since
	resumed bool          // has begun a multipart upload that can go on
	intent  intent
	deleted bool
	closed  bool // its Reader
	cancel  context.CancelCauseFunc // of its run; nil when it does not run
	done    chan struct{}           // closed when its run or its clean-up ends; nil when there is neither
	pending *event                  // a progress event that was not delivered yet
}

// running reports whether a goroutine works on the file.
func (f *file) running() bool { return f.cancel != nil }

// snapshot returns what a user sees of the file now.
func (f *file) snapshot() FileInfo {
	info := f.info
	if f.running() && f.intent == toCancel {
		info.State = FileCanceled
	}
	return info
}

// apply moves the file to its next state.
func (f *file) apply(a fileAction) error {
	to, err := f.info.State.next(a)
	if err != nil {
		return err
	}
	f.info.State = to
	switch to {
	case FileSucceeded, FileFailed, FileCanceled:
		f.info.Ended = time.Now()
		f.info.InFlight = 0
	case FileInit, FilePaused:
		f.info.InFlight = 0
	}
	return nil
}

// A queue holds the files that wait for their turn, the first of the list on top.
type queue []*file

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].id < q[j].id }
func (q queue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)        { *q = append(*q, x.(*file)) }

func (q *queue) Pop() any {
	old := *q
	f := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	return f
}

func (q *queue) add(f *file) {
	if !f.queued {
		f.queued = true
		heap.Push(q, f)
	}
}

// take returns the first file that still wants a turn; nil if there is none.
func (q *queue) take() *file {
	for len(*q) > 0 {
		f := heap.Pop(q).(*file)
		f.queued = false
		if f.wantsTurn() {
			return f
		}
	}
	return nil
}

// first returns what take would, and leaves it there.
func (q *queue) first() *file {
	for len(*q) > 0 {
		if (*q)[0].wantsTurn() {
			return (*q)[0]
		}
		heap.Pop(q).(*file).queued = false
	}
	return nil
}

// wantsTurn is false for a file that was canceled or deleted while it waited, and
// for one whose last run is still being cleaned up after: it is queued again then.
func (f *file) wantsTurn() bool {
	return !f.deleted && f.done == nil && (f.info.State == FileInit || f.info.State == FilePaused)
}
