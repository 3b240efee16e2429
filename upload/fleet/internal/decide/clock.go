package decide

import "time"

// agreement is how far clocks may be apart that are taken for the same.
const agreement = time.Second

// Ahead returns how far another clock is ahead, which showed its time between two moments
// of one's own. One that may agree is ahead by 0. It is not ok where nothing can be said:
// the answer took too long.
func Ahead(other, asked, answered time.Time) (ahead time.Duration, ok bool) {
	took := answered.Sub(asked)
	if other.IsZero() || took < 0 || took > 2*agreement {
		return 0, false
	}
	ahead = other.Sub(asked) - took/2
	if ahead.Abs() <= agreement+took/2 {
		return 0, true
	}
	return ahead, true
}
