package osstest

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestEachFaultOverEachOperation is about the server: whatever breaks, each
// call comes to an end, the fault is noted, nothing stays in flight, and the
// next call finds the server in order.
func TestEachFaultOverEachOperation(t *testing.T) {
	for _, kind := range FaultKinds() {
		t.Run(kind.Name, func(t *testing.T) {
			t.Parallel()
			key := Key{AccessKeyID: "STS.k", AccessKeySecret: "s", SecurityToken: "token"}
			f := newFaultTest(t, &Options{Keys: []Key{key}})
			for _, op := range slices.Sorted(maps.Keys(f.calls())) {
				f.AddKey(key) // ExpireToken may have been here
				f.restore()
				fault := kind.New(op)
				f.Inject(fault)
				f.callWith(fault, op)
				if fault.Count() == 0 && !nothingToAlter(fault, f.Requests()[0]) {
					t.Errorf("%v did not hit; the log has %v", fault, f.Requests())
				}
				f.ClearFaults()
				limit, stop := context.WithTimeout(t.Context(), 5*time.Minute)
				if err := f.WaitIdle(limit); err != nil {
					t.Errorf("%v: %v", fault, err)
				}
				stop()
			}
		})
	}
}

// callWith makes a call of an operation, and gives it up where it hangs.
func (f *faultTest) callWith(fault *Fault, op Op) {
	ctx, cancel := context.WithCancel(f.t.Context())
	defer cancel()
	call := f.calls()[op]
	if fault.spec.effect != effectHang {
		call(ctx)
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		call(ctx)
	}()
	await(f.t, fault.String(), fault.Fired())
	cancel()
	<-done
	fault.Release() // for the calls whose end the server cannot see
}

// nothingToAlter reports whether a call has nothing that the fault could alter.
func nothingToAlter(fault *Fault, r Request) bool {
	switch fault.spec.effect {
	case effectLoseUpload:
		return r.UploadID == ""
	case effectSlowBody:
		return r.BodyBytes == 0
	case effectWrongETag, effectWrongCRC64, effectDropHeader, effectDropElement:
		return r.Status/100 == 2
	}
	return false
}

func TestFaultKindsHaveNamesOfTheirOwn(t *testing.T) {
	seen := map[string]bool{}
	effects := map[effect]bool{}
	for _, kind := range FaultKinds() {
		if seen[kind.Name] || kind.Name == "" || strings.Contains(kind.Name, "/") {
			t.Errorf("the name %q is no good for a subtest", kind.Name)
		}
		seen[kind.Name] = true
		effects[kind.New(OpUploadPart).spec.effect] = true
	}
	for e, name := range effectNames {
		if !effects[e] {
			t.Errorf("no kind is a %s", name)
		}
	}
}

// TestFaultsUnderLoad is about what calls have in common: run it with -race.
func TestFaultsUnderLoad(t *testing.T) {
	const workers, calls = 8, 25
	f := newFaultTest(t, nil)
	for _, kind := range FaultKinds() {
		fault := kind.New(AnyOp)
		switch fault.spec.effect {
		case effectHang, effectExpireToken, effectClockSkew, effectSlowAnswer:
			continue // these would leave no call for the others
		}
		f.Inject(fault.Probability(0.03))
	}
	names := slices.Sorted(maps.Keys(f.calls()))
	var group sync.WaitGroup
	for worker := range workers {
		group.Go(func() {
			for i := range calls {
				f.calls()[names[(worker*3+i)%len(names)]](t.Context())
			}
		})
	}
	group.Wait()
	limit, stop := context.WithTimeout(t.Context(), 5*time.Minute)
	defer stop()
	if err := f.WaitIdle(limit); err != nil {
		t.Error(err)
	}
	if got := f.Count(); got < workers*calls {
		t.Errorf("the log has counted %d calls, want at least %d", got, workers*calls)
	}
	if got := f.MaxInFlight(); got > workers {
		t.Errorf("%d calls in flight with %d workers", got, workers)
	}
	f.ClearFaults()
	f.restore()
}
