package upload

import (
	"context"
	"fmt"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/filelist"
	"github.com/vodupload/vodupload/upload/internal/media"
	"github.com/vodupload/vodupload/upload/internal/target"
	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// DefaultSweepAge is what [SweepOptions].OlderThan is unless it is set.
const DefaultSweepAge = 24 * time.Hour

// SweepOptions say which unfinished uploads [Client.Sweep] looks for.
type SweepOptions struct {
	// Endpoint and Bucket say where to look. Without them all checkpoints of the
	// client's store are looked at, and no server's list.
	Endpoint string
	Bucket   string

	// Prefix narrows it to objects whose names begin with it.
	Prefix string

	// OlderThan is how long an upload must have given no sign of life. A negative
	// value means any age: then also an upload is found that another process has
	// begun this moment. The default is 24 hours.
	OlderThan time.Duration

	// RequestPayer has the requester pay, as in [File].
	RequestPayer bool

	// DryRun tells what was found and does nothing. Look before you sweep.
	DryRun bool
}

// A Leftover is an unfinished upload that [Client.Sweep] has found.
type Leftover struct {
	Path     string // of the source; empty if there is no checkpoint of it here
	Endpoint string
	Bucket   string
	Object   string
	UploadID string
	Started  time.Time // by the server's clock
	Active   time.Time // last sign of life
	Parts    int
	Bytes    int64 // of these parts; 0 if that is not known
	Aborted  bool  // it is gone, at the server and on disk
	Err      error // why it is not, unless it was a dry run
}

// Sweep finds unfinished uploads that nobody works on, and aborts them: those that
// checkpoints of the client's store tell of, and those that the server lists under a
// prefix, also of processes that were killed before they could write down that they
// had begun. OSS keeps, and charges for, the parts of unfinished uploads until they
// are aborted. An upload whose checkpoint is in use, in this process or another, is
// never touched, nor is one that a file of the list is to go on with. What a lost answer
// to InitiateMultipartUpload left is mostly gone already: the run that met it lists the
// object's uploads at its end, and aborts those that began while that request was under
// way, have no part, and are in neither the store nor the client, unless there are more
// of them than answers were lost. The token needs the rights oss:ListMultipartUploads, oss:ListParts
// and oss:AbortMultipartUpload.
//
// The error tells what could not be looked at; what was found is returned with it.
// Why a single upload could not be aborted stands in its Err. Close ends a sweep, with
// [ErrClosed]. The only callback that it calls is OnTokenExpired, with a zero FileInfo,
// when it needs a token that nothing else brings; Options.Logger gets a warning of each
// retry.
func (c *Client) Sweep(ctx context.Context, o SweepOptions) ([]Leftover, error) {
	if c.Status() == StateClosed {
		return nil, ErrClosed
	}
	job := &transfer.SweepJob{OlderThan: o.OlderThan, DryRun: o.DryRun}
	if job.OlderThan == 0 {
		job.OlderThan = DefaultSweepAge
	}
	job.Target.Region = c.opts.Region
	if o.Endpoint != "" || o.Bucket != "" || o.Prefix != "" {
		t, err := c.opts.locator().Prefix(o.Endpoint, o.Bucket, o.Prefix)
		if err != nil {
			return nil, invalid("SweepOptions", err)
		}
		c.warnWithoutRegion(t)
		t.RequestPayer = o.RequestPayer
		job.Target = t
	}
	none := &entry{} // the sweep's requests are of no file
	job.Gate, job.Slots = &fileGate{c: c, e: none, cleanup: true}, &fileSlots{c: c}
	job.Emit = func(t target.Target, e transfer.Event) {
		c.logCleanup(e, func() []any { return []any{"sweep", t.Bucket, "object", t.Object} })
	}
	job.Wanted = c.isWanted
	found, err := c.sweep(ctx, job)
	left := make([]Leftover, len(found))
	for i, l := range found {
		left[i] = Leftover{
			Path: l.Key.Source, Endpoint: l.Key.Endpoint, Bucket: l.Key.Bucket, Object: l.Key.Object,
			UploadID: l.UploadID, Started: l.Started, Active: l.Active, Parts: l.Parts, Bytes: l.Bytes,
			Aborted: l.Aborted, Err: target.OneLine(l.Err),
		}
	}
	if err != nil {
		err = target.OneLine(fmt.Errorf("upload: Sweep: %w", err))
	}
	return left, err
}

// isWanted reports whether a file of the list is to go on with the upload of a checkpoint.
func (c *Client) isWanted(k checkpoint.Key) (wanted bool) {
	c.view(func(l *filelist.List) {
		for _, key := range []checkpoint.Key{k, media.Key(k.Source)} {
			f, ok := l.Find(key)
			wanted = wanted || ok && !f.State.Terminal()
		}
	})
	return wanted
}

// sweep ends when the client is closed, as if its context had ended. Close waits for
// it, and it for nobody: it may hold the slots that clean-ups are waiting for.
func (c *Client) sweep(ctx context.Context, job *transfer.SweepJob) (found []transfer.Leftover, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	ran := c.workers.Go(func() {
		defer close(done)
		defer cancel(nil)
		found, err = c.service.Sweep(ctx, job)
	})
	if !ran {
		cancel(nil)
		return nil, ErrClosed
	}
	if c.await(ctx, &c.changed, func(l *filelist.List) bool { return l.State() == filelist.Closed }) == nil {
		cancel(ErrClosed)
	}
	<-done
	return found, err
}

// logCleanup tells an operator what the clean-up after a file, or a sweep, has met.
// Callbacks are not told: the file has ended, or there is none.
func (c *Client) logCleanup(e transfer.Event, about func() []any) {
	switch e.Kind {
	case transfer.Warning:
		c.opts.Logger.Warn("clean-up", append(about(), "warning", e.Err)...)
	case transfer.Retrying:
		c.opts.Logger.Warn("retry of a clean-up", append(about(), "attempt", e.Attempt, "delay", e.Delay, "error", e.Err)...)
	}
}
