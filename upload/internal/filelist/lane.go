package filelist

import "container/heap"

// A lane holds the files that wait for their turn, lowest ID first, and counts those
// that are running or cleaning.
type lane struct {
	ready   nodeHeap
	blocked int // files that wait for a namesake or their group, and are not in ready
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
	q := &l.lanes[f.Lane]
	held := f.isHeld()
	if held {
		f.rank.held = append(f.rank.held, f)
		l.unsettle(f.rank.group) // the lower ranks may have failed already
	}
	if held || l.busyKeys[f.Key] > 0 || l.isAway(f) {
		f.place = blocked
		q.blocked++
		return
	}
	heap.Push(&q.ready, f)
}

// isAway reports whether a file is not started because its endpoint is away. A direct one
// is, so that its caller sees what it waits for.
func (l *List) isAway(f *node) bool { return f.Lane == Queue && l.away[f.Key.Endpoint] }

// Away returns the version of what Hold was called with last, from 0.
func (l *List) Away() int { return l.awayVersion }

// Hold keeps files of the queue that go to some endpoints from being started, and those
// to others no longer. The version is the caller's.
func (l *List) Hold(version int, endpoints map[string]bool) {
	before := l.away
	l.away, l.awayVersion = endpoints, version
	for f := l.first; f != nil; f = f.next {
		to := f.Key.Endpoint
		if f.Lane == Queue && f.Phase == Waiting && before[to] != endpoints[to] && !f.isHeld() {
			l.dequeue(f)
			l.enqueue(f)
		}
	}
}

// dequeue ends a file's wait for its turn.
func (l *List) dequeue(f *node) {
	q := &l.lanes[f.Lane]
	if f.place == blocked {
		q.blocked--
	} else {
		heap.Remove(&q.ready, f.place)
	}
	f.Phase = Idle
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
	if next := l.files[l.keys[f.Key]]; next != nil && next.Phase == Waiting && next.place == blocked {
		l.dequeue(next)
		l.enqueue(next)
	}
}
