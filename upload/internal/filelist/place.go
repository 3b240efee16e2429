package filelist

import (
	"container/heap"
	"time"
)

// apply moves a file to its next state. The table not having the move is a defect of
// this package: every caller has checked it.
func (l *List) apply(f *node, a FileAction) {
	to, err := f.State.Next(a)
	if err != nil {
		panic("filelist: " + err.Error())
	}
	f.State = to
	if to != FileUploading {
		f.InFlight = 0
	}
	f.Ended = time.Time{}
	if to.Terminal() {
		f.Ended = l.Now
		f.ends++
	}
	l.requeue(f)
	l.account(f)
}

// place puts a waiting file where its turn is found, or with those that are held back.
func (l *List) place(f *node) {
	q := &l.lanes[f.Lane]
	by := l.holdOf(f)
	l.showHold(f, by)
	if by == NotHeld {
		heap.Push(&q.ready, f)
		return
	}
	f.place = -int(by)
	q.blocked++
	if by == HeldByGroup {
		f.rank.held = append(f.rank.held, f)
		l.unsettle(f.rank.group) // the lower ranks may have failed already
	}
}

// dequeue ends a file's wait for its turn.
func (l *List) dequeue(f *node) {
	l.takeOut(f)
	l.showHold(f, NotHeld)
	f.Phase = Idle
}

// takeOut undoes what place did.
func (l *List) takeOut(f *node) {
	q := &l.lanes[f.Lane]
	if f.place < 0 {
		q.blocked--
	} else {
		heap.Remove(&q.ready, f.place)
	}
}

// replace looks again at what holds a waiting file back.
func (l *List) replace(f *node) {
	l.takeOut(f)
	l.place(f)
}

// requeue puts a file into its lane if it could be started, and takes it out if not.
// It is called after each change that wantsTurn depends on.
func (l *List) requeue(f *node) {
	switch wants := f.wantsTurn(); {
	case wants && f.Phase == Idle:
		f.Phase = Waiting
		l.place(f)
	case !wants && f.Phase == Waiting:
		l.dequeue(f)
	}
}

// free gives up the key of a deleted file, and lets the file that waits for it have its
// turn.
func (l *List) free(f *node) {
	l.busyKeys[f.Key]--
	if l.busyKeys[f.Key] > 0 {
		return
	}
	delete(l.busyKeys, f.Key)
	if next := l.files[l.keys[f.Key]]; next != nil && next.isBlocked() {
		l.replace(next)
	}
}
