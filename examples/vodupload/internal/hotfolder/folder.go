package hotfolder

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// A Folder decides which files are taken, from what was seen. It does no I/O and has no
// clock: every method gets the time. It is for one goroutine.
type Folder struct {
	rules Rules
	done  func(name string, id Identity) bool
	files map[string]*file
	cars  map[string]bool // sidecars that are there
}

type file struct {
	sighting
	last  time.Time // look
	taken bool
	wait  time.Time // it is not offered before
	tries int       // that failed for something that may pass
}

// NewFolder returns an empty Folder. done reports whether a file was uploaded as it is.
func NewFolder(rules Rules, done func(name string, id Identity) bool) *Folder {
	return &Folder{rules: rules.withDefaults(), done: done, files: make(map[string]*file), cars: make(map[string]bool)}
}

// Saw records a look at a file. A name has slashes and is relative to the folder.
func (d *Folder) Saw(now time.Time, name string, id Identity) {
	if main, ok := mainOf(d.rules.Trigger, name); ok {
		d.cars[name] = true
		if f := d.files[main]; f != nil {
			f.sidecar = true
		}
		return
	}
	if !d.rules.considers(name) {
		return
	}
	f := d.files[name]
	if f == nil {
		if d.done(name, id) {
			return
		}
		f = &file{}
		d.files[name] = f
		f.start(now, id)
		f.sidecar = d.hasSidecar(name)
		return
	}
	if !f.Equal(id) {
		again := f.again || f.arrival == closed
		f.start(now, id)
		f.again = again
	} else if now.After(f.last) {
		f.looks++
	}
	f.last = now
}

// start begins the count of looks.
func (f *file) start(now time.Time, id Identity) {
	f.Identity, f.since, f.last, f.looks, f.arrival, f.at = id, now, now, 1, grew, time.Time{}
}

func (d *Folder) hasSidecar(name string) bool {
	return slices.ContainsFunc(d.rules.Trigger, func(suffix string) bool { return d.cars[name+suffix] })
}

// Gone records that there is no file of this name any more.
func (d *Folder) Gone(name string) {
	delete(d.cars, name)
	if main, ok := mainOf(d.rules.Trigger, name); ok {
		if f := d.files[main]; f != nil {
			f.sidecar = d.hasSidecar(main)
		}
	}
	if f := d.files[name]; f != nil && !f.taken {
		delete(d.files, name)
	}
}

// Closed records that a writer closed the file, which has been looked at since.
func (d *Folder) Closed(now time.Time, name string) {
	if f := d.files[name]; f != nil {
		f.again = f.again || f.arrival == closed && now.After(f.at.Add(d.rules.calm()/4))
		f.arrival, f.at, f.looks, f.since, f.last = closed, now, 1, now, now
	}
}

// Renamed records that the file got its name by a rename, from another name in the
// folder, or from outside if that is empty. A file that was watched under another name
// already is no more complete than before.
func (d *Folder) Renamed(now time.Time, from, name string) {
	f := d.files[name]
	if f == nil {
		return
	}
	if old := d.files[from]; old != nil && from != name {
		if !old.taken {
			delete(d.files, from)
		}
		if old.Equal(f.Identity) {
			sidecar := f.sidecar
			f.sighting, f.last = old.sighting, now
			f.sidecar = sidecar
			return
		}
	}
	f.arrival, f.at, f.last = renamed, now, now
}

// Scanned records that the whole folder was read: what names has not is gone. A file below
// an unread folder, one that could not be read, is not.
func (d *Folder) Scanned(names map[string]bool, unread []string) {
	isGone := func(name string) bool {
		return !names[name] && !slices.ContainsFunc(unread, func(dir string) bool { return dir == "." || within(name, dir) })
	}
	for name := range d.files {
		if isGone(name) {
			d.Gone(name)
		}
	}
	for name := range d.cars {
		if isGone(name) {
			d.Gone(name)
		}
	}
}

// A Candidate is a file that is complete.
type Candidate struct {
	Name string
	Identity
}

// Ready returns the files that may be taken now, those first that have been complete for
// longest.
func (d *Folder) Ready(now time.Time) []Candidate {
	var ready []Candidate
	at := make(map[string]time.Time)
	for name, f := range d.files {
		if !f.taken && !now.Before(f.wait) && d.rules.complete(f.sighting, f.last) {
			at[name], _ = d.rules.due(f.sighting)
			ready = append(ready, Candidate{name, f.Identity})
		}
	}
	slices.SortFunc(ready, func(a, b Candidate) int {
		return cmp.Or(at[a.Name].Compare(at[b.Name]), strings.Compare(a.Name, b.Name))
	})
	return ready
}

// Take marks a file as being worked on: it is not offered again before Ended, Busy or
// Failed.
func (d *Folder) Take(name string) {
	if f := d.files[name]; f != nil {
		f.taken = true
	}
}

// Ended forgets a file that is done, or is not there any more.
func (d *Folder) Ended(name string) { delete(d.files, name) }

// Busy gives a file back that has changed, or is open for writing: the count begins again.
func (d *Folder) Busy(now time.Time, name string) {
	if f := d.files[name]; f != nil {
		f.taken, f.tries, f.again = false, 0, f.again || f.arrival == closed
		f.start(now, f.Identity)
	}
}

// The pauses after a failure that may pass.
const (
	firstPause   = 5 * time.Second
	longestPause = 5 * time.Minute
)

// pauseAfter returns the pause after a failure that was not the first.
func pauseAfter(tries int) time.Duration {
	if tries < 6 {
		return min(firstPause<<tries, longestPause)
	}
	return longestPause
}

// Failed gives a file back whose upload failed for something that may pass. It returns how
// long the file is not offered.
func (d *Folder) Failed(now time.Time, name string) time.Duration {
	f := d.files[name]
	if f == nil {
		return 0
	}
	pause := pauseAfter(f.tries)
	f.taken, f.wait, f.tries = false, now.Add(pause), f.tries+1
	return pause
}

// Looks returns the files that have to be looked at by now to find out whether they are
// complete, and when the next ones have to; zero: none has.
func (d *Folder) Looks(now time.Time) (names []string, next time.Time) {
	for name, f := range d.files {
		if f.taken {
			continue
		}
		at, ok := f.wait, f.wait.After(now)
		if !d.rules.complete(f.sighting, f.last) {
			at, ok = d.rules.nextLook(f.sighting, f.last)
			at = later(at, f.wait)
		}
		switch {
		case !ok:
		case !at.After(now):
			names = append(names, name)
		case next.IsZero() || at.Before(next):
			next = at
		}
	}
	slices.Sort(names)
	return names, next
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Waiting returns how many files are watched and how many of them are being worked on.
func (d *Folder) Waiting() (watched, taken int) {
	for _, f := range d.files {
		if f.taken {
			taken++
		}
	}
	return len(d.files), taken
}

// Failing returns how many files wait after a failure.
func (d *Folder) Failing() (n int) {
	for _, f := range d.files {
		if f.tries > 0 && !f.taken {
			n++
		}
	}
	return n
}

// Idle reports whether no file is at work or will become complete by the passing of time,
// but for those that wait after a failure.
func (d *Folder) Idle() bool {
	for _, f := range d.files {
		if f.taken {
			return false
		}
		if _, never := d.rules.due(f.sighting); !never && f.tries == 0 {
			return false
		}
	}
	return true
}
