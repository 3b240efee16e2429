package filelist

import (
	"cmp"
	"iter"
	"slices"
)

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

// begin records that a Wait has begun.
func (fs *failures) begin(m *Mark) {
	fs.waits++
	m.failures, m.more = fs.reported, fs.told
}

// end records that a Wait has ended. What was reported is kept for those that began
// before it was.
func (fs *failures) end() {
	if fs.waits--; fs.waits == 0 {
		fs.kept = slices.DeleteFunc(fs.kept, func(f Failure) bool { return f.Number <= fs.reported })
	}
}

// EndWait records that the Wait which began at m has ended.
func (l *List) EndWait(Mark) { l.failures.end() }

// Failures returns the files that failed and that no Wait had reported before m, in the
// order of the list, and how many others failed and have left the list since. From now on
// they are reported. Shelved yields those that the owner has, with the numbers of their
// failures.
func (l *List) Failures(m Mark, shelved iter.Seq2[ID, int]) (failed []Failure, more int) {
	fs := &l.failures
	for _, f := range fs.kept {
		if f.Number > m.failures {
			failed = append(failed, f)
		}
	}
	for id, number := range shelved {
		if number > m.failures {
			failed = append(failed, Failure{ID: id, Number: number})
		}
	}
	for f := l.first; f != nil; f = f.next {
		if f.State == FileFailed && f.failure > m.failures {
			failed = append(failed, Failure{ID: f.ID, Number: f.failure})
		}
	}
	slices.SortFunc(failed, func(a, b Failure) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Number, b.Number))
	})
	more = fs.more - m.more
	fs.reported, fs.told = fs.latest, fs.more
	return failed, more
}

// over has a file that has ended leave the list, where it is to.
func (l *List) over(f *node) {
	leaves := l.limits.ForgetEnded || l.limits.ShelveEnded
	if leaves && f.Lane == Queue && !f.Deleted && f.Done() && f.leaves != f.ends {
		f.leaves = f.ends
		l.effect(Effect{Kind: Over, File: f.ID, Run: f.ends})
	}
}

// Leave takes a file out of the list that has ended, and leaves what it left at the server
// and on disk. It does nothing if the file was set back or deleted since. end is that of
// the [Over] effect; err is why the file failed, if it did. It returns the file, and whether
// it has left.
func (l *List) Leave(id ID, end int, err error) (Left, bool) {
	f := l.files[id]
	if f == nil || f.Deleted || !f.Done() || f.ends != end {
		return Left{}, false
	}
	if f.State == FileFailed && l.limits.ForgetEnded {
		l.failures.keep(f, err)
	}
	left := Left{File: f.File, Ends: f.ends, Failure: f.failure}
	if !l.limits.ForgetEnded && f.stands == unsuccess { // it fails higher ranks until it returns
		left.Rank, f.rank = f.rank, nil
	}
	l.Forget(id)
	return left, true
}

// A Left is a file that has left the list and may return.
type Left struct {
	File
	Ends    int   // how often it has ended
	Failure int   // the number of its last failure; 0: none
	Rank    *Rank // in a group that counts it still; nil: there is none
}

// Return puts a file back that has left, where it was in the order of the list. It is for
// a call that may change it: [List.LeaveAgain] follows.
func (l *List) Return(left Left) {
	f := &node{File: left.File, ends: left.Ends, failure: left.Failure, rank: left.Rank}
	if f.rank != nil {
		f.stands = unsuccess
	}
	l.files[f.ID] = f
	l.keys[f.Key] = f.ID
	l.linkInOrder(f)
	l.account(f)
}

// LeaveAgain has a file that has returned leave again, if it is still ended.
func (l *List) LeaveAgain(id ID) {
	if f := l.files[id]; f != nil {
		l.over(f)
	}
}
