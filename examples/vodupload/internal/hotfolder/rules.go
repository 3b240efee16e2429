package hotfolder

import (
	"fmt"
	"path"
	"strings"
	"time"
)

// The defaults of [Rules].
const (
	DefaultSettle = 10 * time.Second
	DefaultPoll   = 5 * time.Second
	minLooks      = 3
	longestCalm   = 2 * time.Second
)

// Rules say when a file is complete.
type Rules struct {
	// Settle is how long size and modification time have to stand still. The default is
	// 10 s.
	Settle time.Duration

	// Temporary are patterns (see path.Match; case does not matter) of the names, of files
	// and of folders, that are never taken. The default is DefaultTemporary.
	Temporary []string

	// Trigger are the suffixes of sidecars, like ".ready". With any, a file is taken when
	// one of its sidecars is there and for no other reason. The default is none.
	Trigger []string

	// Exclude are folders below the folder, with slashes, that are not looked into. The
	// default is none.
	Exclude []string
}

func (r Rules) withDefaults() Rules {
	if r.Settle == 0 {
		r.Settle = DefaultSettle
	}
	if r.Temporary == nil {
		r.Temporary = DefaultTemporary
	}
	return r
}

// Validate returns an error that names the rule which cannot be followed.
func (r Rules) Validate() error {
	if r.Settle < 0 {
		return fmt.Errorf("settle: got %v, want 0 for the default of %v, or more", r.Settle, DefaultSettle)
	}
	for _, pattern := range r.Temporary {
		if _, err := path.Match(pattern, ""); err != nil {
			return fmt.Errorf("temporary: got the pattern %q: %w", pattern, err)
		}
	}
	for _, suffix := range r.Trigger {
		if !strings.HasPrefix(suffix, ".") || len(suffix) < 2 || strings.Contains(suffix, "/") {
			return fmt.Errorf("trigger: got %q, want the suffix of a sidecar, like .ready", suffix)
		}
	}
	return nil
}

// considers reports whether the file of this name is one to be taken some day.
func (r Rules) considers(name string) bool {
	for _, dir := range r.Exclude {
		if within(name, dir) {
			return false
		}
	}
	if _, sidecar := mainOf(r.Trigger, name); sidecar {
		return false
	}
	return !isTemporary(r.Temporary, name)
}

// An arrival is the last thing that was seen of a file's coming.
type arrival uint8

const (
	grew    arrival = iota // nothing but that it is there
	closed                 // its writer closed it
	renamed                // it got its name by a rename
)

// A sighting is what is known of one file, as far as it decides whether it is complete.
type sighting struct {
	Identity
	since   time.Time // size, modification time and inode have been the same since
	looks   int       // that saw them so
	arrival arrival
	at      time.Time // of the arrival
	again   bool      // it was written after it had been closed
	sidecar bool
}

// due returns when the file is complete if nothing changes until then, and whether one
// more look is needed then; never: not by the passing of time.
func (r Rules) due(s sighting) (at time.Time, never bool) {
	switch {
	case len(r.Trigger) > 0:
		return s.since, !s.sidecar
	case s.arrival == renamed:
		return s.at, false
	case s.arrival == closed && !s.again && s.Size > 0:
		return s.at.Add(r.calm()), false
	}
	return s.since.Add(r.Settle), false
}

// calm is how long a closed file has to stand still: many programs close what they have
// copied only to open it again for its times and rights.
func (r Rules) calm() time.Duration { return min(r.Settle, longestCalm) }

// complete decides whether a file may be taken, after a look at the time last.
func (r Rules) complete(s sighting, last time.Time) bool {
	at, never := r.due(s)
	return !never && !last.Before(at) && s.looks >= r.wanted(s)
}

// wanted is how many looks have to have seen the file as it is.
func (r Rules) wanted(s sighting) int {
	switch {
	case len(r.Trigger) > 0 || s.arrival == renamed:
		return 1
	case s.arrival == closed && !s.again && s.Size > 0:
		return 2 // the second after the calm
	}
	return minLooks
}

// nextLook returns when a file that is not complete has to be looked at again, if that can
// decide anything.
func (r Rules) nextLook(s sighting, last time.Time) (time.Time, bool) {
	at, never := r.due(s)
	if never {
		return time.Time{}, false
	}
	missing := r.wanted(s) - s.looks
	if missing <= 1 && at.After(last) {
		return at, true
	}
	step := at.Sub(last) / time.Duration(max(missing, 1))
	return last.Add(max(step, r.Settle/8, time.Millisecond)), true
}
