package filelist

import (
	"fmt"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
)

// AddOptions describe a file that is added.
type AddOptions struct {
	Lane   Lane
	Stream bool
	Size   int64
	Group  *Group // of a file of the queue; nil: none
	Rank   int    // in it
}

// Add puts a file at the end of the list. The error is [ErrClosed] or a
// [*DuplicateError].
func (l *List) Add(key checkpoint.Key, o AddOptions) (ID, error) {
	if l.state == Closed {
		return 0, ErrClosed
	}
	if err := l.unique(key); err != nil {
		return 0, err
	}
	l.lastID++
	f := &node{File: File{ID: l.lastID, Key: key, Lane: o.Lane, Stream: o.Stream, Size: o.Size}, watched: o.Lane == Direct}
	l.files[f.ID] = f
	l.keys[key] = f.ID
	l.link(f)
	if o.Group != nil {
		f.rank = o.Group.rank(o.Rank)
	}
	l.account(f)
	l.resupply(f.Lane)
	l.requeue(f)
	return f.ID, nil
}

func (l *List) unique(key checkpoint.Key) error {
	if other, ok := l.keys[key]; ok {
		return &DuplicateError{key, other}
	}
	return nil
}

// resupply records that a lane is about to get work.
func (l *List) resupply(lane Lane) {
	if lane == Queue {
		l.state, _ = l.state.Next(Resupply)
		l.finished = false
		l.work++
	}
}

// Rename gives a file another key, as when its destination becomes known. The error is
// a [*DuplicateError] where a listed file has it.
func (l *List) Rename(id ID, key checkpoint.Key) error {
	f, err := l.find(id)
	if err != nil {
		return err
	}
	if err := l.unique(key); err != nil {
		return err
	}
	delete(l.keys, f.Key)
	f.Key = key
	l.keys[key] = id
	if f.Phase == Waiting {
		l.replace(f)
	}
	return nil
}

// Do carries out Start, Pause, Resume, Stop or Close. Cause is why files are
// interrupted by Pause, Stop and Close. The error is [ErrState] or [ErrClosed].
func (l *List) Do(a Action, cause error) error {
	to, err := l.state.Next(a)
	if err != nil {
		return err
	}
	l.state = to
	switch a {
	case Start:
		l.work++
	case Pause:
		l.interruptAll(ToPause, cause)
	case Stop:
		l.stops++
		l.cause = cause
		l.interruptAll(ToStop, cause)
	case Close:
		for f := l.first; f != nil; f = f.next {
			l.closeFile(f, cause)
		}
	}
	l.showHolds()
	return nil
}

// interruptAll interrupts all runs. What Stop ends is not only what runs.
func (l *List) interruptAll(why Intent, cause error) {
	for f := l.first; f != nil; f = f.next {
		switch {
		case f.Running():
			l.interrupt(f, why, cause)
		case why != ToStop:
		case f.Lane == Direct && !f.State.Terminal():
			l.fail(f, cause)
		case f.State == FilePaused:
			l.apply(f, FileStop)
		}
		l.rest(f)
	}
}

func (l *List) closeFile(f *node, cause error) {
	switch {
	case f.Running():
		l.interrupt(f, ToClose, cause)
	case f.State.Terminal():
	case f.Begun, f.Lane == Direct:
		l.fail(f, cause)
	default:
		l.effect(Effect{Kind: Release, File: f.ID})
		l.rest(f)
	}
}

// interrupt has a run end. A stronger reason replaces a weaker one that the run has
// not ended for yet.
func (l *List) interrupt(f *node, why Intent, cause error) {
	f.Phase = Interrupted
	if why > f.Why {
		f.Why, f.Cause = why, cause
	}
	l.effect(Effect{Kind: Interrupt, File: f.ID, Run: f.Run, Err: cause})
	l.account(f)
}

