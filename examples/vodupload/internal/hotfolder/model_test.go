package hotfolder

import (
	"math/rand/v2"
	"testing"
	"time"
)

// A writer is a program that writes one file, as many do: under a temporary name or not,
// in steps, closing in between or not, with the time of the original or not. Its pauses
// while it writes are shorter than Settle.
type writer struct {
	rng       *rand.Rand
	name      string
	temporary string // written under; "": under its name
	keepsTime bool
	closes    bool // between steps
	left      int  // steps
	size      int64
	mtime     time.Time
	inode     uint64
	next      time.Time
	there     bool
	complete  time.Time // zero: not yet
}

func (w *writer) current() string {
	if w.temporary != "" && w.complete.IsZero() {
		return w.temporary
	}
	return w.name
}

// step does what the writer does at now; heard gets the events.
func (w *writer) step(now time.Time, heard func(Event)) {
	if now.Before(w.next) || !w.complete.IsZero() {
		return
	}
	w.there = true
	w.size += 1 + w.rng.Int64N(100)
	if !w.keepsTime {
		w.mtime = now
	}
	w.left--
	if w.left > 0 {
		if w.closes {
			heard(Event{Kind: Closed, Name: w.current()})
		} else {
			heard(Event{Kind: Touched, Name: w.current()})
		}
		pause := DefaultSettle - time.Second
		if w.closes {
			pause = longestCalm - time.Second/10
		}
		w.next = now.Add(time.Duration(w.rng.Int64N(int64(pause))))
		return
	}
	heard(Event{Kind: Closed, Name: w.current()})
	w.complete = now
	if w.temporary != "" {
		heard(Event{Kind: Renamed, From: w.temporary, Name: w.name})
	}
}

// TestModel runs writers beside a Folder that polls, and gets all, some or none of the
// events. Nothing may be taken before it is complete, and everything has to be, once and
// soon.
func TestModel(t *testing.T) {
	const runs, files = 300, 6
	for seed := range uint64(runs) {
		rng := rand.New(rand.NewPCG(seed, 1))
		hearing := []float64{0, 0.5, 1}[seed%3]
		done := map[string]Identity{}
		d := NewFolder(Rules{}, func(name string, id Identity) bool { return done[name].Equal(id) })
		writers := make([]*writer, files)
		now := at(0)
		for i := range writers {
			w := &writer{
				rng: rng, name: string(rune('a'+i)) + ".mov", keepsTime: rng.IntN(2) == 0, closes: rng.IntN(3) == 0,
				left: 1 + rng.IntN(8), inode: uint64(i + 1), next: now.Add(time.Duration(rng.Int64N(int64(20 * time.Second)))),
				mtime: at(-1e6),
			}
			if rng.IntN(2) == 0 {
				w.temporary = w.name + ".part"
			}
			writers[i] = w
		}
		byName := func(name string) *writer {
			for _, w := range writers {
				if w.there && w.current() == name {
					return w
				}
			}
			return nil
		}
		look := func(name string) {
			if w := byName(name); w != nil {
				d.Saw(now, name, Identity{w.size, w.mtime, w.inode})
			} else {
				d.Gone(name)
			}
		}
		taken := 0
		for ; now.Before(at(200)); now = now.Add(time.Second / 10) {
			for _, w := range writers {
				w.step(now, func(e Event) {
					if rng.Float64() >= hearing {
						return
					}
					look(e.Name)
					switch e.Kind {
					case Closed:
						d.Closed(now, e.Name)
					case Renamed:
						d.Renamed(now, e.From, e.Name)
					}
				})
			}
			if now.Sub(at(0))%DefaultPoll == 0 {
				names := map[string]bool{}
				for _, w := range writers {
					if w.there {
						names[w.current()] = true
						look(w.current())
					}
				}
				d.Scanned(names, nil)
			}
			names, _ := d.Looks(now)
			for _, name := range names {
				look(name)
			}
			for _, c := range d.Ready(now) {
				w := byName(c.Name)
				if w == nil || w.complete.IsZero() {
					t.Fatalf("seed %d: %s was taken before it was complete: %+v", seed, c.Name, w)
				}
				if late := now.Sub(w.complete); late > DefaultSettle+2*DefaultPoll {
					t.Fatalf("seed %d: %s was taken %v after it was complete: %+v", seed, c.Name, late, w)
				}
				d.Take(c.Name)
				switch rng.IntN(3) {
				case 0:
					d.Busy(now, c.Name)
					w.complete = now
				default:
					done[c.Name] = c.Identity
					d.Ended(c.Name)
					taken++
				}
			}
		}
		if taken != files {
			t.Fatalf("seed %d: %d of %d files were taken", seed, taken, files)
		}
		if !d.Idle() {
			t.Fatalf("seed %d: not idle", seed)
		}
	}
}
