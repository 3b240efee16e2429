package decide

import "time"

// Ring reports whether the queue has lost the message of a job: the job has not ended,
// no message of its upload is in the queue, and its state has not changed for grace, so
// that neither is just being written.
func Ring(j Job, hasMessage bool, updated time.Time, grace time.Duration, now time.Time) bool {
	return j.Known && !j.Ended && !hasMessage && now.Sub(updated) >= grace
}
