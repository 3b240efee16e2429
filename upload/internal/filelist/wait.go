package filelist

import (
	"cmp"
	"iter"
	"slices"
)

// A Mark is the moment at which a Wait began.
type Mark struct {
	stops    int
	late     bool // the client was closed before
	failures int  // number of the last one that was reported by then
	more     int  // failures without a number that were
}

// Mark returns a mark of now, for a Wait that begins. [List.EndWait] has to follow.
func (l *List) Mark() Mark {
	fs := &l.failures
	fs.waits++
	m := Mark{stops: l.stops, late: l.state == Closed, failures: fs.reported, more: fs.told}
	if l.state == Stopped {
		m.stops-- // a Wait that comes after a Stop reports that one
	}
	return m
}

// A Verdict is what a Wait has to report.
type Verdict uint8

// The verdicts.
const (
	NotOver    Verdict = iota
	NeverBegan         // the client was not started
	AllEnded           // every file of the queue has ended
	WasStopped         // see Cause
	WasClosed
)

// Over returns what a Wait that began at m has to report: NotOver while the queue is
// at work, or still ending after a Stop.
func (l *List) Over(m Mark) Verdict {
	switch {
	case l.state == Init:
		return NeverBegan
	case l.state == Closed:
		if l.finished && !m.late {
			return AllEnded
		}
		return WasClosed
	case l.state == Started, l.state == Paused:
		if l.stops != m.stops { // and started again since
			return WasStopped
		}
		return NotOver
	case l.lanes[Queue].busy() > 0:
		return NotOver
	case l.finished, l.stops == m.stops:
		return AllEnded
	}
	return WasStopped
}

// Cause returns why the client was stopped last.
func (l *List) Cause() error { return l.cause }

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
