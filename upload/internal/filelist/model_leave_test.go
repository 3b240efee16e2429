package filelist

import (
	"slices"
)

// leavers are what the owner of a list with ForgetEnded knows, and the Waits of any list.
type leavers struct {
	over     []Effect // not yet answered by Leave
	failures []failed // in their order
	reported int      // of these
	waits    []begun
}

// failed is a failure of a file of the queue.
type failed struct {
	id   ID
	left bool // the file has left the list because of it
}

// begun is a Wait under way.
type begun struct {
	mark     Mark
	reported int // failures when it began
}

// stepLeave lets a file leave whose turn it is, and Waits begin and end.
func (o *owner) stepLeave() {
	o.decide()
	if o.r.IntN(10) < 3 {
		o.leave()
	}
	if o.r.IntN(30) == 0 {
		o.note("wait %d", len(o.waits))
		o.waits = append(o.waits, begun{o.l.Mark(), o.reported})
	}
	if o.r.IntN(30) == 0 && len(o.waits) > 0 {
		o.endWait(o.r.IntN(len(o.waits)), o.r.IntN(3) > 0)
	}
}

func (o *owner) leave() {
	if len(o.over) == 0 {
		return
	}
	e := o.over[0]
	o.over = o.over[1:]
	o.note("leave %d for end %d", e.File, e.Run)
	f, listed := o.l.Lookup(e.File)
	leaves := listed && f.Done() && o.l.files[e.File].ends == e.Run
	o.l.Leave(e.File, e.Run, errRun)
	if _, still := o.l.Lookup(e.File); still == (leaves || !listed) {
		o.t.Errorf("file %d is still listed: %t", e.File, still)
	}
	if leaves && f.State == FileFailed {
		o.failures[o.latest(e.File)].left = true
	}
}

// latest is the last failure of a file.
func (o *owner) latest(id ID) int {
	for i, f := range slices.Backward(o.failures) {
		if f.id == id {
			return i
		}
	}
	return -1
}

// endWait ends a Wait, with or without a report of what failed.
func (o *owner) endWait(i int, report bool) {
	w := o.waits[i]
	o.waits = slices.Delete(o.waits, i, i+1)
	o.note("end of wait %d: %t", i, report)
	if report {
		var want, got []ID
		for n, f := range o.failures {
			now, listed := o.l.Lookup(f.id)
			if n >= w.reported && (f.left || listed && now.State == FileFailed && o.latest(f.id) == n) {
				want = append(want, f.id)
			}
		}
		all, more := o.l.Failures(w.mark, none)
		for _, f := range all {
			got = append(got, f.ID)
		}
		slices.Sort(want)
		if !slices.Equal(got, want) || more != 0 {
			o.t.Errorf("a Wait reports %v and %d more, want %v", got, more, want)
		}
		o.reported = len(o.failures)
	}
	o.l.EndWait(w.mark)
}

// drainLeave lets all files leave that have ended, and all Waits end.
func (o *owner) drainLeave() {
	for len(o.over) > 0 {
		o.leave()
		o.decide()
	}
	for f := range o.l.All() {
		if o.l.limits.ForgetEnded && f.Lane == Queue && f.State.Terminal() {
			o.t.Errorf("file %d has ended and stays", f.ID)
		}
	}
	for len(o.waits) > 0 {
		o.endWait(0, true)
	}
	if len(o.l.failures.kept) > 0 && o.reported == len(o.failures) {
		o.t.Errorf("%d failures are kept, and all were reported", len(o.l.failures.kept))
	}
}

// none are the failures of the files of an owner that keeps none.
func none(func(ID, int) bool) {}
