package upload

import "container/heap"

// order is the list, in the order in which its files were added.
type order struct{ first, last *file }

func (o *order) add(f *file) {
	f.prev = o.last
	if o.last == nil {
		o.first = f
	} else {
		o.last.next = f
	}
	o.last = f
}

func (o *order) remove(f *file) {
	if f.prev == nil {
		o.first = f.next
	} else {
		f.prev.next = f.next
	}
	if f.next == nil {
		o.last = f.prev
	} else {
		f.next.prev = f.prev
	}
	f.prev, f.next = nil, nil
}

// A queue holds the files that wait for their turn, the first of the list on top.
type queue struct{ files fileHeap }

// add puts a file in, or leaves it where it is.
func (q *queue) add(f *file) {
	if !f.queued {
		heap.Push(&q.files, f)
	}
}

// remove takes a file out, if it is there.
func (q *queue) remove(f *file) {
	if f.queued {
		heap.Remove(&q.files, f.place)
	}
}

func (q *queue) empty() bool { return len(q.files) == 0 }

// take returns the first file, and takes it out.
func (q *queue) take() *file { return heap.Pop(&q.files).(*file) }

// fileHeap implements heap.Interface.
type fileHeap []*file

func (h fileHeap) Len() int           { return len(h) }
func (h fileHeap) Less(i, j int) bool { return h[i].info.ID < h[j].info.ID }

func (h fileHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i, j
}

func (h *fileHeap) Push(x any) {
	f := x.(*file)
	f.queued, f.place = true, len(*h)
	*h = append(*h, f)
}

func (h *fileHeap) Pop() any {
	old := *h
	f := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	f.queued = false
	return f
}
