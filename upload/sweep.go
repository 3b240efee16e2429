package upload

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload/internal/filelist"
	"github.com/vodupload/vodupload/upload/internal/media"
	"github.com/vodupload/vodupload/upload/internal/target"
	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// DefaultSweepAge is the default of [SweepOptions].OlderThan.
const DefaultSweepAge = 24 * time.Hour

// SweepOptions say which unfinished uploads [Client.Sweep] looks for.
type SweepOptions struct {
	// Endpoint and Bucket say where to look. Without them Sweep goes by the checkpoints
	// of the client's store alone, and no server's list.
	Endpoint string
	Bucket   string

	// Prefix limits the search to objects whose names begin with it.
	Prefix string

	// Credentials signs the requests of this sweep, instead of the client's credentials:
	// give that of File.Credentials. It needs Endpoint and Bucket, since other buckets may
	// be of other owners. Uploads of files in the list are aborted with the credentials of
	// the file in any case. The default is the client's.
	Credentials sts.Provider

	// OlderThan is how long ago the last sign of life of an upload must be. A negative
	// value means any age: that finds even an upload that another process has just
	// begun. The default is 24 hours.
	OlderThan time.Duration

	// RequestPayer makes the requester pay, as in [File].
	RequestPayer bool

	// DryRun reports what was found and aborts nothing. Look before you sweep.
	DryRun bool

	// OnlyThisMachine says that no other machine uploads what Endpoint, Bucket and Prefix
	// name, or none with a store of its own. Sweep needs that to be said before it aborts
	// what the server lists, unless the client's store is [checkpoint.Shared]: to a store
	// of this machine, the uploads of all others look like nobody's. The default is not to
	// know that.
	OnlyThisMachine bool
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

// Sweep finds unfinished uploads that nobody works on, and aborts them: those in the
// checkpoints of the client's store, and those that the server lists under a prefix. The
// latter include uploads of processes that were killed before they could write a
// checkpoint. OSS keeps, and charges for, the parts of unfinished uploads until they are
// aborted. Sweep never touches an upload whose checkpoint is in use, in this process or
// another, nor one that a file of the list will resume. Of other machines it knows only
// what a shared store says: see SweepOptions.OnlyThisMachine. The token needs the rights
// oss:ListMultipartUploads, oss:ListParts and oss:AbortMultipartUpload.
//
// An upload whose answer to InitiateMultipartUpload was lost, or whose process was killed
// before it had recorded the answer, seldom needs a Sweep: the run that lost the answer,
// or the next one of the file, lists the object's uploads at its end. It aborts those that
// began while that request was under way, have no part, and are in neither the store nor
// the client, unless there are more of them than lost answers.
//
// The error says what could not be searched, and is an [*Error] where a request failed; what
// was found is returned with it. The Err of a [Leftover] says why it could not be aborted.
// Close ends a sweep with [ErrClosed]. The only callback that Sweep calls is OnTokenExpired,
// with a zero FileInfo, when it needs a token that nothing else supplies; Options.Logger gets
// a warning of each retry.
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
		if !o.DryRun && !o.OnlyThisMachine && !transfer.IsShared(c.store) {
			return nil, fmt.Errorf("%w: SweepOptions.OnlyThisMachine: got false, want true before Sweep aborts what the server lists in %s: uploads of other machines are not in this client's store of checkpoints, and look abandoned; DryRun shows what is there", ErrInvalidArgument, t.Bucket)
		}
		c.warnWithoutRegion(t)
		t.RequestPayer = o.RequestPayer
		job.Target = t
	}
	if o.Credentials != nil && o.Bucket == "" {
		return nil, fmt.Errorf("%w: SweepOptions.Credentials needs Endpoint and Bucket: checkpoints of other buckets may be of other owners", ErrMissingArgument)
	}
	gate, release := c.gateOfNone(o.Credentials)
	defer release()
	job.Gate, job.Slots, job.GateOf = gate, &fileSlots{c: c}, c.gateOf
	job.Emit = func(t target.Target, e transfer.Event) {
		c.logCleanup(e, func() []any { return []any{"sweep", t.Bucket, "object", t.Object} })
	}
	job.Wanted = c.isWanted
	found, err := whileOpen(ctx, c, func(ctx context.Context) ([]transfer.Leftover, error) { return c.service.Sweep(ctx, job) })
	left := make([]Leftover, len(found))
	for i, l := range found {
		left[i] = Leftover{
			Path: l.Key.Source, Endpoint: l.Key.Endpoint, Bucket: l.Key.Bucket, Object: l.Key.Object,
			UploadID: l.UploadID, Started: l.Started, Active: l.Active, Parts: l.Parts, Bytes: l.Bytes,
			Aborted: l.Aborted,
		}
		if l.Err != nil {
			left[i].Err = newError(left[i].about(), target.OneLine(l.Err))
		}
	}
	return left, sweepError(err, &o)
}

// about is the file of a Leftover, for its error.
func (l *Leftover) about() *FileInfo {
	return &FileInfo{Path: l.Path, Endpoint: l.Endpoint, Bucket: l.Bucket, Object: l.Object, UploadID: l.UploadID}
}

// sweepError is what could not be searched. A request that failed comes with what to do about it.
func sweepError(err error, o *SweepOptions) error {
	var we *transfer.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &we):
		return newError(&FileInfo{Endpoint: o.Endpoint, Bucket: o.Bucket, Object: o.Prefix}, target.OneLine(err))
	}
	return target.OneLine(fmt.Errorf("upload: Sweep: %w", err))
}

// isWanted reports whether a file of the list will resume the upload of a checkpoint.
func (c *Client) isWanted(k checkpoint.Key) (wanted bool) {
	c.view(func(l *filelist.List) {
		for _, key := range []checkpoint.Key{k, media.Key(k.Source)} {
			f, ok := l.Find(key)
			wanted = wanted || ok && !f.State.Terminal()
		}
	})
	return wanted
}

// gateOf returns the gate of the listed file that has a checkpoint's key, where it has
// credentials of its own; nil: there is none.
func (c *Client) gateOf(k checkpoint.Key) (gate transfer.Gate) {
	c.view(func(l *filelist.List) {
		var x *extras
		if f, ok := l.Find(k); ok {
			x = c.entries[FileID(f.ID)].extras
		} else {
			x = c.shared.shelf.extrasOf(k)
		}
		if own := x.credentials(); own != nil {
			gate = &fileGate{c: c, cleanup: true, sweep: own}
		}
	})
	return gate
}
