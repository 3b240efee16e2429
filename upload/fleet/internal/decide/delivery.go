package decide

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"time"
)

// A Job is what decisions need to know of the state of a job.
type Job struct {
	Known     bool      // there is a state of it
	Ended     bool      // it has succeeded, or is dead
	NotBefore time.Time // when it may run; zero: at once
	Fruitless int       // attempts in a row that got no further than the one before
	Unclaimed int       // deliveries again, in a row, of which nothing came, not even a claim

	Running bool      // by its state: on delivery its worker has died, or may have
	Updated time.Time // its state
	ID      string
}

// Limits bound the attempts of a job.
type Limits struct {
	MaxAttempts int           // in a row without progress
	Backoff     time.Duration // after the first of them; it doubles
	MaxBackoff  time.Duration
	SourceWait  time.Duration // how long a source may be missing on every machine
	Lease       time.Duration // of a claim
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

// fewest is how many deliveries of which nothing came are needed to blame the job, where
// fewer attempts are allowed: an engine that is slow may deliver again what a worker has.
const fewest = 3

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
	case j.Fruitless >= l.MaxAttempts, j.Unclaimed >= max(l.MaxAttempts, fewest): // the last of them ended with its worker
		return Bury, 0
	}
	if wait := j.Updated.Add(apart(j, l)).Sub(now); wait > 0 {
		return Later, min(wait, maxDelay)
	}
	return Run, 0
}

// apart returns how long after its last state a job whose worker has died may run. One that
// was the only one to die is taken over at once. Of those that have died together more than
// once, one kills their workers: they are tried at different times, so that it is alone
// when it is tried as often as may be.
func apart(j Job, l Limits) time.Duration {
	deaths := j.Fruitless
	if !j.Running {
		deaths = 0
		if j.Unclaimed > 0 { // the first delivery was not counted
			deaths = j.Unclaimed + 1
		}
	}
	if deaths < 2 {
		return 0
	}
	return l.Lease + time.Duration((0.5+phase(j.ID, deaths))*float64(Backoff(deaths-1, l)))
}

// phase returns a number from 0 to 1: the same whenever it is asked for, and another for
// other jobs.
func phase(id string, deaths int) float64 {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", id, deaths))
	return float64(binary.BigEndian.Uint32(sum[:])) / math.MaxUint32
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
