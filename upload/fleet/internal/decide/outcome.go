package decide

import "time"

// A Cause is why an attempt ended.
type Cause int

// The causes of the end of an attempt.
const (
	Done       Cause = iota // the object is stored
	Drained                 // the worker stops
	Claimed                 // another holder has the claim
	Lost                    // the claim was lost, or another worker has written the state
	Sourceless              // this worker cannot open the source
	Away                    // the engine did not answer, or did not keep what it was given
	Permanent               // another attempt would end in the same way
	Failed                  // another attempt may succeed
)

// An Outcome is how an attempt ended.
type Outcome struct {
	Cause Cause
	Until time.Time // of Claimed: when the claim ends; zero: not known
	Since time.Time // of Sourceless: since when no worker could open the source
}

// A Verdict is what becomes of a job after an attempt.
type Verdict struct {
	Action Action
	Delay  time.Duration // of Later
	Count  bool          // the attempt counts; otherwise it is taken back
	Write  bool          // the state of the job changes
}

// OnEnd decides what becomes of a job, fruitless with the attempt that has ended.
func OnEnd(o Outcome, fruitless int, l Limits, lease time.Duration, now time.Time) Verdict {
	switch o.Cause {
	case Done:
		return Verdict{Action: Ack, Count: true, Write: true}
	case Drained:
		return Verdict{Action: Later, Write: true}
	case Claimed:
		return Verdict{Action: Later, Delay: untilFree(o.Until, lease, now)}
	case Lost:
		return Verdict{Action: Leave}
	case Sourceless:
		missing := now.Sub(o.Since)
		if missing >= l.SourceWait {
			return Verdict{Action: Bury, Write: true}
		}
		// A tenth of the time it has been missing, so that a folder that is mounted late
		// delays its jobs by little.
		return Verdict{Action: Later, Delay: min(max(missing/10, l.Backoff), l.MaxBackoff), Write: true}
	case Away:
		return Verdict{Action: Later, Delay: awayDelay, Write: true}
	case Permanent:
		return Verdict{Action: Bury, Count: true, Write: true}
	}
	if fruitless >= l.MaxAttempts {
		return Verdict{Action: Bury, Count: true, Write: true}
	}
	return Verdict{Action: Later, Delay: Backoff(fruitless, l), Count: true, Write: true}
}

// awayDelay is when a job comes again that the engine had no answer for: an election takes
// up to 9 s, and its queue will not deliver before it has a leader.
const awayDelay = 5 * time.Second

// OthersJob reports whether a job that this worker has not begun is to be taken for
// another's: its state says that one has it, and is not older than a worker that lives
// leaves it. Only a claim proves more.
func OthersJob(running bool, updated time.Time, touched, lease time.Duration, now time.Time) bool {
	return running && now.Sub(updated) < touched+lease
}

// minWait keeps a claim that ends in this moment from being asked for in a busy loop.
const minWait = 100 * time.Millisecond

// untilFree returns when to ask for a claim again. The end of a lease is known to the
// engine's clock, so a little is added.
func untilFree(until time.Time, lease time.Duration, now time.Time) time.Duration {
	if until.IsZero() {
		return max(lease/4, minWait)
	}
	return min(max(until.Sub(now), 0)+minWait, lease+minWait)
}

// Backoff returns the pause after so many attempts without progress.
func Backoff(fruitless int, l Limits) time.Duration {
	d := l.Backoff
	for range fruitless - 1 {
		if d *= 2; d >= l.MaxBackoff {
			return l.MaxBackoff
		}
	}
	return min(d, l.MaxBackoff)
}
