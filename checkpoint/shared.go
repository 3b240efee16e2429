package checkpoint

import (
	"fmt"
	"time"
)

// Shared is implemented by a [Store] whose claims hold for every machine that uses it,
// such as one in a database or on a cluster. The claims of all other stores hold on one
// machine: to the others an upload that is under way there looks like nobody's.
//
// Where Shared returns true, files of one request are claimed as well, so that a holder
// that has lost its claim cannot overwrite what another has uploaded since, and the
// uploads in a server's list that have no checkpoint may be taken for abandoned ones.
type Shared interface {
	Shared() bool
}

// Held is implemented by a [Claim] that can be lost while it is held: one of a lease that
// has to be renewed. [Lease] does the holder's side of it.
type Held interface {
	// Lost is closed once the claim is gone, or may be gone: at the latest when two
	// thirds of the lease have passed without a renewal, by the wall clock or the
	// monotonic clock, whichever ran further. The call looks at the clocks: the timers of a
	// process that was stopped may not have run yet. The channel is the same each time. The
	// holder stops what is in flight when it is closed.
	//
	// From then on Begin, Add, Flush, Remove and Close return [ErrLost], wrapped, and
	// change nothing that another holder may have written. Remove and Close release what
	// the claim holds on this machine all the same; after either, the claim is ended like
	// any other, and Lost is not closed any more. Add may record the part where that
	// harms nobody.
	//
	// Flush of a Held asks the engine whether the claim is still this holder's, also where
	// no part is waiting to be written: it is called right before each request that makes
	// or aborts an upload or makes an object. A claim of a [Shared] store that is not Held is
	// asked before each part, too: nothing else says that it is lost. Then what is in flight
	// is cut off when one part finds it out, and the last parts when they are recorded, or
	// Complete asks: until then they change nothing that another holder relies on.
	Lost() <-chan struct{}
}

// An InUseError is an [ErrInUse] that names the holder.
type InUseError struct {
	Holder string    // as it names itself, such as "worker-3 on media-7, process 4711"; empty: unknown
	Until  time.Time // when its lease ends if it is not renewed; zero: unknown, or the claim is no lease
}

func (e *InUseError) Error() string {
	text := ErrInUse.Error()
	if e.Holder != "" {
		text += fmt.Sprintf(": held by %q", e.Holder)
	}
	if !e.Until.IsZero() {
		text += fmt.Sprintf(", lease until %s", e.Until.UTC().Format(time.RFC3339))
	}
	return text
}

// Unwrap returns [ErrInUse].
func (e *InUseError) Unwrap() error { return ErrInUse }
