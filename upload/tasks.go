package upload

import (
	"context"
	"sync"
)

// tasks are goroutines that somebody waits for. Other than with a sync.WaitGroup,
// more may be started while somebody waits, and the wait has an end.
type tasks struct {
	mu     sync.Mutex
	n      int
	closed bool
	gone   signal // gets a turn when the last one has ended
}

// run runs fn on a goroutine. After close it returns false, and fn is not run.
func (t *tasks) run(fn func()) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return false
	}
	t.n++
	go func() {
		defer t.end()
		fn()
	}()
	return true
}

func (t *tasks) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.n--
	if t.n == 0 {
		t.gone.give()
	}
}

// close lets no more goroutines start.
func (t *tasks) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
}

func (t *tasks) none() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.n == 0
}

// wait waits until there is none; false if ctx ended before.
func (t *tasks) wait(ctx context.Context) bool {
	for {
		gone := t.gone.wait()
		if t.none() {
			return true
		}
		select {
		case <-gone:
		case <-ctx.Done():
			return t.none()
		}
	}
}
