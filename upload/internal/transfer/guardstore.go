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

// get is do for a call that returns a value.
func get[T any](c storeCalls, call string, fn func() (T, error)) (value T, err error) {
	err = c.do(call, func() (err error) {
		value, err = fn()
		return err
	})
	return value, err
}

// look is do for a call that returns only a value. It is the zero value if the call fails.
func look[T any](c storeCalls, call string, fn func() T) T {
	value, _ := get(c, call, func() (T, error) { return fn(), nil })
	return value
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
	u, err := get(g.calls, "opening the checkpoint", func() (checkpoint.Claim, error) {
		u, err := g.Store.Open(ctx, key)
		if err == nil && u == nil {
			err = errNoUpload
		}
		return u, err
	})
	if err != nil {
		return nil, err
	}
	return &guardedUpload{Claim: u, calls: g.calls, shared: g.Shared()}, nil
}

func (g *guardedStore) List(ctx context.Context) ([]checkpoint.Entry, error) {
	return get(g.calls, "listing the checkpoints", func() ([]checkpoint.Entry, error) { return g.Store.List(ctx) })
}

func (g *guardedStore) Has(ctx context.Context, key checkpoint.Key) (bool, error) {
	f, ok := g.Store.(checkpoint.Finder)
	if !ok {
		return true, nil
	}
	return get(g.calls, "looking for the checkpoint", func() (bool, error) { return f.Has(ctx, key) })
}

// Shared implements [checkpoint.Shared].
func (g *guardedStore) Shared() bool {
	s, ok := g.Store.(checkpoint.Shared)
	return ok && look(g.calls, "looking at the store", s.Shared)
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
	err := u.calls.do("loading the checkpoint", func() error {
		rec, parts, ok = u.Claim.Load()
		return nil
	})
	if err != nil {
		u.fail(err)
		return checkpoint.Record{}, nil, false
	}
	return rec, parts, ok
}

func (u *guardedUpload) Damaged() error {
	return look(u.calls, "looking at the checkpoint", u.Claim.Damaged)
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
func (u *guardedUpload) Lost() <-chan struct{} {
	if cp, ok := u.Claim.(checkpoint.Held); ok {
		return look(u.calls, "looking at the checkpoint", cp.Lost)
	}
	return nil
}

func (u *guardedUpload) MarkUnbegun(ctx context.Context) error {
	m, ok := u.Claim.(checkpoint.Marker)
	if !ok {
		return u.Flush(ctx)
	}
	return u.change("marking the checkpoint", func() error { return m.MarkUnbegun(ctx) })
}

func (u *guardedUpload) Unbegun() time.Time {
	if cp, ok := u.Claim.(checkpoint.Unbegun); ok {
		return look(u.calls, "looking at the checkpoint", cp.Unbegun)
	}
	return time.Time{}
}

func (u *guardedUpload) CloseUnbegun(since time.Time) error {
	cp, ok := u.Claim.(checkpoint.Unbegun)
	if !ok {
		return u.Close()
	}
	return u.calls.do("closing the checkpoint", func() error { return cp.CloseUnbegun(since) })
}

func (u *guardedUpload) Slowest() time.Duration {
	if cp, ok := u.Claim.(checkpoint.Timed); ok {
		return look(u.calls, "looking at the checkpoint", cp.Slowest)
	}
	return 0
}
