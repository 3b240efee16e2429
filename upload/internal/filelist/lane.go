package filelist

import "container/heap"

// A lane holds the files that wait for their turn, lowest ID first, and counts those
// that are running or cleaning.
type lane struct {
	ready   nodeHeap
	blocked int // files that something holds back, and are not in ready
	running int
	clean   int // being cleaned, or waiting for it
}

// busy is the number of runs and clean-ups.
func (q *lane) busy() int { return q.running + q.clean }

// quiet reports whether nothing of the lane will happen by itself.
func (q *lane) quiet() bool { return len(q.ready) == 0 && q.blocked == 0 && q.busy() == 0 }

func (q *lane) take() *node { return heap.Pop(&q.ready).(*node) }

// nodeHeap implements heap.Interface.
type nodeHeap []*node

func (h nodeHeap) Len() int           { return len(h) }
func (h nodeHeap) Less(i, j int) bool { return h[i].ID < h[j].ID }

func (h nodeHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i, j
}

func (h *nodeHeap) Push(x any) {
	f := x.(*node)
	f.place = len(*h)
	*h = append(*h, f)
}

func (h *nodeHeap) Pop() any {
	old := *h
	f := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return f
}

// enqueue has a file wait for its turn.
func (l *List) enqueue(f *node) {
	f.Phase = Waiting
	l.place(f)
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
		l.enqueue(f)
	case !wants && f.Phase == Waiting:
		l.dequeue(f)
	}
}

// hold keeps the key of a deleted file that is still busy.
func (l *List) hold(f *node) { l.busyKeys[f.Key]++ }

// free lets the file that waits for a key have its turn.
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
