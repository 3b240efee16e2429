package transfer

import (
	"context"
	"sync"

	"github.com/vodupload/vodupload/checkpoint"
)

// A workingSet has the IDs of the uploads that this service is sending, for
// [Service.Sweep] to leave alone: a stream has no checkpoint that would name it, nor
// has an upload that continues without one. An interrupted stream is among them until it
// is resumed or abandoned.
type workingSet struct {
	mu  sync.Mutex
	ids map[string]bool
}

func (w *workingSet) add(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ids == nil {
		w.ids = make(map[string]bool)
	}
	w.ids[id] = true
}

func (w *workingSet) remove(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.ids, id)
}

func (w *workingSet) addTo(names map[string]bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id := range w.ids {
		names[id] = true
	}
}

// A sweepSet has the checkpoints that a sweep of this service has claimed for a moment.
// A run that needs one of them waits: ErrInUse would be wrong, for nobody uploads it.
type sweepSet struct {
	mu   sync.Mutex
	held map[checkpoint.Key]chan struct{}
}

// hold says that key is being swept, until end is called.
func (s *sweepSet) hold(key checkpoint.Key) (end func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held == nil {
		s.held = make(map[checkpoint.Key]chan struct{})
	}
	ended := make(chan struct{})
	s.held[key] = ended
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.held, key)
		close(ended)
	}
}

// wait waits while key is being swept. It returns false if it was not, or ctx ended.
func (s *sweepSet) wait(ctx context.Context, key checkpoint.Key) bool {
	s.mu.Lock()
	ended := s.held[key]
	s.mu.Unlock()
	if ended == nil {
		return false
	}
	select {
	case <-ended:
		return true
	case <-ctx.Done():
		return false
	}
}
