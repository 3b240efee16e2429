package jetstream

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/vodupload/vodupload/checkpoint"
)

// listers is how many uploads List reads at a time.
const listers = 16

// List implements [checkpoint.Store]. It reads each record, and the parts of those that
// nobody has claimed, with a request each. Entries come in the order in which they were
// last written.
func (s *Store) List(ctx context.Context) ([]checkpoint.Entry, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	if s.isClosed() {
		return nil, checkpoint.ErrClosed
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	records, err := s.engine.subjects(ctx, recordsOf(s.engine.name))
	if err != nil {
		return nil, err
	}
	// After the records: one that was claimed meanwhile is in use, rather than one that
	// is looks idle.
	leases, err := s.engine.subjects(ctx, leasesOf(s.engine.name))
	if err != nil {
		return nil, err
	}

	var (
		mu      sync.Mutex
		entries []checkpoint.Entry
		wg      sync.WaitGroup
		slots   = make(chan struct{}, listers)
	)
	for subject := range records {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			subj := subjectsIn(subject)
			_, used := leases[subj.lease()]
			e, ok, err := s.entry(ctx, subj, used)
			if err != nil {
				cancel(err)
			}
			if ok {
				mu.Lock()
				defer mu.Unlock()
				entries = append(entries, e)
			}
		})
	}
	wg.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	slices.SortFunc(entries, func(a, b checkpoint.Entry) int { return a.Saved.Compare(b.Saved) })
	return entries, nil
}

// entry reads one upload; ok is false if it has no record that can be read.
func (s *Store) entry(ctx context.Context, subj subjects, used bool) (e checkpoint.Entry, ok bool, err error) {
	m, err := s.engine.last(ctx, subj.record())
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return e, false, nil
	}
	if err != nil {
		return e, false, err
	}
	r, err := decodeRecord(m, nil)
	if err != nil || r.begin == "" {
		return e, false, nil
	}
	e = checkpoint.Entry{Record: r.rec, Saved: m.Time, InUse: used}
	if used {
		return e, true, nil
	}
	st := newState(r.rec)
	for {
		m, err = s.engine.next(ctx, subj.parts(), m.Sequence+1)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			e.Parts = len(st.parts)
			return e, true, nil
		}
		if err != nil {
			return e, false, err
		}
		if begin, _ := subj.beginOf(m.Subject); begin == r.begin && decodeParts(m.Data, st.put) != nil {
			return e, false, nil
		}
		e.Saved = m.Time
	}
}
