package checkpointtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
)

// LeaseTerm is the term of the leases of [Leases].
const LeaseTerm = 30 * time.Second

// Leases is an engine in memory that many machines could share, for tests: each has a
// store of its own, whose claims are leases. Its time is a test's to move: it stands
// still but for [Leases.Advance]. All methods are safe for use by many goroutines.
type Leases struct {
	mu      sync.Mutex
	now     time.Time
	uploads map[checkpoint.Key]*leased
	stores  []*LeasedStore
}

// A leased is an upload that has a record or a holder.
type leased struct {
	rec    checkpoint.Record
	ok     bool
	parts  map[int]checkpoint.Part
	saved  time.Time
	holder *leasedClaim // whose lease has not ended, as the engine knows

	unbegun time.Time // see [checkpoint.Unbegun]
}

// NewLeases returns an engine that holds nothing.
func NewLeases() *Leases {
	return &Leases{now: time.Now(), uploads: make(map[checkpoint.Key]*leased)}
}

// Store returns another store on the engine. holder is its name in a
// [checkpoint.InUseError].
func (l *Leases) Store(holder string) *LeasedStore {
	s := &LeasedStore{engine: l, holder: holder, claims: make(map[*leasedClaim]bool), running: make(chan struct{})}
	close(s.running)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stores = append(l.stores, s)
	return s
}

// Advance lets time pass. Stores renew their leases, unless they are stopped or cut off.
func (l *Leases) Advance(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.now = l.now.Add(d)
	for _, s := range l.stores {
		for c := range s.claims {
			switch {
			case !s.stopped && !s.cut:
				c.renewed = l.now
			case !s.stopped:
				c.lookLocked()
			}
		}
	}
	for _, e := range l.uploads {
		if c := e.holder; c != nil && l.now.Sub(c.renewed) >= LeaseTerm {
			e.holder = nil
		}
	}
}

// A LeasedStore is the store of one machine.
type LeasedStore struct {
	engine *Leases
	holder string

	// The engine's lock guards:
	claims  map[*leasedClaim]bool
	stopped bool
	cut     bool
	closed  bool
	running chan struct{} // closed while it is not stopped
}

var (
	_ checkpoint.Store  = (*LeasedStore)(nil)
	_ checkpoint.Shared = (*LeasedStore)(nil)
)

// Stop does to the store what SIGSTOP does to its process: it renews nothing, its calls do
// not return, and it sees no time pass, until Continue.
func (s *LeasedStore) Stop() {
	s.engine.mu.Lock()
	defer s.engine.mu.Unlock()
	if !s.stopped {
		s.stopped, s.running = true, make(chan struct{})
	}
}

// Continue ends Stop.
func (s *LeasedStore) Continue() {
	s.engine.mu.Lock()
	defer s.engine.mu.Unlock()
	if s.stopped {
		s.stopped = false
		close(s.running)
		for c := range s.claims {
			c.lookLocked()
		}
	}
}

// Cut cuts the store off from the engine, until it is called with false: calls that need
// the engine fail, and nothing is renewed.
func (s *LeasedStore) Cut(off bool) {
	s.engine.mu.Lock()
	defer s.engine.mu.Unlock()
	s.cut = off
}

// ErrCut is what calls of a store return that is cut off from its engine.
var ErrCut = errors.New("checkpointtest: no connection to the engine")

// Shared returns true.
func (s *LeasedStore) Shared() bool { return true }

// lock locks the engine as soon as the store is not stopped.
func (s *LeasedStore) lock() {
	for {
		s.engine.mu.Lock()
		running := s.running
		if !s.stopped {
			return
		}
		s.engine.mu.Unlock()
		<-running
	}
}

// Open implements [checkpoint.Store].
func (s *LeasedStore) Open(ctx context.Context, key checkpoint.Key) (checkpoint.Claim, error) {
	s.lock()
	defer s.engine.mu.Unlock()
	if err := s.readyLocked(ctx); err != nil {
		return nil, err
	}
	e := s.engine.uploads[key]
	if e == nil {
		e = &leased{}
		s.engine.uploads[key] = e
	}
	if h := e.holder; h != nil {
		return nil, fmt.Errorf("%w: %v", &checkpoint.InUseError{Holder: h.store.holder, Until: h.renewed.Add(LeaseTerm)}, key)
	}
	c := &leasedClaim{store: s, key: key, renewed: s.engine.now, lease: checkpoint.NewLease(forEver, time.Now()), taken: time.Now(), unbegun: e.unbegun}
	e.holder = c
	s.claims[c] = true
	c.loadLocked()
	return c, nil
}

