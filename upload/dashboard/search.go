package dashboard

import (
	"context"
	"time"
)

// A searcher looks through the whole list, for one viewer at a time.
type searcher struct {
	turn turn
	last query
	kept found
	at   time.Time
	cost time.Duration
}

// found is what a search has found.
type found struct {
	Count int   `json:"count"` // the first 200 of them are Rows
	Rows  []row `json:"rows"`
}

// share is what part of one processor the walks through a long list may take.
const share = 50

// find returns the files that a query is about. The same query gets the same answer for
// some time, by what it costs: pages ask again and again.
func (s *searcher) find(ctx context.Context, c client, q query) (found, error) {
	if err := s.turn.take(ctx); err != nil {
		return found{}, err
	}
	defer s.turn.give()
	began := time.Now()
	if q == s.last && !s.at.IsZero() && began.Sub(s.at) < share*s.cost {
		return s.kept, nil
	}
	matches := q.matcher()
	var chosen selection
	for f := range c.All() {
		if ctx.Err() != nil {
			return found{}, context.Cause(ctx)
		}
		if matches(&f) {
			chosen.add(&f)
		}
	}
	s.last, s.at = q, time.Now()
	s.cost = s.at.Sub(began)
	s.kept = found{Count: chosen.count, Rows: []row{}}
	for _, f := range chosen.files() {
		s.kept.Rows = append(s.kept.Rows, rowOf(&f))
	}
	return s.kept, nil
}
