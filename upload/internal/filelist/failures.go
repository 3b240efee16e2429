package filelist

import "slices"

// maxKept is how many failures of files that have left the list are kept for Wait.
const maxKept = 1000

// A Failure is a file that failed and that no Wait has reported.
type Failure struct {
	ID     ID
	Err    error // of a file that has left the list for good; nil: the owner has it
	Number int   // its place in the order of failures
}

// failures are what Wait reports: what failed since the last one. They are numbered in
// the order in which they happened.
type failures struct {
	latest   int       // number of the last one
	reported int       // number of the last one that a Wait has reported
	kept     []Failure // of files that have left the list
	more     int       // failures of files that have left the list and are not kept
	told     int       // of more, how many a Wait has reported
	waits    int       // Waits under way
}

func (fs *failures) count(f *node) {
	if f.Lane == Queue {
		fs.latest++
		f.failure = fs.latest
	}
}

// keep keeps the failure of a file that leaves the list.
func (fs *failures) keep(f *node, err error) {
	switch {
	case f.failure <= fs.reported && fs.waits == 0: // a Wait has reported it, and no other is to
	case len(fs.kept) < maxKept:
		fs.kept = append(fs.kept, Failure{f.ID, err, f.failure})
	default:
		fs.more++
	}
}

// end records that a Wait has ended. What was reported is kept for those that began
// before it was.
func (fs *failures) end() {
	if fs.waits--; fs.waits == 0 {
		fs.kept = slices.DeleteFunc(fs.kept, func(f Failure) bool { return f.Number <= fs.reported })
	}
}
