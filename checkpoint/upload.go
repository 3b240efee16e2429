package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// A dirUpload is an upload of a [Dir].
type dirUpload struct {
	owner   *Dir
	key     Key
	damaged *DamagedError // set before anybody else knows the upload
	unbegun time.Time     // see [Unbegun]; set likewise

	// disk is held while the file is used, and taken before mu. Add does without.
	disk sync.Mutex
	file recordFile

	journal journal

	mu      sync.Mutex
	state   state
	failed  error  // of the last write, until a caller got it
	next    *group // the write to come, if any
	running *group // the write at work, if any
	closed  bool
	groups  sync.WaitGroup // writes to come and at work, those of the journal included
	began   time.Time      // the write at work
	slowest time.Duration  // of the writes that have ended

	tag    [tagLen]byte // of the record
	number uint64       // of the last frame
	frames []byte       // that are not in the journal yet
	spare  []byte       // to put the next into
	handed *time.Timer  // hands them over; nil: there are none
}

var (
	_ Timed   = (*dirUpload)(nil)
	_ Unbegun = (*dirUpload)(nil)
)

// load claims the file and reads it. What cannot be read is moved aside.
func (u *dirUpload) load(ctx context.Context) error {
	const tries = 10 // another process may put something else there each time
	for range tries {
		cause := u.file.claim(ctx)
		if cause == nil {
			cause = u.read()
		} else if !errors.Is(cause, errIrregular) {
			return cause
		}
		if cause == nil {
			u.unbegun = u.file.unbegun
			return nil
		}
		damaged, err := u.file.setAside(cause)
		if err != nil {
			return err
		}
		if u.damaged == nil {
			u.damaged = damaged
		}
	}
	return fmt.Errorf("checkpoint: gave up after %d tries: %w", tries, u.damaged)
}

func (u *dirUpload) read() error {
	c, err := u.file.read()
	if err == nil && c.ok && c.rec.Key != u.key {
		err = fmt.Errorf("it is the record of another upload: %v, want %v", c.rec.Key, u.key)
	}
	if err != nil || !c.ok {
		return err
	}
	frames := u.journal.recall()
	u.mu.Lock() // a List may be looking
	defer u.mu.Unlock()
	u.state, u.number, u.tag = newState(c.rec, c.parts), c.number, [tagLen]byte(c.tag)
	for _, f := range c.later(frames) {
		u.state.add(f.part)
		u.number = f.number
	}
	if len(u.state.dirty) > 0 {
		u.schedule(groupDelay)
	}
	return nil
}

// Load implements [Claim].
func (u *dirUpload) Load() (Record, []Part, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closed || !u.state.ok {
		return Record{}, nil, false
	}
	return u.state.rec, u.state.all(), true
}

// Damaged implements [Claim]. The error is a [*DamagedError].
func (u *dirUpload) Damaged() error {
	if u.damaged == nil {
		return nil
	}
	return u.damaged
}

// Begin implements [Claim].
func (u *dirUpload) Begin(ctx context.Context, rec Record) error {
	rec, err := rec.toWrite(u.key)
	if err != nil {
		return err
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	u.disk.Lock()
	defer u.disk.Unlock()
	if u.isClosed() {
		return ErrClosed
	}
	u.mu.Lock()
	u.file.number = u.number
	u.mu.Unlock()
	if err := u.file.begin(ctx, rec, nil); err != nil {
		return err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.state, u.failed, u.tag, u.frames = newState(rec, nil), nil, [tagLen]byte(u.file.tag), u.frames[:0]
	return nil
}

// Add implements [Claim].
func (u *dirUpload) Add(p Part) error {
	if err := p.Validate(); err != nil {
		return err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case u.closed:
		return ErrClosed
	case !u.state.ok:
		return ErrNoRecord
	}
	u.state.add(p)
	u.number++
	u.frames = appendFrame(u.frames, frame{u.number, u.tag, p})
	u.handOver()
	u.schedule(groupDelay)
	err := u.failed
	u.failed = nil
	return err
}

// Remove implements [Claim]. When it returns, the file is gone; a loss of power
// within the next seconds may bring it back.
func (u *dirUpload) Remove() error {
	return u.finish(func() error {
		u.journal.release(u.file.isOthers())
		return u.file.remove()
	})
}

// Close implements [Claim].
func (u *dirUpload) Close() error {
	return u.finish(u.closeFile)
}

// Unbegun implements [Unbegun].
func (u *dirUpload) Unbegun() time.Time { return u.unbegun }

// CloseUnbegun implements [Unbegun].
func (u *dirUpload) CloseUnbegun(since time.Time) error {
	return u.finish(func() error {
		if u.state.ok || u.file.phase != phaseEmpty || u.file.gone() {
			return u.closeFile()
		}
		return join(os.Chtimes(u.file.path, since, since), u.file.release())
	})
}

func (u *dirUpload) closeFile() error {
	if !u.state.ok {
		return u.file.remove()
	}
	err := u.write()
	if err != nil {
		u.journal.write(u.frames)
	}
	u.journal.release(err != nil || u.file.isOthers())
	return join(err, u.file.release())
}

// finish ends the upload with the last use of its file.
func (u *dirUpload) finish(last func() error) error {
	u.mu.Lock()
	if u.closed {
		u.mu.Unlock()
		return nil
	}
	u.closed = true
	stopped := u.stopNext()
	if u.handed != nil && u.handed.Stop() {
		u.groups.Done()
	}
	u.mu.Unlock()

	u.groups.Wait()
	u.disk.Lock()
	err := last()
	u.disk.Unlock()
	stopped.end(err)
	inProcess.release(u.file.path)
	u.owner.drop(u)
	return err
}

func (u *dirUpload) isClosed() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.closed
}
