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
