// Package media keeps what a media service made of a source: one video for the same
// bytes, whatever ends the run or the process in between. The record of it is a
// checkpoint without a destination, whose key is the source alone; who holds it has the
// right to bring the source to the service.
package media

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
)

// ErrAnswerLost is returned when something may have been made, and its ID was lost.
var ErrAnswerLost = errors.New("upload: the answer of the media service was lost")

// An UnkeptError is returned when no record can be kept.
type UnkeptError struct{ Err error }

func (e *UnkeptError) Error() string { return e.Err.Error() }

// Unwrap returns the store's error.
func (e *UnkeptError) Unwrap() error { return e.Err }

// Key is what a source is claimed under before it has a destination.
func Key(source string) checkpoint.Key { return checkpoint.Key{Source: source} }

// Options describe a claim.
type Options struct {
	Store    checkpoint.Store
	Source   string            // its name in keys
	State    checkpoint.Source // of its bytes, as they are now
	Volatile bool              // no later process could know the bytes again: nothing is kept
	Optional bool              // a record that cannot be kept is a warning
	Warn     func(msg string, err error)
}

// A Claim is the right of one run to bring a source to the service. Its methods are
// for one goroutine at a time.
type Claim struct {
	opts Options
	cp   checkpoint.Claim // nil: nothing is kept
	id   string           // of what was made for these bytes; empty: nothing is known
}

// Open claims a source. The error is [checkpoint.ErrInUse], an [*UnkeptError], or what
// ended ctx.
func Open(ctx context.Context, o Options) (*Claim, error) {
	c := &Claim{opts: o}
	if o.Volatile {
		return c, nil
	}
	cp, err := o.Store.Open(ctx, Key(o.Source))
	switch {
	case err == nil:
		c.cp = cp
		if damaged := cp.Damaged(); damaged != nil {
			o.Warn("the video of an earlier run is not known any more", damaged)
		}
	case errors.Is(err, checkpoint.ErrInUse):
		return nil, err
	case ctx.Err() != nil:
		return nil, fmt.Errorf("claim the source: %w", err)
	case !o.Optional:
		return nil, &UnkeptError{err}
	default:
		o.Warn("the video will not be known after the end of this process", err)
	}
	return c, nil
}

// A Memory is what this process knows of an earlier run of the same file. Its zero
// value knows nothing.
type Memory struct {
	State checkpoint.Source // of the bytes that it was made for
	Good  bool              // destination and credentials can still be used
}

// Recall finds out what was made for these bytes before, by this process, which knows
// id, or another, and returns what of the memory still holds. The error is
// [ErrAnswerLost]: a process was killed before it knew the ID of what it made.
func (c *Claim) Recall(ctx context.Context, known Memory, id, made string) (Memory, error) {
	if sameBytes(known.State, c.opts.State) {
		c.id = id
	} else {
		known.Good = false
	}
	if c.cp == nil {
		return known, nil
	}
	rec, _, ok := c.cp.Load()
	switch {
	case !ok:
	case !sameBytes(rec.Source, c.opts.State):
		c.forget(ctx, rec.VideoID)
	case rec.VideoID == "":
		// The mark goes: another try after this error is the user's decision.
		_ = c.cp.Remove()
		return known, fmt.Errorf("%w: a process began to make a video of it at %s, and ended before it knew the video's ID; trying again makes another",
			ErrAnswerLost, rec.Started.Format(time.RFC3339))
	default:
		c.id = rec.VideoID
	}
	known.Good = known.Good && ok && rec.VideoID == made
	return known, nil
}

// sameBytes reports whether a source is the one that a video was made for. A chmod, a
// copy that keeps its time, or a disk mounted again makes no other film of it; which of
// the recorded parts have its bytes is checked when they are resumed.
func sameBytes(a, b checkpoint.Source) bool {
	return a.Size == b.Size && a.ModTime.Equal(b.ModTime) && a.Fingerprint == b.Fingerprint
}

// ID names what was made for these bytes; it is empty if nothing is known.
func (c *Claim) ID() string { return c.id }

// Mark records that something is about to be made. If the process is killed before
// its ID is known, the next one must not just make another.
func (c *Claim) Mark(ctx context.Context) error { return c.begin(ctx, "") }

// Unmark takes the mark back: nothing was made, or the user is about to learn that
// it is not known.
func (c *Claim) Unmark() {
	if c.cp != nil {
		_ = c.cp.Remove()
	}
}

// Keep makes the ID of what was made durable. It is not interrupted: the ID would be
// lost.
func (c *Claim) Keep(ctx context.Context, id string) error {
	c.id = id
	return c.begin(context.WithoutCancel(ctx), id)
}

func (c *Claim) begin(ctx context.Context, id string) error {
	if c.cp == nil {
		return nil
	}
	err := c.cp.Begin(ctx, checkpoint.Record{Key: Key(c.opts.Source), Source: c.opts.State, Started: time.Now(), VideoID: id})
	switch {
	case err == nil, ctx.Err() != nil, errors.Is(err, checkpoint.ErrLost):
		return err
	case c.opts.Optional:
		c.opts.Warn("the video will not be known after the end of this process", err)
		return nil
	}
	return &UnkeptError{err}
}

// Discard forgets what was made, because the service does not resume it.
func (c *Claim) Discard(ctx context.Context) {
	c.forget(ctx, c.id)
	c.id = ""
}

func (c *Claim) forget(ctx context.Context, id string) {
	if err := Forget(ctx, c.opts.Store, c.opts.Source, id); err != nil {
		c.opts.Warn("the checkpoint of an upload that is of no use stays", err)
	}
}

// Release gives up the claim. What was made stays known unless the file is there.
func (c *Claim) Release(succeeded bool) {
	if c.cp == nil {
		return
	}
	release := c.cp.Close
	if succeeded {
		release = c.cp.Remove
	}
	if err := release(); err != nil && !errors.Is(err, checkpoint.ErrLost) {
		c.opts.Warn("give up the claim on the source", err)
	}
}
