// Package tasks runs goroutines that somebody waits for, wakes those who wait for a
// change, and sleeps until a context ends.
package tasks

import (
	"context"
	"sync"
)

// A Group is a number of goroutines. Unlike with a sync.WaitGroup, tasks may be added
// while others wait, and waiting takes a context. Its zero value is ready.
//
// While any of them works, goroutines whose task has ended take the next one: a new
// goroutine would have to grow its stack again, which costs more than everything about
// a small file but its request.
type Group struct {
	mu     sync.Mutex
	n      int
	closed bool
	idle   []chan func()
	ended  Signal // broadcast when the last task has ended
}

// maxIdle is how many goroutines wait for a task. A file that ends lets another start,
// so there are hardly ever more than one or two.
const maxIdle = 8

// Go runs fn on a goroutine. After Close it returns false, and fn is not run.
func (g *Group) Go(fn func()) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	g.n++
	last := len(g.idle) - 1
	if last < 0 {
		go g.work(fn)
		return true
	}
	g.idle[last] <- fn
	g.idle = g.idle[:last]
	return true
}

func (g *Group) work(fn func()) {
	next := make(chan func(), 1)
	for ok := true; ok; fn, ok = <-next {
		g.do(fn, next)
	}
}

func (g *Group) do(fn func(), next chan func()) {
	returned := false // fn may also call runtime.Goexit, as testing.T.FailNow does
	defer func() { g.end(next, returned) }()
	fn()
	returned = true
}

// end records the end of a task; it closes next if its goroutine gets no further task.
func (g *Group) end(next chan func(), lives bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.n--
	if lives && g.n > 0 && len(g.idle) < maxIdle {
		g.idle = append(g.idle, next)
		return
	}
	close(next)
	if g.n > 0 {
		return
	}
	for _, one := range g.idle {
		close(one)
	}
	g.idle = nil
	g.ended.Broadcast()
}

// Close lets no more tasks start.
func (g *Group) Close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
}

func (g *Group) none() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.n == 0
}

// Wait waits until no task is left; it returns false if ctx ended before.
func (g *Group) Wait(ctx context.Context) bool {
	for {
		ended := g.ended.C()
		if g.none() {
			return true
		}
		select {
		case <-ended:
		case <-ctx.Done():
			return g.none()
		}
	}
}
