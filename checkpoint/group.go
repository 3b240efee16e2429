package checkpoint

import (
	"context"
	"errors"
	"time"
)

// groupDelay is how long an added part waits for others, to be written with them.
// It leaves as much again for the write itself within the 100 ms that are promised.
const groupDelay = 50 * time.Millisecond

// A group is the parts that are written together. There is no goroutine until its
// time has come.
type group struct {
	timer *time.Timer
	done  chan struct{}
	err   error // when done
}

// end passes the result of a group to all who wait for it. There may be no group.
func (g *group) end(err error) {
	if g != nil {
		g.err = err
		close(g.done)
	}
}

// schedule returns the next group, which is written after delay if there was none
// yet. u.mu is held.
func (u *dirUpload) schedule(delay time.Duration) *group {
	if u.next == nil {
		g := &group{done: make(chan struct{})}
		u.next = g
		u.groups.Add(1)
		g.timer = time.AfterFunc(delay, func() { u.run(g) })
	}
	return u.next
}

// stopNext takes back the next group, unless its time has come. u.mu is held.
func (u *dirUpload) stopNext() *group {
	g := u.next
	if g == nil || !g.timer.Stop() {
		return nil
	}
	u.next = nil
	u.groups.Done()
	return g
}

// run writes a group. Parts that are added until the disk is free are part of it.
func (u *dirUpload) run(g *group) {
	defer u.groups.Done()
	u.disk.Lock()
	defer u.disk.Unlock()
	u.mu.Lock()
	u.next, u.running, u.began = nil, g, time.Now()
	u.mu.Unlock()

	err := u.write()

	u.mu.Lock()
	u.running, u.failed, u.slowest = nil, err, max(u.slowest, time.Since(u.began))
	u.mu.Unlock()
	g.end(err)
}

// write makes all parts durable that are not. u.disk is held.
func (u *dirUpload) write() error {
	u.mu.Lock()
	parts := u.state.takeDirty()
	u.file.number = u.number
	u.mu.Unlock()
	if len(parts) == 0 {
		return nil
	}
	err := u.file.add(parts)
	if errors.Is(err, errGone) {
		u.mu.Lock()
		rec, all := u.state.rec, u.state.all()
		u.file.number = u.number
		u.mu.Unlock()
		u.journal.forget()
		err = u.file.begin(context.Background(), rec, all)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case err != nil:
		u.state.markDirty(parts)
	case len(u.state.dirty) == 0:
		u.frames = u.frames[:0] // they are in the transaction
	}
	return err
}

// handOver has the frames handed to the system soon, whatever the disk is doing
// meanwhile. u.mu is held.
func (u *dirUpload) handOver() {
	if u.handed != nil {
		return
	}
	u.groups.Add(1)
	u.handed = time.AfterFunc(journalDelay, func() {
		defer u.groups.Done()
		u.journal.mu.Lock()
		defer u.journal.mu.Unlock()
		u.mu.Lock()
		frames := u.frames
		u.frames, u.spare, u.handed = u.spare[:0], nil, nil
		u.mu.Unlock()
		u.journal.write(frames)
		u.mu.Lock()
		defer u.mu.Unlock()
		u.spare = frames
	})
}

// Flush implements [Claim].
func (u *dirUpload) Flush(ctx context.Context) error {
	g, err := u.flush()
	if g == nil {
		return err
	}
	select {
	case <-g.done:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if g.err != nil {
		u.clearError(g.err)
	}
	return g.err
}

// flush returns the group that is durable last, on its way. There is none if all
// parts are durable already.
func (u *dirUpload) flush() (*group, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closed {
		return nil, ErrClosed
	}
	if len(u.state.dirty) == 0 {
		return u.running, nil
	}
	g := u.schedule(0)
	if g.timer.Stop() {
		g.timer.Reset(0)
	}
	return g, nil
}

// clearError forgets the error of the last write.
func (u *dirUpload) clearError(err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.failed == err {
		u.failed = nil
	}
}

// Slowest implements [Timed].
func (u *dirUpload) Slowest() time.Duration {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.running == nil {
		return u.slowest
	}
	return max(u.slowest, time.Since(u.began))
}
