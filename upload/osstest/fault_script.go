package osstest

import (
	"math/rand/v2"
	"sync"
)

// faultState is the script of a server. Its zero value is an empty one.
type faultState struct {
	mu     sync.Mutex
	script []*scripted // replaced as a whole, never changed
}

// A scripted fault is one that was injected.
type scripted struct {
	*Fault
	spec    faultSpec // as it was at Inject
	chance  *rand.Rand
	matched int // calls seen that the fault is meant for
	taken   int // of these, how many it has hit or is about to
}

// A chosen is a fault in the call that it was chosen for.
type chosen struct {
	*scripted
	applied bool
}

func (s *faultState) current() []*scripted {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.script
}

func (s *faultState) seen(f *scripted) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return f.matched
}

// choose counts a call for all faults that are meant for it, and returns those
// that it gets. They count as taken until giveBack.
func (s *faultState) choose(call *logEntry) []*chosen {
	var matching []*scripted
	for _, f := range s.current() {
		if f.spec.means(call) {
			matching = append(matching, f)
		}
	}
	if len(matching) == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var faults []*chosen
	full := false
	for _, f := range matching {
		if !f.due() || full && !f.spec.effect.additive() {
			continue
		}
		full = full || !f.spec.effect.additive()
		f.taken++
		faults = append(faults, &chosen{scripted: f})
	}
	return faults
}

// giveBack returns the faults that did not take effect in their call.
func (s *faultState) giveBack(faults []*chosen) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range faults {
		if !p.applied {
			p.taken--
		}
	}
}

// due counts one call, and reports whether the fault is to hit it. The draw is made
// for each call, so that it depends on nothing but the call's number.
func (f *scripted) due() bool {
	f.matched++
	lucky := f.chance == nil || f.chance.Float64() < f.spec.probability
	return lucky && f.matched >= f.spec.nth && (f.limit() < 0 || f.taken < f.limit())
}

// limit returns how many calls the fault may hit; negative is no limit.
func (f *scripted) limit() int {
	switch {
	case f.spec.times != 0:
		return f.spec.times
	case f.chance != nil:
		return -1
	}
	return 1
}

// means reports whether the fault is meant for a call.
func (f *faultSpec) means(call *logEntry) bool {
	c := &call.call
	switch {
	case f.effect == effectNone,
		f.op != AnyOp && f.op != c.Op,
		f.bucket != "" && f.bucket != c.Bucket,
		f.key != "" && f.key != c.Key,
		f.part != 0 && f.part != c.PartNumber,
		f.effect == effectLoseUpload && c.UploadID == "":
		return false
	}
	for _, ok := range f.match {
		if !ok(call.redacted()) {
			return false
		}
	}
	return true
}
