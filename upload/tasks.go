package upload

import (
	"context"
	"sync"
)

// tasks are goroutines that somebody waits for. Other than with a sync.WaitGroup,
// more may be started while somebody waits, and the wait has an end.
//
// While any of them works, those that have ended take the next task: a new goroutine
// would have to grow its stack anew, which costs more than all else about a small
// file but its request.
type tasks struct {
	mu     sync.Mutex
	n      int
	closed bool
	idle   []chan func()
	gone   signal // gets a turn when the last one has ended
}

// maxIdle is how many goroutines wait for a task. A file that ends lets another
// start, so there are hardly ever more than one or two.
const maxIdle = 8

// run runs fn on a goroutine. After close it returns false, and fn is not run.
func (t *tasks) run(fn func()) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return false
	}
	t.n++
	last := len(t.idle) - 1
	if last < 0 {
		go t.work(fn)
		return true
	}
	t.idle[last] <- fn
	t.idle = t.idle[:last]
	return true
}

func (t *tasks) work(fn func()) {
	next := make(chan func(), 1)
	for ok := true; ok; fn, ok = <-next {
		t.do(fn, next)
	}
}

func (t *tasks) do(fn func(), next chan func()) {
	ended := false // it may also call runtime.Goexit, as testing.T.FailNow does
	defer func() { t.end(next, ended) }()
	fn()
	ended = true
}

// end takes note that a task has ended, and closes next if there will be no other
// for its goroutine.
func (t *tasks) end(next chan func(), lives bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.n--
	if lives && t.n > 0 && len(t.idle) < maxIdle {
		t.idle = append(t.idle, next)
		return
	}
	close(next)
	if t.n > 0 {
		return
	}
	for _, one := range t.idle {
		close(one)
	}
	t.idle = nil
	t.gone.give()
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