// Cancel ends a file and removes what it left. The error is [ErrState] for one that
// has ended.
func (l *List) Cancel(id ID, cause error) error {
	f, err := l.find(id)
	if err != nil {
		return err
	}
	if _, err := f.Shown().Next(FileCancel); err != nil {
		return err
	}
	l.cancel(f, cause)
	return nil
}

func (l *List) cancel(f *node, cause error) {
	if f.Running() {
		l.interrupt(f, ToCancel, cause)
		return
	}
	l.apply(f, FileCancel)
	l.canceled(f)
}

// Fail ends a file with an error of the user's. What it left stays for another try. The
// error is [ErrState] for one that has ended.
func (l *List) Fail(id ID, cause error) error {
	f, err := l.find(id)
	if err != nil {
		return err
	}
	if _, err := f.Shown().Next(FileFail); err != nil {
		return fmt.Errorf("%w: FailFile, the file is %s", ErrState, f.Shown())
	}
	if f.Running() {
		l.interrupt(f, ToFail, cause)
		return nil
	}
	l.failWith(f, cause, false)
	return nil
}

// End ends a direct file whose caller has gone; its checkpoint stays.
func (l *List) End(id ID, cause error) {
	f := l.files[id]
	switch {
	case f == nil:
	case f.Running():
		l.interrupt(f, ToEnd, cause)
	case f.wantsTurn():
		l.fail(f, cause)
	}
}

// Delete takes a file out of the list. One that has not ended is canceled; what a
// failed one left is removed.
func (l *List) Delete(id ID, cause error) error {
	f, err := l.find(id)
	if err != nil {
		return err
	}
	l.delete(f, cause)
	return nil
}

// Clear deletes all files.
func (l *List) Clear(cause error) error {
	if l.state == Closed {
		return ErrClosed
	}
	for l.first != nil {
		l.delete(l.first, cause)
	}
	return nil
}

func (l *List) delete(f *node, cause error) {
	_, err := f.State.Next(FileCancel)
	switch {
	case err == nil && (f.Begun || f.Lane == Direct):
		l.cancel(f, cause)
	case f.busy():
	case f.Leftover:
		l.cleanUp(f)
	case !f.State.Terminal():
		l.unuse(f)
	}
	l.delist(f)
}

// Forget takes a file that has ended out of the list, and leaves what it left.
func (l *List) Forget(id ID) {
	if f := l.files[id]; f != nil && !f.Deleted {
		l.lose(f)
		l.delist(f)
	}
}

// delist takes a file out of the list. Its run or clean-up, if it has one, continues.
func (l *List) delist(f *node) {
	delete(l.keys, f.Key)
	l.keys = Shrink(l.keys, &l.peaks.keys)
	l.unlink(f)
	f.Deleted = true
	l.requeue(f)
	l.account(f)
	if f.busy() {
		l.busyKeys[f.Key]++
		return
	}
	l.rest(f)
	l.drop(f)
}

// Retry sets a failed or canceled file back to init.
func (l *List) Retry(id ID) error {
	f, err := l.find(id)
	if err != nil {
		return err
	}
	switch {
	case f.Stream:
		return fmt.Errorf("%w: ResumeFile: %s comes from a Reader, which cannot be read again: add it again", ErrState, f.Key.Source)
	case f.Lane == Direct:
		return fmt.Errorf("%w: ResumeFile: %s belongs to a call of Upload: call it again", ErrState, f.Key.Source)
	case f.busy() && f.Shown() == FileCanceled:
		return fmt.Errorf("%w: ResumeFile, the file is still being canceled", ErrState)
	}
	if _, err := f.State.Next(FileReset); err != nil {
		return err
	}
	l.resupply(f.Lane)
	l.apply(f, FileReset)
	f.Uploaded, f.InFlight, f.Sent, f.Started = 0, 0, 0, time.Time{}
	l.account(f)
	return nil
}

// SetLimits changes the limits. What is under way continues.
func (l *List) SetLimits(limits Limits) {
	l.limits = limits
	l.startCleanups()
}
