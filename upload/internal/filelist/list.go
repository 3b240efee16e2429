package filelist

import (
	"fmt"
	"iter"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
)

// Limits bound what a list starts.
type Limits struct {
	Parallel int // clean-ups at a time, and direct files started without a slot
	Started  int // files of the queue that were started and have not ended

	// ForgetEnded has files of the queue leave the list once they have ended: an [Over]
	// effect follows each end, and the owner calls [List.Leave]. With ShelveEnded the owner
	// keeps them in another form, and those that did not succeed may come back by
	// [List.Return].
	ForgetEnded, ShelveEnded bool
}

// A List holds the files of one client. Make it with [New].
type List struct {
	// Now is the time of the present decision. The owner sets it.
	Now time.Time

	// Shelved returns a file that has left and may return. The owner sets it.
	Shelved func(ID) File

	limits   Limits
	state    State
	finished bool // it finished, and the queue got no more work since
	work     int  // counts what gave the queue work
	stops    int
	cause    error // of the last stop

	files       map[ID]*node
	first, last *node // in the order of addition
	lastID      ID
	keys        map[checkpoint.Key]ID
	busyKeys    map[checkpoint.Key]int // of deleted files that are busy
	away        map[string]error       // endpoints whose files are not started, and why
	awayVersion int
	peaks       struct{ files, keys int }

	lanes     [2]lane
	unsettled []*Group // may have files to release or to fail
	cleaners  int      // clean-ups under way
	cleanups  []*node  // waiting for their turn

	failures failures
	totals   Totals
	rate     Rate
	effects  []Effect
	dropped  []ID // since the last Take
	gone     []ID // before it
	spare    []Effect
}

// New returns an empty list.
func New(limits Limits) *List {
	return &List{
		limits:   limits,
		files:    make(map[ID]*node),
		keys:     make(map[checkpoint.Key]ID),
		busyKeys: make(map[checkpoint.Key]int),
	}
}

// node is a file with its places in the list's structures.
type node struct {
	File
	prev, next *node // in the order of addition
	place      int   // in its lane's heap; below 0: not there, the Hold is -place
	share      share // of the totals
	watched    bool  // a Rest effect is to follow
	rank       *rank // in its group; nil: it has none
	stands     standing
	ends       int // how often it has ended
	leaves     int // the end that it is to leave the list for
	failure    int // the number of its last failure; 0: none
}

// State returns what the client is doing.
func (l *List) State() State { return l.state }

// Len returns the number of listed files.
func (l *List) Len() int { return len(l.keys) }

// Lookup returns a listed file; ok is false for an unknown or deleted one.
func (l *List) Lookup(id ID) (f File, ok bool) {
	n := l.files[id]
	if n == nil || n.Deleted {
		return File{}, false
	}
	return n.File, true
}

// Get returns a file that has not been dropped, deleted or not.
func (l *List) Get(id ID) (f File, ok bool) {
	n := l.files[id]
	if n == nil {
		return File{}, false
	}
	return n.File, true
}

// All returns the listed files in the order of addition.
func (l *List) All() iter.Seq[*File] {
	return func(yield func(*File) bool) {
		for f := l.first; f != nil; f = f.next {
			if !yield(&f.File) {
				return
			}
		}
	}
}

// Busy returns the number of files that are running, and of those being cleaned.
func (l *List) Busy() (running, cleaning int) {
	for i := range l.lanes {
		running += l.lanes[i].running
		cleaning += l.lanes[i].clean
	}
	return running, cleaning
}

// Held reports whether a deleted file of that key is still busy.
func (l *List) Held(key checkpoint.Key) bool { return l.busyKeys[key] > 0 }

// Find returns the listed file that has the key.
func (l *List) Find(key checkpoint.Key) (File, bool) { return l.Lookup(l.keys[key]) }

// Listed returns a file that a call wants to change: the error is [ErrClosed] or
// [ErrNotListed].
func (l *List) Listed(id ID) (File, error) {
	f, err := l.find(id)
	if err != nil {
		return File{}, err
	}
	return f.File, nil
}

// Work counts the files that were added to the queue or set back, and the starts.
func (l *List) Work() int { return l.work }

// find returns the file for a command.
func (l *List) find(id ID) (*node, error) {
	if l.state == Closed {
		return nil, ErrClosed
	}
	f := l.files[id]
	if f == nil || f.Deleted {
		return nil, l.NotListed(id)
	}
	return f, nil
}

// NotListed is the error of a call about a file that is not in the list.
func (l *List) NotListed(id ID) error {
	err := fmt.Errorf("%w: no file %d in the list", ErrNotListed, id)
	if l.limits.ForgetEnded && 0 < id && id <= l.lastID {
		return fmt.Errorf("%w any more: it has ended (Options.ForgetEnded), or was deleted", err)
	}
	return err
}

// link puts a file where its ID belongs: it looks from both ends.
func (l *List) link(f *node) {
	up, down := l.first, l.last
	for up != nil && up.ID < f.ID && down.ID > f.ID {
		up, down = up.next, down.prev
	}
	f.prev, f.next = l.last, up
	if up != nil && up.ID < f.ID {
		f.next = down.next
	}
	if f.next == nil {
		l.last = f
	} else {
		f.prev, f.next.prev = f.next.prev, f
	}
	if f.prev == nil {
		l.first = f
	} else {
		f.prev.next = f
	}
}

func (l *List) unlink(f *node) {
	if f.prev == nil {
		l.first = f.next
	} else {
		f.prev.next = f.next
	}
	if f.next == nil {
		l.last = f.prev
	} else {
		f.next.prev = f.prev
	}
	f.prev, f.next = nil, nil
}
