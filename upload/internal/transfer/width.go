package transfer

import (
	"sync"

	"golang.org/x/sync/errgroup"
)

// A width is how many requests may be in flight. It may change at any time.
type width struct {
	mu      sync.Mutex
	n       int
	changed chan struct{} // closed when n changes
}

func newWidth(n int) *width { return &width{n: n, changed: make(chan struct{})} }

func (w *width) set(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.n = n
	close(w.changed)
	w.changed = make(chan struct{})
}

// get returns the width of now, and a channel that is closed when it changes.
func (w *width) get() (n int, changed <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.n, w.changed
}

func (w *width) now() int {
	n, _ := w.get()
	return n
}

// A crew runs tasks, as many at a time as the width says then, and bound at most. Go is
// for one goroutine at a time.
type crew struct {
	*errgroup.Group
	width *width
	bound int
	freed chan struct{} // has one element after a task has ended

	mu      sync.Mutex
	running int
}

func newCrew(g *errgroup.Group, w *width, bound int) *crew {
	return &crew{Group: g, width: w, bound: bound, freed: make(chan struct{}, 1)}
}

// Go runs fn on a goroutine, once there is room for another.
func (c *crew) Go(fn func() error) {
	for {
		n, changed := c.width.get()
		if c.take(min(n, c.bound)) {
			break
		}
		select {
		case <-c.freed:
		case <-changed:
		}
	}
	c.Group.Go(func() error {
		defer c.end()
		return fn()
	})
}

func (c *crew) take(most int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running >= most {
		return false
	}
	c.running++
	return true
}

func (c *crew) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running--
	select {
	case c.freed <- struct{}{}:
	default:
	}
}
