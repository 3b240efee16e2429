package main

import (
	"sync"
	"time"
)

// An event is what a browser is told of its upload. The last one has an Object or an
// Error.
type event struct {
	Uploaded int64  `json:"uploaded"`
	Size     int64  `json:"size"` // -1: not known
	Object   string `json:"object,omitempty"`
	Error    string `json:"error,omitempty"`
}

func (e event) last() bool { return e.Object != "" || e.Error != "" }

// keepFor is how long the end of an upload can be asked for, by a browser that was not
// connected at that moment.
const keepFor = time.Minute

// A board has the progress of all uploads. Its zero value is ready.
type board struct {
	mu   sync.Mutex
	bars map[string]*bar
}

// A bar is the progress of one upload. It keeps the latest event alone, so that a browser
// which is slow to take events holds up nobody and costs nothing.
type bar struct {
	board    *board
	id       string
	began    bool
	watchers int
	now      event
	changed  chan struct{} // closed, and replaced, at each change
}

// getLocked returns the bar of an upload that may not have begun yet.
func (b *board) getLocked(id string) *bar {
	if b.bars == nil {
		b.bars = make(map[string]*bar)
	}
	if b.bars[id] == nil {
		b.bars[id] = &bar{board: b, id: id, now: event{Size: -1}, changed: make(chan struct{})}
	}
	return b.bars[id]
}

// begin returns the bar of an upload that begins; false if there was one of that ID.
func (b *board) begin(id string) (*bar, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	one := b.getLocked(id)
	if one.began {
		return nil, false
	}
	one.began = true
	return one, true
}

// watch returns the bar of an upload, for an unwatch later.
func (b *board) watch(id string) *bar {
	b.mu.Lock()
	defer b.mu.Unlock()
	one := b.getLocked(id)
	one.watchers++
	return one
}

func (p *bar) unwatch() {
	p.board.mu.Lock()
	defer p.board.mu.Unlock()
	p.watchers--
	if !p.began && p.watchers == 0 {
		delete(p.board.bars, p.id)
	}
}

// set does not wait for anybody. After the last event it does nothing: a callback may be
// late where an upload was interrupted.
func (p *bar) set(e event) {
	p.board.mu.Lock()
	defer p.board.mu.Unlock()
	if p.now.last() {
		return
	}
	p.now = e
	close(p.changed)
	p.changed = make(chan struct{})
}

// end sets the last event.
func (p *bar) end(e event) {
	p.set(e)
	time.AfterFunc(keepFor, func() { // those who watch it have the last event
		p.board.mu.Lock()
		defer p.board.mu.Unlock()
		delete(p.board.bars, p.id)
	})
}

// latest returns the latest event, and a channel that is closed when there is another.
func (p *bar) latest() (e event, began bool, changed <-chan struct{}) {
	p.board.mu.Lock()
	defer p.board.mu.Unlock()
	return p.now, p.began, p.changed
}
