package upload

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/vodupload/vodupload/upload/internal/credentials"
	"github.com/vodupload/vodupload/upload/internal/tasks"
	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// An intent is why a running file was interrupted. A later one in this order
// outweighs an earlier one.
type intent int8

const (
	goOn intent = iota
	toPause
	toStop
	toEnd // the context of its Upload has ended
	toClose
	toCancel
)

// A file is one entry of the list. Its fields belong to the client's lock, but for
// those that say otherwise.
type file struct {
	info FileInfo // its path is absolute, for a file of the system

	path   string // that is opened: for a file of the system, without symbolic links
	source string // its name in keys: one for all paths of a file
	spec   *File  // without what is in info; shared with others

	stream *transfer.Stream // of File.Reader; nil for all else

	site  *site                            // of the destination; nil: there is none yet
	media *media                           // of Options.Authorizer; nil for a file that was added with a destination
	own   atomic.Pointer[credentials.Gate] // credentials of its own; read without the lock
	given tasks.Signal                     // gets a turn when credentials or a destination come

	prev, next *file // in the list
	place      int   // in the queue

	named    bool // the destination is not the Authorizer's
	deleted  bool // no longer in the list
	solo     bool // of Upload: runs whatever the client's state
	queued   bool // waits for its turn
	begun    bool // OnStarted went out, and no terminal event since
	leftover bool // may have left an upload at the server and a checkpoint
	busy     bool // it runs, or is being cleaned up after
	nameless bool // its Source had no fingerprint when it was added

	unanswered bool   // a PutObject may have made the object; the run's, not the lock's
	intent     intent // of its run's interruption

	turn   int                     // counts its runs
	cancel context.CancelCauseFunc // of its run; nil when it does not run
	cause  error                   // of its interruption

	pending     *event       // the progress event that can still be brought up to date
	undelivered int          // events about it
	uploaded    int64        // told by the last progress event; -1 before the first
	total       int64        // told with it
	changed     tasks.Signal // gets a turn when it has ended, and when its last event was delivered
	share       share        // of the client's totals
}

// running reports whether a goroutine works on the file.
func (f *file) running() bool { return f.cancel != nil }

// snapshot returns what a user sees of the file now.
func (f *file) snapshot() FileInfo {
	info := f.info
	if f.intent == toCancel {
		info.State = FileCanceled
	}
	return info
}

// wantsTurn is false for a file whose last run is still being cleaned up after: it
// is queued again then.
func (f *file) wantsTurn() bool {
	return !f.deleted && !f.busy && (f.info.State == FileInit || f.info.State == FilePaused)
}

// ended reports whether nothing will happen to the file by itself any more.
func (f *file) ended() bool { return f.info.State.terminal() && !f.busy }

// rank is the file's place in the line for slots: that of Upload, which somebody
// waits for, comes before the list.
func (f *file) rank() FileID {
	const ahead = 1 << 62
	if f.solo {
		return f.info.ID - ahead
	}
	return f.info.ID
}

// apply moves a file to its next state. Whoever asks for what the table does not
// have gets an error, and the file stays as it is.
func (c *Client) apply(f *file, a fileAction) error {
	to, err := f.info.State.next(a)
	if err != nil {
		return err
	}
	f.info.State = to
	if to != FileUploading {
		f.info.InFlight = 0
	}
	if to.terminal() {
		f.info.Ended = time.Now()
	}
	c.account(f)
	c.queueUp(f)
	return nil
}

// must is apply for what the client itself has decided: the table not to have it is
// a defect of this package, and the log says so.
func (c *Client) must(f *file, a fileAction) {
	if err := c.apply(f, a); err != nil {
		c.opts.Logger.Error("defect: impossible transition", "file", f.info.ID, "error", err)
	}
}
