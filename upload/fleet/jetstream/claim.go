package jetstream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
)

const (
	// groupDelay is how long a part waits for others.
	groupDelay = 50 * time.Millisecond

	// closeTimeout is how long Remove and Close wait for the engine: above one election.
	closeTimeout = 10 * time.Second
)

// A claim is a claimed upload of a [Store].
type claim struct {
	store   *Store
	engine  *engine
	key     checkpoint.Key
	subj    subjects
	lease   *checkpoint.Lease
	damaged error     // set by Open
	unbegun time.Time // set by Open
	taken   time.Time

	ctx    context.Context // ends when the claim is lost or closed
	cancel context.CancelCauseFunc
	tasks  sync.WaitGroup

	// turn is held by whoever makes a request for the claim: each renewal changes what
	// the others depend on. What follows belongs to the holder of the turn.
	turn    chan struct{}
	holding holding // as it was last acknowledged
	seq     uint64  // of the lease message
	ids     int     // of messages
	begins  int
	begin   string // of the record
	batch   batch
	marked  bool // there is a message on the record's subject
	parts   bool // there are, or may be, messages of parts, of this record or another

	mu        sync.Mutex // a leaf
	state     state
	pending   []checkpoint.Part // added and not yet written
	scheduled *time.Timer       // of the write to come
	failed    error             // of the last write, until a caller got it
	closed    bool
	began     time.Time // of the write at work; zero: there is none
	slowest   time.Duration
}

var (
	_ checkpoint.Held    = (*claim)(nil)
	_ checkpoint.Unbegun = (*claim)(nil)
	_ checkpoint.Marker  = (*claim)(nil)
	_ checkpoint.Timed   = (*claim)(nil)
)

// start begins to renew a claim that was asked for at the given time.
func (c *claim) start(asked time.Time) {
	c.taken = asked
	c.lease = checkpoint.NewLease(c.store.opts.Lease, asked)
	c.ctx, c.cancel = context.WithCancelCause(context.Background())
	c.tasks.Go(c.watch)
	c.tasks.Go(func() { c.renewals(asked) })
}

// watch ends the claim's requests when it is lost.
func (c *claim) watch() {
	select {
	case <-c.lease.Lost():
		c.cancel(c.lease.Err())
	case <-c.ctx.Done():
	}
}

// Lost implements [checkpoint.Held].
func (c *claim) Lost() <-chan struct{} { return c.lease.Lost() }

// Load implements [checkpoint.Claim].
func (c *claim) Load() (checkpoint.Record, []checkpoint.Part, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || !c.state.ok {
		return checkpoint.Record{}, nil, false
	}
	return c.state.rec, c.state.all(), true
}

// Damaged implements [checkpoint.Claim].
func (c *claim) Damaged() error { return c.damaged }

// Unbegun implements [checkpoint.Unbegun].
func (c *claim) Unbegun() time.Time { return c.unbegun }

// Slowest implements [checkpoint.Timed].
func (c *claim) Slowest() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.began.IsZero() {
		return c.slowest
	}
	return max(c.slowest, time.Since(c.began))
}

