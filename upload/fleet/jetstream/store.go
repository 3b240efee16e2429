package jetstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/vodupload/vodupload/checkpoint"
)

// A Store is a [checkpoint.Store] whose claims hold for every machine that opens the same
// namespace. Its claims are [checkpoint.Held], and its InUseErrors name the holder. All
// methods are safe for use by many goroutines.
type Store struct {
	engine *engine
	opts   Options

	mu     sync.Mutex
	open   map[*claim]struct{}
	closed bool
}

var (
	_ checkpoint.Finder = (*Store)(nil)
	_ checkpoint.Shared = (*Store)(nil)
)

// Format writes the name of s's type and nothing else, whatever the verb: it takes no lock.
func (s *Store) Format(f fmt.State, _ rune) { fmt.Fprint(f, "jetstream.Store") }

func newStore(e *engine, o Options) *Store {
	return &Store{engine: e, opts: o, open: make(map[*claim]struct{})}
}

// Shared implements [checkpoint.Shared].
func (s *Store) Shared() bool { return true }

// Open implements [checkpoint.Store]. It waits for the engine for two thirds of the
// lease, or until ctx ends.
func (s *Store) Open(ctx context.Context, key checkpoint.Key) (checkpoint.Claim, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	if s.isClosed() {
		return nil, checkpoint.ErrClosed
	}
	ctx, cancel := s.limit(ctx)
	defer cancel()
	c, err := s.take(ctx, key)
	if err != nil {
		return nil, err
	}
	err = c.load(ctx)
	if err == nil && !s.add(c) {
		err = checkpoint.ErrClosed
	}
	if err != nil {
		c.abandon()
		return nil, err
	}
	return c, nil
}

// Has implements [checkpoint.Finder].
func (s *Store) Has(ctx context.Context, key checkpoint.Key) (bool, error) {
	if err := context.Cause(ctx); err != nil {
		return false, err
	}
	if s.isClosed() {
		return false, checkpoint.ErrClosed
	}
	ctx, cancel := s.limit(ctx)
	defer cancel()
	subj := subjectsOf(s.engine.name, key)
	for from := uint64(1); ; {
		m, err := s.engine.next(ctx, subj.all(), from)
		switch {
		case errors.Is(err, jetstream.ErrMsgNotFound):
			return false, nil
		case err != nil:
			return false, err
		case m.Subject == subj.lease(), m.Subject == subj.record() && !isRemoved(m):
			return true, nil
		}
		from = m.Sequence + 1
	}
}

// Close implements [checkpoint.Store]. The connection stays open.
func (s *Store) Close() error {
	s.mu.Lock()
	s.closed = true
	claims := s.open
	s.open = nil
	s.mu.Unlock()

	var wg sync.WaitGroup
	errs := make(chan error, len(claims))
	for c := range claims {
		wg.Go(func() { errs <- c.Close() })
	}
	wg.Wait()
	close(errs)
	var first error
	for err := range errs {
		if first == nil {
			first = err
		}
	}
	return first
}

// limit ends what a claim would not outlive.
func (s *Store) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, s.opts.Lease*2/3)
}

func (s *Store) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// add is false if the store was closed.
func (s *Store) add(c *claim) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.open[c] = struct{}{}
	return true
}

func (s *Store) drop(c *claim) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, c)
}

// A holding is the content of a lease message.
type holding struct {
	Claim    string `json:"claim"`    // unique to the claim
	Renewals int    `json:"renewals"` // before this message
	Holder   string `json:"holder"`   // for people
	Lease    int    `json:"lease"`    // seconds
}

func (h holding) encode() []byte {
	b, err := json.Marshal(h)
	if err != nil {
		panic(err) // strings and numbers
	}
	return b
}

// holdingOf returns what a lease message says; one that cannot be read has a holder, too.
func holdingOf(m *jetstream.RawStreamMsg) (h holding) {
	_ = json.Unmarshal(m.Data, &h)
	return h
}

// inUse is the error for who finds m on the lease's subject.
func inUse(m *jetstream.RawStreamMsg) error {
	h := holdingOf(m)
	return &checkpoint.InUseError{Holder: h.Holder, Until: m.Time.Add(time.Duration(h.Lease) * time.Second)}
}

// take claims an upload.
func (s *Store) take(ctx context.Context, key checkpoint.Key) (*claim, error) {
	c := &claim{
		store: s, engine: s.engine, key: key, subj: subjectsOf(s.engine.name, key),
		holding: holding{Claim: newID(), Holder: s.opts.Holder, Lease: int(s.opts.Lease / time.Second)},
		turn:    make(chan struct{}, 1),
	}
	for {
		asked := time.Now()
		ack, err := s.engine.publish(ctx, c.leaseMessage(), c.nextID(), c.ttl(), expect(0))
		if err == nil {
			c.seq = ack.Sequence
			c.start(asked)
			return c, nil
		}
		if !isConflict(err) {
			return nil, fmt.Errorf("claim %v: %w", key, err)
		}
		// It may be this claim's own message, whose acknowledgement was lost.
		m, err := s.engine.last(ctx, c.subj.lease())
		switch {
		case err == nil && holdingOf(m).Claim == c.holding.Claim:
			c.seq = m.Sequence
			c.start(asked)
			return c, nil
		case err == nil:
			return nil, inUse(m)
		case !errors.Is(err, jetstream.ErrMsgNotFound):
			return nil, fmt.Errorf("claim %v: %w", key, err)
		}
		// Another claim was given up just now, or is being written.
		if err := sleep(ctx, firstPause); err != nil {
			return nil, fmt.Errorf("claim %v: %w", key, err)
		}
	}
}