// forEver is the term of leases by the clocks of this process: it is the engine's that ends
// them.
const forEver = 1000 * time.Hour

func (s *LeasedStore) readyLocked(ctx context.Context) error {
	switch err := context.Cause(ctx); {
	case err != nil:
		return err
	case s.closed:
		return checkpoint.ErrClosed
	case s.cut:
		return ErrCut
	}
	return nil
}

// List implements [checkpoint.Store].
func (s *LeasedStore) List(ctx context.Context) ([]checkpoint.Entry, error) {
	s.lock()
	defer s.engine.mu.Unlock()
	if err := s.readyLocked(ctx); err != nil {
		return nil, err
	}
	var entries []checkpoint.Entry
	for _, e := range s.engine.uploads {
		if e.ok {
			entries = append(entries, checkpoint.Entry{Record: e.rec, Parts: len(e.parts), Saved: e.saved, InUse: e.holder != nil})
		}
	}
	slices.SortFunc(entries, func(a, b checkpoint.Entry) int { return a.Saved.Compare(b.Saved) })
	return entries, nil
}

// Close implements [checkpoint.Store].
func (s *LeasedStore) Close() error {
	s.lock()
	defer s.engine.mu.Unlock()
	s.closed = true
	for c := range s.claims {
		_ = c.endLocked(func(e *leased) bool { return !e.ok })
	}
	return nil
}

// A leasedClaim is one claim of a LeasedStore.
type leasedClaim struct {
	store *LeasedStore
	key   checkpoint.Key
	lease *checkpoint.Lease

	taken   time.Time // by the clock of this process, as the server's
	unbegun time.Time // what the holder before has left

	// The engine's lock guards:
	renewed time.Time // by the engine's clock
	rec     checkpoint.Record
	ok      bool
	parts   map[int]checkpoint.Part // what this holder knows
	added   []checkpoint.Part       // of these, what the engine does not have yet
}

var (
	_ checkpoint.Held    = (*leasedClaim)(nil)
	_ checkpoint.Unbegun = (*leasedClaim)(nil)
	_ checkpoint.Marker  = (*leasedClaim)(nil)
)

// Lost implements [checkpoint.Held].
func (c *leasedClaim) Lost() <-chan struct{} {
	c.store.engine.mu.Lock() // also while it is stopped: see Leases.Advance
	defer c.store.engine.mu.Unlock()
	if !c.store.stopped {
		c.lookLocked()
	}
	return c.lease.Lost()
}

// lookLocked is the holder's own look at the clock.
func (c *leasedClaim) lookLocked() {
	if passed := c.store.engine.now.Sub(c.renewed); passed >= LeaseTerm/3*2 && c.store.claims[c] {
		_ = c.lease.Lose(fmt.Errorf("not renewed for %v, its lease is for %v", passed, LeaseTerm))
	}
}

// entryLocked returns what the engine has, for a write. The error is that of a holder
// without the lease.
func (c *leasedClaim) entryLocked() (*leased, error) {
	c.lookLocked()
	if err := c.lease.Err(); err != nil {
		return nil, err
	}
	if c.store.cut {
		return nil, ErrCut
	}
	e := c.store.engine.uploads[c.key]
	if e == nil || e.holder != c {
		return nil, c.lease.Lose(errors.New("another holder has it"))
	}
	return e, nil
}

func (c *leasedClaim) loadLocked() {
	e := c.store.engine.uploads[c.key]
	c.rec, c.ok, c.parts = e.rec, e.ok, maps.Clone(e.parts)
}

// Load implements [checkpoint.Claim].
func (c *leasedClaim) Load() (checkpoint.Record, []checkpoint.Part, bool) {
	c.store.lock()
	defer c.store.engine.mu.Unlock()
	if !c.ok || !c.store.claims[c] {
		return checkpoint.Record{}, nil, false
	}
	parts := slices.SortedFunc(maps.Values(c.parts), func(a, b checkpoint.Part) int { return cmp.Compare(a.Number, b.Number) })
	return c.rec, parts, true
}

