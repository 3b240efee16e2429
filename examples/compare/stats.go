package main

import (
	"cmp"
	"slices"
	"time"
)

// A row is one contender's figures in one scenario: medians over the rounds.
type row struct {
	who      string
	rounds   int
	cpu      time.Duration
	wall     time.Duration
	peak     int64
	requests int64
	bytes    int64
	cpuOf    float64 // of the baseline's; of the same round, then the median
	wallOf   float64
}

func cpu(s sample) time.Duration  { return s.CPU }
func wall(s sample) time.Duration { return s.Wall }

// rows returns the medians of a scenario, in the order of its contenders, and the
// one that the ratios are of.
func (r *result) rows() (rows []row, base string) {
	byWho, order := r.byContender()
	base = floor
	for _, b := range slices.Backward(baseline) {
		if byWho[b] != nil {
			base = b
		}
	}
	for _, who := range order {
		all := byWho[who]
		rows = append(rows, row{
			who: who, rounds: len(all),
			cpu:      median(all, cpu),
			wall:     median(all, wall),
			peak:     median(all, func(s sample) int64 { return s.Peak }),
			requests: median(all, func(s sample) int64 { return s.Requests }),
			bytes:    median(all, func(s sample) int64 { return s.Bytes }),
			cpuOf:    ratio(all, byWho[base], cpu),
			wallOf:   ratio(all, byWho[base], wall),
		})
	}
	return rows, base
}

// byContender sorts the samples by who they are of, and tells in which order they
// first had their turn. Those that failed are left out.
func (r *result) byContender() (by map[string][]sample, order []string) {
	by = make(map[string][]sample)
	for _, s := range r.Samples {
		if s.Err != "" {
			continue
		}
		if by[s.Contender] == nil {
			order = append(order, s.Contender)
		}
		by[s.Contender] = append(by[s.Contender], s)
	}
	return by, order
}

// failures is how often a contender failed.
func (r *result) failures(who string) (n int) {
	for _, s := range r.Samples {
		if s.Contender == who && s.Err != "" {
			n++
		}
	}
	return n
}

// ratio is the median of the ratios within the rounds: what slows a round down slows
// all who take part in it.
func ratio(all, base []sample, of func(sample) time.Duration) float64 {
	of1 := make(map[int]float64)
	for _, b := range base {
		of1[b.Round] = float64(of(b))
	}
	return median(all, func(s sample) float64 {
		if of1[s.Round] == 0 {
			return 0
		}
		return float64(of(s)) / of1[s.Round]
	})
}

// median returns the middle one; of an even number, the lower of the two.
func median[T any, N cmp.Ordered](all []T, of func(T) N) N {
	values := make([]N, 0, len(all))
	for _, one := range all {
		values = append(values, of(one))
	}
	slices.Sort(values)
	if len(values) == 0 {
		var none N
		return none
	}
	return values[(len(values)-1)/2]
}
