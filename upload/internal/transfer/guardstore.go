package transfer

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
)

// GuardStore returns store so that each of its calls returns, and those of its uploads: a
// panic is an error, and the end of its goroutine as well. steps, which may be nil, has
// the calls that are under way.
func GuardStore(store checkpoint.Store, steps *Steps) checkpoint.Store {
	if g, ok := store.(*guardedStore); ok {
		return &guardedStore{g.Store, storeCalls{steps, g.calls.protect}}
	}
	return &guardedStore{store, storeCalls{steps, protectorOf(store)}}
}

// protectorOf leaves out what calls of this module's own stores do not need.
func protectorOf(store checkpoint.Store) func(string, func() error) error {
	switch store.(type) {
	case *checkpoint.Dir, *checkpoint.Memory:
		return func(_ string, fn func() error) error { return fn() }
	}
	return Isolate
}

// storeCalls makes the calls of a store and of its uploads.
type storeCalls struct {
	steps   *Steps
	protect func(what string, fn func() error) error
}

func (c storeCalls) do(call string, fn func() error) error {
	return c.steps.During(call, func() error { return c.protect(call, fn) })
}

// A guardedStore is a store of the user's. It is a [checkpoint.Finder]: where the store
// is none, it may have something of any key.
type guardedStore struct {
	checkpoint.Store
	calls storeCalls
}

var (
	_ checkpoint.Finder = (*guardedStore)(nil)
	_ checkpoint.Shared = (*guardedStore)(nil)
)

var errNoUpload = errors.New("checkpoint: Open returned neither an upload nor an error")

func (g *guardedStore) Open(ctx context.Context, key checkpoint.Key) (checkpoint.Claim, error) {
	var u checkpoint.Claim
	err := g.calls.do("opening the checkpoint", func() (err error) {
		u, err = g.Store.Open(ctx, key)
		if err == nil && u == nil {
			err = errNoUpload
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return &guardedUpload{Claim: u, calls: g.calls, shared: g.Shared()}, nil
}

func (g *guardedStore) List(ctx context.Context) (entries []checkpoint.Entry, err error) {
	err = g.calls.do("listing the checkpoints", func() (err error) {
		entries, err = g.Store.List(ctx)
		return err
	})
	return entries, err
}

func (g *guardedStore) Has(ctx context.Context, key checkpoint.Key) (has bool, err error) {
	f, ok := g.Store.(checkpoint.Finder)
	if !ok {
		return true, nil
	}
	err = g.calls.do("looking for the checkpoint", func() (err error) {
		has, err = f.Has(ctx, key)
		return err
	})
	return has, err
}

// Shared implements [checkpoint.Shared].
func (g *guardedStore) Shared() (shared bool) {
	if s, ok := g.Store.(checkpoint.Shared); ok {
		_ = g.calls.do("looking at the store", func() error {
			shared = s.Shared()
			return nil
		})
	}
	return shared
}

func (g *guardedStore) Close() error { return g.calls.do("closing the store", g.Store.Close) }

// A guardedUpload is an upload of such a store. It has the methods of all optional
// interfaces: where the upload has not, they do what is done without.
type guardedUpload struct {
	checkpoint.Claim
	calls  storeCalls
	shared bool // the store is

	mu     sync.Mutex
	broken error // of a method that cannot return it
}

var (
	_ checkpoint.Unbegun = (*guardedUpload)(nil)
	_ checkpoint.Marker  = (*guardedUpload)(nil)
	_ checkpoint.Timed   = (*guardedUpload)(nil)
	_ checkpoint.Held    = (*guardedUpload)(nil)
)

// look makes a call that cannot return an error.
func (u *guardedUpload) look(call string, fn func()) error {
	return u.calls.do(call, func() error {
		fn()
		return nil
	})
}

// fail records that it is not known what is recorded: from here on it is neither replaced
// nor removed.
func (u *guardedUpload) fail(err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.broken = err
}

func (u *guardedUpload) failure() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.broken
}

// change makes a call that changes what is recorded.
func (u *guardedUpload) change(call string, fn func() error) error {
	if err := u.failure(); err != nil {
		return err
	}
	return u.calls.do(call, fn)
}

func (u *guardedUpload) Load() (rec checkpoint.Record, parts []checkpoint.Part, ok bool) {
	err := u.look("loading the checkpoint", func() { rec, parts, ok = u.Claim.Load() })
	if err != nil {
		u.fail(err)
		return checkpoint.Record{}, nil, false
	}
	return rec, parts, ok
}

func (u *guardedUpload) Damaged() (damaged error) {
	_ = u.look("looking at the checkpoint", func() { damaged = u.Claim.Damaged() })
	return damaged
}

func (u *guardedUpload) Begin(ctx context.Context, rec checkpoint.Record) error {
	return u.change("writing the checkpoint", func() error { return u.Claim.Begin(ctx, rec) })
}

func (u *guardedUpload) Add(p checkpoint.Part) error {
	return u.change("writing the checkpoint", func() error { return u.Claim.Add(p) })
}

func (u *guardedUpload) Flush(ctx context.Context) error {
	return u.change("writing the checkpoint", func() error { return u.Claim.Flush(ctx) })
}

func (u *guardedUpload) Remove() error {
	if err := u.failure(); err != nil {
		return errors.Join(err, u.Close())
	}
	return u.calls.do("removing the checkpoint", u.Claim.Remove)
}

func (u *guardedUpload) Close() error { return u.calls.do("closing the checkpoint", u.Claim.Close) }

func (u *guardedUpload) isHeld() bool {
	_, ok := u.Claim.(checkpoint.Held)
	return ok
}

// Lost returns nil where the claim cannot be lost.
func (u *guardedUpload) Lost() (lost <-chan struct{}) {
	if cp, ok := u.Claim.(checkpoint.Held); ok {
		_ = u.look("looking at the checkpoint", func() { lost = cp.Lost() })
	}
	return lost
}

func (u *guardedUpload) MarkUnbegun(ctx context.Context) error {
	m, ok := u.Claim.(checkpoint.Marker)
	if !ok {
		return u.Flush(ctx)
	}
	return u.change("marking the checkpoint", func() error { return m.MarkUnbegun(ctx) })
}

func (u *guardedUpload) Unbegun() (at time.Time) {
	if cp, ok := u.Claim.(checkpoint.Unbegun); ok {
		_ = u.look("looking at the checkpoint", func() { at = cp.Unbegun() })
	}
	return at
}

func (u *guardedUpload) CloseUnbegun(since time.Time) error {
	cp, ok := u.Claim.(checkpoint.Unbegun)
	if !ok {
		return u.Close()
	}
	return u.calls.do("closing the checkpoint", func() error { return cp.CloseUnbegun(since) })
}

func (u *guardedUpload) Slowest() (took time.Duration) {
	if cp, ok := u.Claim.(checkpoint.Timed); ok {
		_ = u.look("looking at the checkpoint", func() { took = cp.Slowest() })
	}
	return took
}