// Damaged implements [checkpoint.Claim].
func (c *leasedClaim) Damaged() error { return nil }

// Begin implements [checkpoint.Claim].
func (c *leasedClaim) Begin(ctx context.Context, rec checkpoint.Record) error {
	if rec.Version == 0 {
		rec.Version = checkpoint.Version
	}
	if rec.Key != c.key {
		return fmt.Errorf("%w: the record is of %v, want %v", checkpoint.ErrInvalid, rec.Key, c.key)
	}
	b, err := rec.MarshalBinary()
	if err == nil {
		err = rec.UnmarshalBinary(b) // times are in UTC now
	}
	if err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return err
	}
	c.store.lock()
	defer c.store.engine.mu.Unlock()
	e, err := c.entryLocked()
	if err != nil {
		return err
	}
	e.rec, e.ok, e.parts, e.saved, e.unbegun = rec, true, make(map[int]checkpoint.Part), time.Now(), time.Time{}
	c.added = nil
	c.loadLocked()
	return nil
}

// Add implements [checkpoint.Claim]. The engine gets the part with the next Flush or Close.
func (c *leasedClaim) Add(p checkpoint.Part) error {
	if err := p.Validate(); err != nil {
		return err
	}
	c.store.lock()
	defer c.store.engine.mu.Unlock()
	c.lookLocked()
	if err := c.lease.Err(); err != nil {
		return err
	}
	if !c.ok {
		return checkpoint.ErrNoRecord
	}
	c.parts[p.Number] = p
	c.added = append(c.added, p)
	return nil
}

// Flush implements [checkpoint.Claim].
func (c *leasedClaim) Flush(ctx context.Context) error {
	c.store.lock()
	defer c.store.engine.mu.Unlock()
	return c.flushLocked()
}

func (c *leasedClaim) flushLocked() error {
	e, err := c.entryLocked()
	if err != nil {
		return err
	}
	for _, p := range c.added {
		e.parts[p.Number] = p
		e.saved = time.Now()
	}
	c.added = nil
	return nil
}

// Unbegun implements [checkpoint.Unbegun].
func (c *leasedClaim) Unbegun() time.Time { return c.unbegun }

// MarkUnbegun implements [checkpoint.Marker].
func (c *leasedClaim) MarkUnbegun(ctx context.Context) error {
	c.store.lock()
	defer c.store.engine.mu.Unlock()
	return c.markLocked(c.taken)
}

// markLocked says that there may be an upload without a record.
func (c *leasedClaim) markLocked(since time.Time) error {
	e, err := c.entryLocked()
	if err == nil && !e.ok {
		if !c.unbegun.IsZero() && c.unbegun.Before(since) {
			since = c.unbegun
		}
		e.unbegun = since
	}
	return err
}

// Remove implements [checkpoint.Claim].
func (c *leasedClaim) Remove() error {
	return c.finish(func(*leased) bool { return true })
}

// Close implements [checkpoint.Claim].
func (c *leasedClaim) Close() error {
	return c.finish(func(e *leased) bool { return !e.ok })
}

// CloseUnbegun implements [checkpoint.Unbegun].
func (c *leasedClaim) CloseUnbegun(since time.Time) error {
	return c.finish(func(*leased) bool { return c.markLocked(since) != nil })
}

// finish ends the claim. forget is asked, with the lock, whether nothing stays of the upload.
func (c *leasedClaim) finish(forget func(*leased) bool) error {
	c.store.lock()
	defer c.store.engine.mu.Unlock()
	return c.endLocked(forget)
}

func (c *leasedClaim) endLocked(forget func(*leased) bool) error {
	if !c.store.claims[c] {
		return nil
	}
	err := c.flushLocked()
	if e := c.store.engine.uploads[c.key]; err == nil {
		if forget(e) {
			delete(c.store.engine.uploads, c.key)
		}
		e.holder = nil
	}
	delete(c.store.claims, c)
	_ = c.lease.End()
	return err
}
