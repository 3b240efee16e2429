package filelist

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

var steps = flag.Int("steps", manySteps, "steps of TestRandomSteps")

// TestRandomSteps gives a list random commands and reports, and checks after each that
// its structures agree with each other, and that its effects are such that an owner
// can carry them out. In between it lets all work end, and checks that nothing is left.
func TestRandomSteps(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	for done := 0; done < *steps && !t.Failed(); {
		o := newOwner(t, r)
		for range 200 {
			o.step()
			o.checkAfter()
			done++
		}
		o.drain()
		if t.Failed() {
			t.Logf("seed %d; the last steps: %s", seed, strings.Join(o.history, "; "))
		}
	}
}

// An owner carries out effects as the client does, and knows of each file what the
// effects so far allow to come next.
type owner struct {
	t       *testing.T
	r       *rand.Rand
	l       *List
	known   map[ID]*seen
	history []string
	slots   int // free
	groups  [2]*Group
	leavers
}

type seen struct {
	File
	run      int  // under way; 0: none
	slot     bool // the run has a slot
	told     bool // started
	cleaning bool
	watched  bool // and has not come to rest since
	failing  bool // by the user
	held     Hold // by the effects
	uploaded int64
}

func newOwner(t *testing.T, r *rand.Rand) *owner {
	return &owner{t: t, r: r, l: New(Limits{Parallel: 2, Started: 4, ForgetEnded: r.IntN(2) == 0}), known: make(map[ID]*seen), slots: 3, groups: [2]*Group{new(Group), new(Group)}}
}

func (o *owner) note(format string, args ...any) {
	o.history = append(o.history, fmt.Sprintf(format, args...))
}

