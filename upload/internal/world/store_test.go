package world

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
)

// errKilled is what a process gets that is dead and does not know it.
var errKilled = errors.New("world: the process was killed")

// crashLoss is how young a part may be to be lost when a process is killed: see package
// checkpoint.
const crashLoss = 50 * time.Millisecond

// A tether is the store of the checkpoints as one process sees it. It is cut when the
// process is killed: its claims are free, and nothing that it does reaches the store.
type tether struct {
	*checkpoint.Memory
	p *process

	mu   sync.Mutex // held while something is done to the store, and by kill
	dead bool
	open map[*held]bool
}

// below is an upload of the store itself.
type below = checkpoint.Unbegun

// held is the claimed checkpoint of a process.
type held struct {
	below
	t       *tether
	claimed time.Time
	added   map[int]time.Time // when a part was
}

var (
	_ checkpoint.Finder  = (*tether)(nil)
	_ checkpoint.Unbegun = (*held)(nil)
)

func (t *tether) do(fn func() error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.dead {
		return errKilled
	}
	return fn()
}

func (t *tether) Open(ctx context.Context, key checkpoint.Key) (up checkpoint.Claim, err error) {
	err = t.do(func() error {
		u, err := t.Memory.Open(ctx, key)
		if err != nil {
			return err
		}
		h := &held{below: u.(checkpoint.Unbegun), t: t, claimed: time.Now(), added: make(map[int]time.Time)}
		t.open[h] = true
		up = h
		return nil
	})
	return up, err
}

func (t *tether) List(ctx context.Context) (all []checkpoint.Entry, err error) {
	err = t.do(func() (err error) {
		all, err = t.Memory.List(ctx)
		return err
	})
	return all, err
}

func (t *tether) Has(ctx context.Context, key checkpoint.Key) (has bool, err error) {
	err = t.do(func() (err error) {
		has, err = t.Memory.Has(ctx, key)
		return err
	})
	return has, err
}

// Close leaves the store to the next process.
func (t *tether) Close() error { return nil }

// kill cuts the tether. What was added within the last moments is lost, if lose says so;
// meanwhile is done at the same instant.
func (t *tether) kill(lose bool, meanwhile func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.dead = true
	meanwhile()
	for h := range t.open {
		if lose {
			h.forget()
		}
		_ = h.below.CloseUnbegun(h.claimed)
	}
}

// forget takes the youngest parts out of the record.
func (h *held) forget() {
	rec, parts, ok := h.below.Load()
	if !ok {
		return
	}
	_ = h.below.Begin(context.Background(), rec)
	for _, p := range parts {
		if time.Since(h.added[p.Number]) > crashLoss {
			_ = h.below.Add(p)
		}
	}
}

func (h *held) Load() (rec checkpoint.Record, parts []checkpoint.Part, ok bool) {
	_ = h.t.do(func() error {
		rec, parts, ok = h.below.Load()
		return nil
	})
	return rec, parts, ok
}

func (h *held) Begin(ctx context.Context, rec checkpoint.Record) error {
	return h.t.do(func() error {
		h.t.p.w.mustHaveUpload(rec)
		return h.below.Begin(ctx, rec)
	})
}

func (h *held) Add(part checkpoint.Part) error {
	return h.t.do(func() error {
		if rec, _, ok := h.below.Load(); ok {
			h.t.p.w.mustHavePart(rec, part)
		}
		h.added[part.Number] = time.Now()
		return h.below.Add(part)
	})
}

func (h *held) Flush(ctx context.Context) error {
	return h.t.do(func() error { return h.below.Flush(ctx) })
}

func (h *held) Remove() error {
	return h.t.do(func() error {
		delete(h.t.open, h)
		return h.below.Remove()
	})
}

func (h *held) Close() error {
	return h.t.do(func() error {
		delete(h.t.open, h)
		return h.below.Close()
	})
}

func (h *held) CloseUnbegun(since time.Time) error {
	return h.t.do(func() error {
		delete(h.t.open, h)
		return h.below.CloseUnbegun(since)
	})
}
