package osstest

import (
	"math/rand/v2"
	"slices"
)

// TB is what osstest needs of a *testing.T, *testing.B or *testing.F.
type TB interface {
	Helper()
	Errorf(format string, args ...any)
}

// Inject puts faults to work, in this order and after those that are there
// already.
func (s *Server) Inject(faults ...*Fault) {
	state := &s.faults
	state.mu.Lock()
	defer state.mu.Unlock()
	script := slices.Clone(state.script)
	for _, f := range faults {
		f.init()
		one := &scripted{Fault: f, spec: f.spec.clone()}
		if one.spec.random {
			one.chance = rand.New(rand.NewPCG(s.opts.Seed, uint64(len(script))))
		}
		script = append(script, one)
	}
	state.script = script
}

// ClearFaults removes all faults. Calls that have met one already are not
// affected: a [Hang] still holds what it holds.
func (s *Server) ClearFaults() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.script = nil
}

// Unfired returns the faults that have not hit any call, in the order in
// which they were injected.
func (s *Server) Unfired() []*Fault {
	var unfired []*Fault
	for _, f := range s.faults.current() {
		if f.Count() == 0 {
			unfired = append(unfired, f.Fault)
		}
	}
	return unfired
}

// AssertFired fails the test if a fault has not hit any call: then the test
// has not tested what it was written for.
func (s *Server) AssertFired(t TB) {
	t.Helper()
	for _, f := range s.faults.current() {
		if f.Count() == 0 {
			t.Errorf("osstest: the fault %v never fired; %d calls matched it", f, s.faults.seen(f))
		}
	}
}