// any returns a file that the owner knows; 0 if there is none.
func (o *owner) any(pred func(*seen) bool) ID {
	ids := make([]ID, 0, len(o.known))
	for id, f := range o.known {
		if pred(f) {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return 0
	}
	slices.Sort(ids)
	return ids[o.r.IntN(len(ids))]
}

func anyFile(*seen) bool { return true }

func (o *owner) step() {
	o.l.Now = o.l.Now.Add(time.Duration(o.r.IntN(1000)) * time.Millisecond)
	switch n := o.r.IntN(100); {
	case n < 18:
		o.add()
	case n < 28:
		o.do([]Action{Start, Start, Start, Resume, Resume, Pause, Stop}[o.r.IntN(7)])
	case n < 32:
		id := o.any(anyFile)
		o.note("cancel %d", id)
		_ = o.l.Cancel(id, errCause)
	case n < 36:
		id := o.any(anyFile)
		o.note("delete %d", id)
		_ = o.l.Delete(id, errCause)
	case n < 42:
		id := o.any(anyFile)
		o.note("retry %d", id)
		_ = o.l.Retry(id)
	case n < 45:
		id := o.any(func(f *seen) bool { return f.Lane == Direct })
		o.note("end %d", id)
		o.l.End(id, errCause)
	case n < 48:
		id := o.any(func(f *seen) bool { return o.done(f.ID) })
		o.note("forget %d", id)
		o.l.Forget(id)
	case n < 51:
		id := o.any(anyFile)
		o.note("fail %d", id)
		if o.l.Fail(id, errCause) == nil {
			o.known[id].failing = true
		}
	case n < 56:
		id := o.any(anyFile)
		o.note("watch %d", id)
		if o.l.Watch(id) == nil {
			o.known[id].watched = true
		}
	case n < 57:
		id := o.any(anyFile)
		name := string(rune('a' + o.r.IntN(6)))
		o.note("rename %d %s", id, name)
		_ = o.l.Rename(id, key(name))
	case n < 70:
		o.progress()
	case n < 90:
		o.end()
	default:
		o.clean()
	}
	if o.r.IntN(25) == 0 {
		o.hold(o.r.IntN(2) == 0)
	}
	o.stepLeave()
	if o.r.IntN(2000) == 0 {
		o.do(Close)
	}
	if o.r.IntN(100) == 0 {
		o.decide() // with the limits so far
		limits := Limits{Parallel: 1 + o.r.IntN(3), Started: 1 + o.r.IntN(5), ForgetEnded: o.l.limits.ForgetEnded}
		o.note("%+v", limits)
		o.l.SetLimits(limits)
	}
	if o.r.IntN(1000) == 0 {
		o.note("clear")
		_ = o.l.Clear(errCause)
	}
	o.decide()
}

// hold has the one endpoint go away, or be back.
func (o *owner) hold(away bool) {
	o.note("away %t", away)
	endpoints := map[string]error{}
	if away {
		endpoints[""] = errRun
	}
	o.l.Hold(o.l.Away()+1, endpoints)
}

func (o *owner) add() {
	opts := AddOptions{Lane: Lane(o.r.IntN(2)), Stream: o.r.IntN(4) == 0, Size: int64(o.r.IntN(1000))}
	if opts.Stream {
		opts.Size = -1
	}
	if n := o.r.IntN(4); n < len(o.groups) && opts.Lane == Queue {
		opts.Group, opts.Rank = o.groups[n], o.r.IntN(4)
	}
	name := string(rune('a' + o.r.IntN(6)))
	id, err := o.l.Add(key(name), opts)
	o.note("add %s %+v: %d", name, opts, id)
	if err == nil {
		f, _ := o.l.Get(id)
		o.known[id] = &seen{File: f, watched: f.Lane == Direct}
	}
}

func (o *owner) do(a Action) {
	o.note("%s", a)
	_ = o.l.Do(a, errCause)
}

func (o *owner) done(id ID) bool {
	f, ok := o.l.Get(id)
	return ok && f.Done()
}

func (o *owner) progress() {
	id := o.any(func(f *seen) bool { return f.run > 0 })
	if id == 0 {
		return
	}
	f := o.known[id]
	p := Progress{Uploaded: int64(o.r.IntN(1200)), InFlight: int64(o.r.IntN(100)), Sent: int64(o.r.IntN(2000)), Size: -1, Earlier: o.r.IntN(5) == 0}
	late := o.r.IntN(10) == 0
	run := f.run
	if late {
		run--
	}
	ok := o.l.Progress(id, run, p)
	if ok == late {
		o.t.Errorf("progress of run %d of file %d is taken: %t", run, id, ok)
	}
	now, _ := o.l.Get(id)
	if now.Uploaded < f.uploaded {
		o.t.Errorf("file %d: uploaded goes back from %d to %d", id, f.uploaded, now.Uploaded)
	}
	f.uploaded = now.Uploaded
}

func (o *owner) end() {
	id := o.any(func(f *seen) bool { return f.run > 0 })
	if id == 0 {
		return
	}
	f := o.known[id]
	state, _ := o.l.Get(id)
	out := Outcome{Leaves: o.r.IntN(3) > 0, Size: 1000}
	switch {
	case state.Phase == Interrupted && o.r.IntN(4) > 0:
		out.Err, out.Interrupted = errCause, true
	case o.r.IntN(2) == 0:
		out.Err = errRun
	}
	o.note("ended %d %+v", id, out)
	if f.slot {
		o.slots++
	}
	run := f.run
	f.run, f.slot = 0, false
	o.l.Ended(id, run, out)
}

func (o *owner) clean() {
	id := o.any(func(f *seen) bool { return f.cleaning })
	if id != 0 {
		o.note("cleaned %d", id)
		o.known[id].cleaning = false
		o.l.Cleaned(id)
	}
}

// decide lets the list start what it can, and carries out its effects.
func (o *owner) decide() {
	want := min(o.slots, o.l.Want())
	used := o.l.Turn(want)
	if used > want {
		o.t.Errorf("used %d slots of %d", used, want)
	}
	o.slots -= used
	cleaners, started := 0, 0
	for effects := o.l.Take(); len(effects) > 0; effects = o.l.Take() {
		for _, e := range effects {
			if _, ok := o.l.Get(e.File); !ok && e.Event != EventFinished {
				o.t.Errorf("%s is about a file that cannot be looked at", text(e))
			}
			switch f := o.known[e.File]; {
			case e.Kind == CleanUp:
				cleaners++
			case e.Kind == StartRun && f != nil && f.Lane == Queue:
				started++
			}
			o.perform(e)
		}
	}
	if cleaners > 0 && o.l.cleaners > o.l.limits.Parallel {
		o.t.Errorf("%d clean-ups at a time", o.l.cleaners)
	}
	if started > 0 && o.l.lanes[Queue].running > o.l.limits.Started {
		o.t.Errorf("%d files are started", o.l.lanes[Queue].running)
	}
}

func (o *owner) perform(e Effect) {
	o.note("  %s", text(e))
	if e.Event == EventFinished {
		if !o.l.lanes[Queue].quiet() {
			o.t.Error("finished, with work left")
		}
		return
	}
	f := o.known[e.File]
	if f == nil {
		o.t.Errorf("%s is about a file that was dropped, or never added", text(e))
		return
	}
	wrong := false
	switch e.Kind {
	case StartRun:
		wrong = f.run > 0 || f.cleaning || f.held != NotHeld || o.waitsForLowerRank(e.File)
		f.run, f.slot = e.Run, e.Slot
	case Interrupt:
		wrong = f.run != e.Run || f.run == 0
	case CleanUp:
		wrong = f.run > 0 || f.cleaning
		f.cleaning = true
	case Held:
		wrong = f.run > 0 || f.cleaning || f.held != NotHeld || (e.Hold == HeldByEndpoint) != (e.Err == errRun)
		f.held = e.Hold
	case Freed:
		wrong = f.held != e.Hold
		f.held = NotHeld
	case Rest:
		wrong = f.run > 0 || f.cleaning || f.told && e.Err == nil || !f.watched
		f.watched = false
	case Over:
		wrong = f.run > 0 || f.cleaning || f.told || f.Lane != Queue
		o.over = append(o.over, e)
	case Drop:
		wrong = f.run > 0 || f.cleaning || f.told || f.watched || f.held != NotHeld
		delete(o.known, e.File)
	case Notify:
		switch e.Event {
		case EventStarted:
			wrong = f.told || f.run == 0
			f.told, f.uploaded = true, 0
		case EventFailed:
			if f.Lane == Queue {
				o.failures = append(o.failures, failed{id: e.File})
			}
			wrong = f.told == e.Silent && (f.told || !f.failing && !errors.Is(e.Err, ErrGroup)) || f.run > 0
			f.told, f.failing = false, false
		default:
			wrong = !f.told && e.Event == EventSucceeded || f.run > 0
			f.told, f.failing = false, false
		}
	}
	if wrong {
		o.t.Errorf("%s cannot be: %+v", text(e), *f)
	}
}

// holdNow is what users have to see as what keeps a file from its turn. A file that is in
// the wrong place because its group has changed is found there when its turn comes.
func (l *List) holdNow(id ID) Hold {
	f := l.files[id]
	open := l.state == Started || f.Lane == Direct && l.state != Paused && l.state != Closed
	switch {
	case !open || !f.isBlocked():
	case f.blockedBy() == HeldByGroup && f.rank != nil:
		return HeldByGroup
	case l.busyKeys[f.Key] > 0:
		return HeldByNamesake
	case l.away[f.Key.Endpoint] != nil && f.Lane == Queue:
		return HeldByEndpoint
	}
	return NotHeld
}

// waitsForLowerRank looks for a file that one which is started should have waited for.
func (o *owner) waitsForLowerRank(id ID) bool {
	rank := o.l.files[id].rank
	if rank == nil {
		return false
	}
	for f := o.l.first; f != nil; f = f.next {
		if f.rank != nil && f.rank.group == rank.group && f.rank.number < rank.number && f.State != FileSucceeded {
			return true
		}
	}
	return false
}

func (o *owner) checkAfter() {
	checkInvariants(o.t, o.l)
	for id, known := range o.known {
		f, ok := o.l.Get(id)
		if !ok {
			o.t.Errorf("file %d is gone without a drop", id)
		}
		if known.held != f.Held || f.Held != o.l.holdNow(id) {
			o.t.Errorf("file %d is held by %d, the effects say %d; want %d", id, f.Held, known.held, o.l.holdNow(id))
		}
	}
}

// drain lets everything that is under way end, and expects that each file has come to
// rest and that a list without files holds nothing.
func (o *owner) drain() {
	o.hold(false)
	if o.l.State() == Init || o.l.State() == Stopped {
		o.do(Start)
	}
	_ = o.l.Do(Resume, nil)
	o.decide()
	for range 10_000 {
		running, cleaning := o.l.Busy()
		if running+cleaning == 0 && o.l.Want() == 0 {
			break
		}
		o.end()
		o.clean()
		o.decide()
	}
	o.checkAfter()
	if s := o.l.State(); s != Finished && s != Closed {
		o.t.Errorf("the list is %s when all has ended", s)
	}
	for id, f := range o.known {
		if f.told {
			o.t.Errorf("file %d was started, and its end is not reported", id)
		}
		if f.watched {
			o.t.Errorf("file %d is watched, and its rest is not reported", id)
		}
	}
	o.drainLeave()
	_ = o.l.Clear(errCause)
	for range len(o.known) + 1 {
		o.decide()
		o.clean()
	}
	o.decide()
	if o.l.State() != Closed && (len(o.known) > 0 || len(o.l.files)+len(o.l.keys)+len(o.l.busyKeys) > 0) {
		o.t.Errorf("cleared, but %d files are known and %d there", len(o.known), len(o.l.files))
	}
}

// checkInvariants compares the list's structures with what its files say.
func checkInvariants(t *testing.T, l *List) {
	t.Helper()
	var lanes [2]lane
	var totals Totals
	held := make(map[any]int)
	listed, waiting := 0, [2]int{}
	for id, f := range l.files {
		switch {
		case f.ID != id:
			t.Errorf("file %d is kept as %d", f.ID, id)
		case f.Deleted == (l.keys[f.Key] == id):
			t.Errorf("file %d deleted %t, its key is taken by %d", id, f.Deleted, l.keys[f.Key])
		case f.Deleted && !f.busy():
			t.Errorf("file %d is deleted, idle and still here", id)
		case (f.Phase == Waiting) != f.wantsTurn():
			t.Errorf("file %d is %s in phase %d", id, f.State, f.Phase)
		case f.Running() != (f.State == FileUploading):
			t.Errorf("file %d is %s in phase %d", id, f.State, f.Phase)
		case (f.Phase == Interrupted) != (f.Why != NoIntent):
			t.Errorf("file %d is in phase %d with intent %d", id, f.Phase, f.Why)
		case f.InFlight < 0 || f.Size >= 0 && f.Uploaded+f.InFlight > f.Size:
			t.Errorf("file %d: %d uploaded, %d in flight of %d", id, f.Uploaded, f.InFlight, f.Size)
		case f.State.Terminal() != !f.Ended.IsZero() && !l.Now.IsZero():
			t.Errorf("file %d is %s, ended %v", id, f.State, f.Ended)
		}
		checkStanding(t, l, f)
		q := &lanes[f.Lane]
		switch {
		case f.Running():
			q.running++
		case f.Phase == Cleaning:
			q.clean++
		case f.isBlocked():
			q.blocked++
			if l.busyKeys[f.Key] == 0 && !f.isHeld() && !l.isAway(f) {
				t.Errorf("file %d waits for nobody", id)
			}
		case f.Phase == Waiting:
			waiting[f.Lane]++
			if l.lanes[f.Lane].ready[f.place] != f || l.busyKeys[f.Key] > 0 {
				t.Errorf("file %d waits in the wrong place", id)
			}
		}
		if f.Deleted {
			held[f.Key]++
		} else {
			listed++
			totals.add(shareOf(&f.File), 1)
		}
	}
	for i := range lanes {
		have, want := &l.lanes[i], &lanes[i]
		if have.running != want.running || have.clean != want.clean || have.blocked != want.blocked || len(have.ready) != waiting[i] {
			t.Errorf("lane %d: have %+v, want %+v and %d waiting", i, have, want, waiting[i])
		}
	}
	inOrder, last := 0, ID(0)
	for f := range l.All() {
		if inOrder++; f.ID <= last {
			t.Errorf("file %d comes after %d", f.ID, last)
		}
		last = f.ID
	}
	if inOrder != listed || len(l.keys) != listed || l.Len() != listed {
		t.Errorf("%d files are listed, %d in the order, %d keys, Len %d", listed, inOrder, len(l.keys), l.Len())
	}
	for key, n := range l.busyKeys {
		if held[key] != n {
			t.Errorf("%v is held %d times, counted %d", key, held[key], n)
		}
	}
	if l.totals != totals {
		t.Errorf("totals %+v, want %+v", l.totals, totals)
	}
	if direct := &l.lanes[Direct]; len(direct.ready) > 0 && l.state != Paused && l.state != Closed && direct.busy() < l.limits.Parallel && l.effects == nil {
		t.Error("a direct file waits though it could start")
	}
}

// checkStanding compares what a group knows of a file with what the file says.
func checkStanding(t *testing.T, l *List, f *node) {
	t.Helper()
	if f.rank == nil {
		return
	}
	g := f.rank.group
	_, failed := f.rank.failed[f.ID]
	switch {
	case failed != (!f.Deleted && (f.State == FileFailed || f.State == FileCanceled)):
		t.Errorf("file %d is %s, and its group has it as failed: %t", f.ID, f.State, failed)
	case !g.unsettled && f.blockedBy() == HeldByGroup && f.isBlocked() && !slices.Contains(f.rank.held, f):
		t.Errorf("file %d waits for lower ranks, and its rank does not know", f.ID)
	}
	for i, r := range g.ranks {
		if i < g.clear && !r.isClear() {
			t.Errorf("rank %d of %d is passed over", r.number, len(g.ranks))
		}
	}
}
