package decide

import "time"

// Ring reports whether the queue has lost the message of a job: the job has not ended,
// no message of its upload is in the queue, and its state has not changed for grace, so
// that neither is just being written.
func Ring(j Job, hasMessage bool, updated time.Time, grace time.Duration, now time.Time) bool {
	return j.Known && !j.Ended && !hasMessage && now.Sub(updated) >= grace
}

// Overdue reports whether the message of a job is to be looked at, since nobody has done
// anything about the job for so long: its state has not changed, nor has it become due.
// The message may still wait for its turn, be with a worker that hangs, or be one that the
// queue does not deliver any more.
func Overdue(j Job, hasMessage bool, updated time.Time, after time.Duration, now time.Time) bool {
	return j.Known && !j.Ended && hasMessage && now.Sub(updated) >= after && now.Sub(j.NotBefore) >= after
}

// Stuck reports whether a message that is overdue is to be replaced: it was delivered, and
// is as old as that, so that each is replaced once in that time at most.
func Stuck(sequence, delivered uint64, written time.Time, after time.Duration, now time.Time) bool {
	return sequence <= delivered && now.Sub(written) >= after
}
