package fleet

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
)

// A claimKey finds the attempt that a checkpoint is opened for. The endpoint is not part
// of it, since the client writes that in its own way.
type claimKey struct{ source, bucket, object string }

// A claimStore is the store of a worker, as its client sees it: a claim is also the right
// to change the state of a job, and lasts until that has been written.
type claimStore struct {
	checkpoint.Store

	mu   sync.Mutex
	runs map[claimKey]*run
}

// add registers an attempt; false: the worker has this upload already.
func (s *claimStore) add(r *run) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.runs[r.key] != nil {
		return false
	}
	if s.runs == nil {
		s.runs = make(map[claimKey]*run)
	}
	s.runs[r.key] = r
	return true
}

func (s *claimStore) remove(r *run) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.runs, r.key)
}

// Shared is required of the store that the worker was given.
func (s *claimStore) Shared() bool { return true }

// Open claims an upload, and then writes that its job is running here. A job that has
// ended meanwhile, or that another worker has, is not to be uploaded.
func (s *claimStore) Open(ctx context.Context, key checkpoint.Key) (checkpoint.Claim, error) {
	s.mu.Lock()
	r := s.runs[claimKey{key.Source, key.Bucket, key.Object}]
	s.mu.Unlock()
	if r == nil {
		return s.Store.Open(ctx, key)
	}
	if err := r.removeKept(); err != nil {
		return nil, err
	}
	claim, err := s.Store.Open(ctx, key)
	if err != nil {
		r.stop(err)
		return nil, err
	}
	if err := r.begin(ctx, key); err != nil {
		return nil, errors.Join(err, claim.Close())
	}
	return &jobClaim{Claim: claim, r: r}, nil
}

// A jobClaim is the claim of a job's upload. Its Remove comes only when the result of the
// job has been written: until then another worker that takes over finds the record, and
// by it the object.
type jobClaim struct {
	checkpoint.Claim
	r       *run
	removed atomic.Bool
}

func (c *jobClaim) Remove() error {
	if !c.removed.Swap(true) {
		c.r.keep(c.Claim)
	}
	return nil
}

// Close does nothing after Remove, which has it for later.
func (c *jobClaim) Close() error { return c.close(c.Claim.Close) }

func (c *jobClaim) close(claim func() error) error {
	if c.removed.Load() {
		return nil
	}
	return claim()
}

// What follows are the optional interfaces of a claim: where the store's has not one, it
// does what is done without.
var (
	_ checkpoint.Held    = (*jobClaim)(nil)
	_ checkpoint.Unbegun = (*jobClaim)(nil)
	_ checkpoint.Marker  = (*jobClaim)(nil)
	_ checkpoint.Timed   = (*jobClaim)(nil)
)

// Lost returns nil where the claim cannot be lost.
func (c *jobClaim) Lost() <-chan struct{} {
	if held, ok := c.Claim.(checkpoint.Held); ok {
		return held.Lost()
	}
	return nil
}

func (c *jobClaim) Unbegun() time.Time {
	if u, ok := c.Claim.(checkpoint.Unbegun); ok {
		return u.Unbegun()
	}
	return time.Time{}
}

func (c *jobClaim) CloseUnbegun(since time.Time) error {
	if u, ok := c.Claim.(checkpoint.Unbegun); ok {
		return c.close(func() error { return u.CloseUnbegun(since) })
	}
	return c.Close()
}

func (c *jobClaim) MarkUnbegun(ctx context.Context) error {
	if m, ok := c.Claim.(checkpoint.Marker); ok {
		return m.MarkUnbegun(ctx)
	}
	return c.Flush(ctx)
}

func (c *jobClaim) Slowest() time.Duration {
	if t, ok := c.Claim.(checkpoint.Timed); ok {
		return t.Slowest()
	}
	return 0
}
