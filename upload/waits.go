package upload

import "time"

// waits are what a file, or the requests of its run, wait for. The client's lock guards
// them.
type waits []*waitFor

// A waitFor is one of them.
type waitFor struct {
	requests int // that wait
	now      Waiting
	attempt  int  // the one that Err is of
	reported bool // by OnWaiting, or it is not to be
	over     bool // the file has been given it, and has not noticed yet
	queued   bool // an OnWaiting waits for its delivery
}

// of returns the wait for a reason; nil: there is none.
func (ws waits) of(why WaitReason) *waitFor {
	for _, one := range ws {
		if one.now.For == why {
			return one
		}
	}
	return nil
}

// first returns the wait that has lasted longest; nil: there is none.
func (ws waits) first() *Waiting {
	var first *waitFor
	for _, one := range ws {
		if first == nil || one.now.Since.Before(first.now.Since) {
			first = one
		}
	}
	if first == nil {
		return nil
	}
	now := first.now
	return &now
}

// waitIsOverLocked keeps OnWaiting from reporting a wait whose file has been given what it
// waits for and has not noticed yet.
func (e *entry) waitIsOverLocked(why WaitReason) {
	if one := e.waits.of(why); one != nil {
		one.over = true
	}
}

// A shownOutage is the last one that was reported to a run, or to a file before it is
// started. The client's lock guards it.
type shownOutage struct {
	number int // 0: none
	since  time.Time
}
