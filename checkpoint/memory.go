package checkpoint

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// A Memory is a [Store] in memory, for tests and for programs that cannot keep
// anything on disk. Claims hold within the store. What is in it ends with it.
type Memory struct {
	mu     sync.Mutex
	by     map[Key]*memoryEntry
	closed bool
}

// A memoryEntry is an upload that has a record or a holder.
type memoryEntry struct {
	state   state
	saved   time.Time
	holder  *memoryUpload
	unbegun time.Time // see [Unbegun]
}

type memoryUpload struct {
	store *Memory
	key   Key
}

var (
	_ Finder  = (*Memory)(nil)
	_ Unbegun = (*memoryUpload)(nil)
)

// NewMemory returns an empty store.
func NewMemory() *Memory { return &Memory{by: make(map[Key]*memoryEntry)} }

// Open implements [Store].
func (m *Memory) Open(ctx context.Context, key Key) (Claim, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, ErrClosed
	}
	e := m.by[key]
	if e == nil {
		e = &memoryEntry{}
		m.by[key] = e
	}
	if e.holder != nil {
		return nil, fmt.Errorf("%w: %v", ErrInUse, key)
	}
	e.holder = &memoryUpload{store: m, key: key}
	return e.holder, nil
}

// Has implements [Finder].
func (m *Memory) Has(ctx context.Context, key Key) (bool, error) {
	if err := context.Cause(ctx); err != nil {
		return false, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return false, ErrClosed
	}
	return m.by[key] != nil, nil
}

// List implements [Store]. Entries come in the order in which they were last
// written.
func (m *Memory) List(ctx context.Context) ([]Entry, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, ErrClosed
	}
	var entries []Entry
	for _, e := range m.by {
		if e.state.ok {
			entries = append(entries, Entry{Record: e.state.rec, Parts: e.state.parts, Saved: e.saved, InUse: e.holder != nil})
		}
	}
	slices.SortFunc(entries, func(a, b Entry) int { return a.Saved.Compare(b.Saved) })
	return entries, nil
}

// Close implements [Store].
func (m *Memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed, m.by = true, nil
	return nil
}

// do calls fn with the upload's entry, unless the upload was closed.
func (u *memoryUpload) do(fn func(*memoryEntry) error) error {
	u.store.mu.Lock()
	defer u.store.mu.Unlock()
	e := u.store.by[u.key]
	if e == nil || e.holder != u {
		return ErrClosed
	}
	return fn(e)
}

func (u *memoryUpload) Load() (rec Record, parts []Part, ok bool) {
	_ = u.do(func(e *memoryEntry) error {
		rec, parts, ok = e.state.rec, e.state.all(), e.state.ok
		return nil
	})
	if !ok {
		return Record{}, nil, false
	}
	return rec, parts, ok
}

func (u *memoryUpload) Damaged() error { return nil }

func (u *memoryUpload) Begin(ctx context.Context, rec Record) error {
	rec, err := rec.toWrite(u.key)
	if err != nil {
		return err
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return u.do(func(e *memoryEntry) error {
		e.state, e.saved, e.unbegun = newState(rec, nil), time.Now(), time.Time{}
		return nil
	})
}

func (u *memoryUpload) Add(p Part) error {
	if err := p.Validate(); err != nil {
		return err
	}
	return u.do(func(e *memoryEntry) error {
		if !e.state.ok {
			return ErrNoRecord
		}
		e.state.put(p)
		e.saved = time.Now()
		return nil
	})
}

func (u *memoryUpload) Flush(context.Context) error {
	return u.do(func(*memoryEntry) error { return nil })
}

func (u *memoryUpload) Remove() error {
	_ = u.do(func(e *memoryEntry) error {
		delete(u.store.by, u.key)
		return nil
	})
	return nil
}

func (u *memoryUpload) Close() error {
	_ = u.do(func(e *memoryEntry) error {
		e.holder = nil
		if !e.state.ok {
			delete(u.store.by, u.key)
		}
		return nil
	})
	return nil
}

func (u *memoryUpload) Unbegun() (at time.Time) {
	_ = u.do(func(e *memoryEntry) error {
		at = e.unbegun
		return nil
	})
	return at
}

func (u *memoryUpload) CloseUnbegun(since time.Time) error {
	_ = u.do(func(e *memoryEntry) error {
		e.holder = nil
		if !e.state.ok {
			e.unbegun = since
		}
		return nil
	})
	return nil
}
