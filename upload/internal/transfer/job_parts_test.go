package transfer

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload/osstest"
)

// A eventLog keeps events.
type eventLog struct {
	mu     sync.Mutex
	events []Event
	cond   func(Event) bool
	then   func()
	hook   func(Event) // called for each
}

func (s *eventLog) take(e Event) {
	s.mu.Lock()
	s.events = append(s.events, e)
	then, hook := s.then, s.hook
	if then != nil && s.cond(e) {
		s.then = nil
	} else {
		then = nil
	}
	s.mu.Unlock()
	if then != nil {
		then()
	}
	if hook != nil {
		hook(e)
	}
}

// when calls then once, at the first event that cond is true for.
func (s *eventLog) when(cond func(Event) bool, then func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cond, s.then = cond, then
}

func (s *eventLog) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = nil
}

func (s *eventLog) of(kind EventKind) []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Event
	for _, e := range s.events {
		if e.Kind == kind {
			all = append(all, e)
		}
	}
	return all
}

// key returns temporary credentials of a generation, and 0 those that osstest takes.
func key(generation uint64) Snapshot {
	if generation == 0 {
		return Snapshot{Credentials: sts.Credentials{
			AccessKeyID: osstest.DefaultKey.AccessKeyID, AccessKeySecret: osstest.DefaultKey.AccessKeySecret,
		}}
	}
	id := fmt.Sprintf("STS.%d", generation)
	return Snapshot{Generation: generation, Credentials: sts.Credentials{
		AccessKeyID: id, AccessKeySecret: "secret-" + id, SecurityToken: "token-" + id,
	}}
}

// A testGate hands out one set of credentials, and gets the next from renew.
type testGate struct {
	renew func(generation uint64) (Snapshot, error) // nil: waits for give, or for the end

	mu       sync.Mutex
	now      Snapshot
	expired  bool
	asked    int // how often new ones were asked for
	refusals int // calls of Expired
	accepted int
	changed  chan struct{}
}

func newGate(s Snapshot) *testGate { return &testGate{now: s, changed: make(chan struct{})} }

func (g *testGate) Current() (Snapshot, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.now, !g.expired
}

func (g *testGate) Expired(generation uint64, _ error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.refusals++
	if generation == g.now.Generation && !g.expired {
		g.expired = true
		g.asked++
	}
}

func (g *testGate) Accepted(uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.accepted++
}

func (g *testGate) give(s Snapshot) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.now, g.expired = s, false
	close(g.changed)
	g.changed = make(chan struct{})
}

func (g *testGate) Wait(ctx context.Context) error {
	g.mu.Lock()
	changed, expired, now, renew := g.changed, g.expired, g.now.Generation, g.renew
	g.mu.Unlock()
	switch {
	case !expired:
		return nil
	case renew == nil:
		select {
		case <-changed:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	s, err := renew(now)
	if err == nil {
		g.mu.Lock()
		if g.now.Generation == now {
			g.now, g.expired = s, false
		}
		g.mu.Unlock()
	}
	return err
}

// testSlots are a number of slots.
type testSlots struct {
	free chan struct{}
	mu   sync.Mutex
	used int
	most int
}

func newSlots(n int) *testSlots { return &testSlots{free: make(chan struct{}, n)} }

func (s *testSlots) Acquire(ctx context.Context) error {
	select {
	case s.free <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if ctx.Err() != nil {
		<-s.free
		return context.Cause(ctx)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used++
	s.most = max(s.most, s.used)
	return nil
}

func (s *testSlots) Release() {
	s.mu.Lock()
	s.used--
	s.mu.Unlock()
	<-s.free
}

func (s *testSlots) inUse() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.used
}

// A faultyStore is a store with calls that fail.
type faultyStore struct {
	checkpoint.Store
	open  func() error // before Open
	begin func(context.Context) error
	add   func() error
	flush func(context.Context) error
}

func (s *faultyStore) Open(ctx context.Context, k checkpoint.Key) (checkpoint.Claim, error) {
	if s.open != nil {
		if err := s.open(); err != nil {
			return nil, err
		}
	}
	u, err := s.Store.Open(ctx, k)
	if err != nil {
		return nil, err
	}
	return &faultyUpload{u, s}, nil
}

type faultyUpload struct {
	checkpoint.Claim
	s *faultyStore
}

func (u *faultyUpload) Unbegun() time.Time { return u.Claim.(checkpoint.Unbegun).Unbegun() }

func (u *faultyUpload) CloseUnbegun(since time.Time) error {
	return u.Claim.(checkpoint.Unbegun).CloseUnbegun(since)
}

func (u *faultyUpload) Begin(ctx context.Context, rec checkpoint.Record) error {
	if u.s.begin != nil {
		if err := u.s.begin(ctx); err != nil {
			return err
		}
	}
	return u.Claim.Begin(ctx, rec)
}

func (u *faultyUpload) Add(p checkpoint.Part) error {
	if u.s.add != nil {
		if err := u.s.add(); err != nil {
			return err
		}
	}
	return u.Claim.Add(p)
}

func (u *faultyUpload) Flush(ctx context.Context) error {
	if u.s.flush != nil {
		if err := u.s.flush(ctx); err != nil {
			return err
		}
	}
	return u.Claim.Flush(ctx)
}
