package filelist

import "time"

// rateSeconds is how far back a rate looks.
const rateSeconds = 8

// A Rate measures how many bytes per second the server acknowledges, over the last
// few seconds. Its zero value is ready.
type Rate struct {
	zero   time.Time          // second 0 begins here
	from   int64              // the second in which bytes began to flow
	latest int64              // the last second that has a bucket
	bytes  [rateSeconds]int64 // by the second, modulo rateSeconds
}

// add records n acknowledged bytes.
func (r *Rate) add(now time.Time, n int64) {
	if r.zero.IsZero() {
		r.zero = now
	}
	second := r.advance(now)
	if r.sum() == 0 {
		r.from = second
	}
	r.bytes[second%rateSeconds] += n
}

// advance empties the buckets of the seconds that passed since the last call.
func (r *Rate) advance(now time.Time) int64 {
	second := max(int64(now.Sub(r.zero)/time.Second), r.latest)
	for s := max(r.latest+1, second-rateSeconds+1); s <= second; s++ {
		r.bytes[s%rateSeconds] = 0
	}
	r.latest = second
	return second
}

func (r *Rate) sum() (sum int64) {
	for _, n := range r.bytes {
		sum += n
	}
	return sum
}

// PerSecond returns bytes per second. What came within less than a second counts as
// if it had taken one: a rate of so short a time means nothing.
func (r *Rate) PerSecond(now time.Time) float64 {
	if r.zero.IsZero() {
		return 0
	}
	second := r.advance(now)
	first := max(r.from, second-rateSeconds+1)
	took := now.Sub(r.zero) - time.Duration(first)*time.Second
	return float64(r.sum()) / max(took, time.Second).Seconds()
}

// Settled reports whether bytes have flowed for long enough to estimate a time.
func (r *Rate) Settled(now time.Time) bool {
	return now.Sub(r.zero) >= time.Duration(r.from+2)*time.Second
}
