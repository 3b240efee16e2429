package decide

import "time"

// A Job is what decisions need to know of the state of a job.
type Job struct {
	Known     bool      // there is a state of it
	Ended     bool      // it has succeeded, or is dead
	NotBefore time.Time // when it may run; zero: at once
	Fruitless int       // attempts in a row that got no further than the one before
}

// Limits bound the attempts of a job.
type Limits struct {
	MaxAttempts int           // in a row without progress
	Backoff     time.Duration // after the first of them; it doubles
	MaxBackoff  time.Duration
	SourceWait  time.Duration // how long a source may be missing on every machine
}

// An Action is what becomes of a message of the queue.
type Action int

// What can be done with a message.
const (
	Run   Action = iota // try to claim the upload, and run the job
	Ack                 // nothing is left to do: the message goes
	Later               // the message comes again after a delay
	Bury                // the job is dead: the message goes
	Leave               // another worker may have the message: do not touch it
)

func (a Action) String() string {
	return [...]string{"run", "ack", "later", "bury", "leave"}[a]
}

// maxDelay bounds how long a message is put off: a clock that was set back, or a
// state that was changed meanwhile, is seen after that.
const maxDelay = time.Hour

// OnDelivery decides what to do with a delivered message of a job.
func OnDelivery(j Job, l Limits, now time.Time) (Action, time.Duration) {
	switch {
	case !j.Known, j.Ended:
		return Ack, 0
	case j.NotBefore.After(now):
		return Later, min(j.NotBefore.Sub(now), maxDelay)
	case j.Fruitless >= l.MaxAttempts: // the last of them ended with its worker
		return Bury, 0
	}
	return Run, 0
}

// Attempt counts a new attempt at a job that has got as far as uploaded: it returns
// how many attempts in a row, with this one, have begun there. mark is how far the job
// had got when the last one began.
func Attempt(fruitless int, mark, uploaded int64) int {
	if uploaded > mark {
		return 1
	}
	return fruitless + 1
}
