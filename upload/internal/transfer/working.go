package transfer

import "sync"

// A workingSet has the IDs of the uploads that this service is at work on, for
// [Service.Sweep] to leave alone: a stream has no checkpoint that would name it, nor
// has what goes on without one. An interrupted stream is among them until it goes on
// or is abandoned.
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