// Begin implements [checkpoint.Claim].
func (c *claim) Begin(ctx context.Context, rec checkpoint.Record) error {
	if rec.Version == 0 {
		rec.Version = checkpoint.Version
	}
	rec.Source.ModTime = rec.Source.ModTime.UTC()
	rec.Source.ChangeTime = rec.Source.ChangeTime.UTC()
	rec.Started = rec.Started.UTC()
	if rec.Key != c.key {
		return fmt.Errorf("%w record: it is of %v, the upload was opened for %v", checkpoint.ErrInvalid, rec.Key, c.key)
	}
	// What is kept is what another holder will read.
	data, err := rec.MarshalBinary()
	if err != nil {
		return err
	}
	if err := rec.UnmarshalBinary(data); err != nil {
		return err
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return c.inTurn(ctx, func(ctx context.Context) error { return c.writeRecord(ctx, rec) })
}

// writeRecord replaces the record, and forgets the parts of the one before.
func (c *claim) writeRecord(ctx context.Context, rec checkpoint.Record) error {
	begin := fmt.Sprintf("%s-%d", c.holding.Claim, c.begins)
	m, err := recordMessage(c.subj, begin, rec)
	if err != nil {
		return err
	}
	c.begins++
	seq, err := c.write(ctx, m)
	if err != nil {
		return fmt.Errorf("write the record of %v: %w", c.key, err)
	}
	c.begin, c.marked = begin, true
	c.batch.next()
	c.mu.Lock()
	c.state, c.pending, c.failed = newState(rec), nil, nil
	c.mu.Unlock()
	if c.parts && c.engine.purge(ctx, c.subj.parts(), seq) == nil {
		c.parts = false
	}
	return nil
}

// Add implements [checkpoint.Claim].
func (c *claim) Add(p checkpoint.Part) error {
	if err := p.Validate(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return checkpoint.ErrClosed
	}
	if err := c.lease.Err(); err != nil {
		return err
	}
	if !c.state.ok {
		return checkpoint.ErrNoRecord
	}
	c.state.put(p)
	c.pending = append(c.pending, p)
	if c.scheduled == nil {
		c.tasks.Add(1)
		c.scheduled = time.AfterFunc(groupDelay, c.writeGroup)
	}
	err := c.failed
	c.failed = nil
	return err
}

// writeGroup writes the parts that were added within groupDelay.
func (c *claim) writeGroup() {
	defer c.tasks.Done()
	c.mu.Lock()
	c.scheduled = nil
	c.mu.Unlock()
	// A claim that is lost or closed is reported by other means.
	err := c.inTurn(c.ctx, c.writeParts)
	if err != nil && !errors.Is(err, checkpoint.ErrLost) && !errors.Is(err, checkpoint.ErrClosed) {
		c.mu.Lock()
		c.failed = err
		c.mu.Unlock()
	}
}

// writeParts writes all parts that were added before it began.
func (c *claim) writeParts(ctx context.Context) error {
	for parts := c.takePending(); len(parts) > 0; {
		rest, err := c.writeBatch(ctx, parts)
		if err != nil {
			c.putBack(parts)
			return fmt.Errorf("write %d parts of %v: %w", len(parts), c.key, err)
		}
		parts = rest
	}
	return nil
}

// writeBatch writes as many parts as go into one message, and returns the others; all,
// after an error.
func (c *claim) writeBatch(ctx context.Context, parts []checkpoint.Part) ([]checkpoint.Part, error) {
	data, n, err := fill(c.batch.data, parts)
	if err == nil && n == 0 {
		c.batch.next()
		data, n, err = fill(nil, parts)
	}
	if err != nil {
		return parts, err
	}
	c.parts = true
	name := fmt.Sprintf("%s-%d", c.holding.Claim, c.batch.number)
	if _, err := c.write(ctx, newMessage(c.subj.part(c.begin, name), data)); err != nil {
		// The engine may write it yet, so that its place is not used again.
		c.batch.next()
		return parts, err
	}
	c.batch.data = data
	if len(data) >= sealAt {
		c.batch.next()
	}
	return parts[n:], nil
}

func (c *claim) takePending() []checkpoint.Part {
	c.mu.Lock()
	defer c.mu.Unlock()
	parts := c.pending
	c.pending = nil
	return parts
}

// putBack makes parts the next that are written.
func (c *claim) putBack(parts []checkpoint.Part) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pending = append(parts[:len(parts):len(parts)], c.pending...)
}

// Flush implements [checkpoint.Claim]. It asks the engine in any case: with the parts to
// write, or else by renewing the lease, which the engine refuses to a holder that has
// lost it.
func (c *claim) Flush(ctx context.Context) error {
	return c.inTurn(ctx, func(ctx context.Context) error {
		c.mu.Lock()
		waiting, failed := len(c.pending) > 0, c.failed
		c.failed = nil
		c.mu.Unlock()
		switch {
		case waiting:
			return c.writeParts(ctx) // again those that failed
		case failed != nil:
			return failed
		}
		return c.renew(ctx)
	})
}

// MarkUnbegun implements [checkpoint.Marker].
func (c *claim) MarkUnbegun(ctx context.Context) error {
	return c.inTurn(ctx, func(ctx context.Context) error {
		if c.marked {
			return c.renew(ctx)
		}
		return c.mark(ctx, c.taken)
	})
}

