package upload

import (
	"context"
	"reflect"
	"sync"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload/internal/credentials"
)

// providers are the Providers that files were given, each with its gate: files with the
// same one share it. A gate is kept for as long as a file may need it.
type providers struct {
	mu    sync.Mutex // a leaf
	gates map[sts.Provider]*providerGate
}

// A providerGate is the gate of one Provider.
type providerGate struct {
	*credentials.Gate
	provider sts.Provider
	users    int
	end      context.CancelFunc // ends the asking: nobody needs the answer
}

// take returns the gate of p, which a file uses from now on. newGate makes it if p has none.
func (ps *providers) take(p sts.Provider, newGate func(sts.Provider) *providerGate) *providerGate {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	shared := hasEqual(p)
	if shared && ps.gates[p] != nil {
		g := ps.gates[p]
		g.users++
		return g
	}
	g := newGate(p)
	if shared {
		if ps.gates == nil {
			ps.gates = make(map[sts.Provider]*providerGate)
		}
		ps.gates[p] = g
	}
	return g
}

// release ends the use of a gate that take returned.
func (ps *providers) release(g *providerGate) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if g.users--; g.users > 0 {
		return
	}
	if hasEqual(g.provider) {
		delete(ps.gates, g.provider)
	}
	g.end()
}

// hasEqual reports whether p can be compared, and equals itself: then an equal one is the
// same. Functions cannot, for example.
func hasEqual(p sts.Provider) bool {
	equals := func(q sts.Provider) bool { return p == q } // not so of a struct with a NaN
	return reflect.ValueOf(p).Comparable() && equals(p)
}