// mark says that there may be an upload without a record.
func (c *claim) mark(ctx context.Context, since time.Time) error {
	if !c.unbegun.IsZero() && c.unbegun.Before(since) {
		since = c.unbegun
	}
	_, err := c.write(ctx, unbegunMessage(c.subj, since))
	if err != nil {
		return fmt.Errorf("mark %v: %w", c.key, err)
	}
	c.marked = true
	return nil
}

// inTurn runs fn while nobody else makes requests for the claim. The context of fn ends
// with ctx and with the claim.
func (c *claim) inTurn(ctx context.Context, fn func(ctx context.Context) error) error {
	if c.isClosed() {
		return checkpoint.ErrClosed
	}
	return c.request(ctx, fn)
}

// request is inTurn for the last request of a claim.
func (c *claim) request(ctx context.Context, fn func(ctx context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(c.ctx, func() { cancel(context.Cause(c.ctx)) })()
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if err := c.lease.Err(); err != nil {
		return err
	}
	c.time(time.Now())
	err := fn(ctx)
	c.time(time.Time{})
	// An answer that took too long is about a lease that may have ended since.
	if lost := c.lease.Err(); lost != nil {
		return lost
	}
	return err
}

// time notes when a request begins, and, with zero, that it ended.
func (c *claim) time(began time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if began.IsZero() {
		c.slowest = max(c.slowest, time.Since(c.began))
	}
	c.began = began
}

func (c *claim) isClosed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

// Remove implements [checkpoint.Claim].
func (c *claim) Remove() error { return c.finish(c.erase) }

// Close implements [checkpoint.Claim].
func (c *claim) Close() error {
	return c.finish(func(ctx context.Context) error {
		if !c.state.ok {
			return c.erase(ctx)
		}
		return c.writeParts(ctx)
	})
}

// CloseUnbegun implements [checkpoint.Unbegun].
func (c *claim) CloseUnbegun(since time.Time) error {
	return c.finish(func(ctx context.Context) error {
		if !c.state.ok {
			return c.mark(ctx, since)
		}
		return c.writeParts(ctx)
	})
}

// erase leaves nothing of the upload. What stands below the message that replaces the
// record is of no use to anybody, whoever has the claim by the time that it is purged.
func (c *claim) erase(ctx context.Context) error {
	if !c.marked && !c.parts {
		return nil
	}
	seq, err := c.writeFor(ctx, newMessage(c.subj.record(), nil), time.Second)
	if err != nil {
		return fmt.Errorf("remove %v: %w", c.key, err)
	}
	if c.parts {
		if err := c.engine.purge(ctx, c.subj.parts(), seq); err != nil {
			return fmt.Errorf("remove the parts of %v: %w", c.key, err)
		}
	}
	return nil
}

// finish ends the claim with its last request.
func (c *claim) finish(last func(ctx context.Context) error) error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil
	}
	c.closed = true
	if c.scheduled != nil && c.scheduled.Stop() {
		c.tasks.Done()
	}
	c.mu.Unlock()

	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	err := c.request(ctx, last)
	if lost := c.lease.End(); lost != nil {
		err = lost
		var now context.CancelFunc
		ctx, now = context.WithTimeout(ctx, tryTimeout) // it is worth one try
		defer now()
	}
	c.end(ctx)
	c.store.drop(c)
	return err
}

// abandon gives up a claim that Open does not return.
func (c *claim) abandon() {
	ctx, cancel := context.WithTimeout(context.Background(), tryTimeout)
	defer cancel()
	_ = c.lease.End()
	c.end(ctx)
}

// end stops the renewals and gives the lease back. Only this claim's own message is
// deleted, so that it does no harm if the lease is another's by now.
func (c *claim) end(ctx context.Context) {
	c.cancel(checkpoint.ErrClosed)
	c.tasks.Wait()
	c.turn <- struct{}{} // for ever: nobody makes a request after this one
	if err := c.engine.delete(ctx, c.seq); err != nil {
		c.engine.log.Warn("jetstream: the claim was not given up; it ends with its lease", "upload", c.key, "error", err)
	}
}
