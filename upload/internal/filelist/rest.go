package filelist

import "fmt"

// Watch has a [Rest] effect follow once nothing will happen to the file by itself: at
// once, if that is so already. Direct files are watched from the beginning. The error is
// [ErrNotListed].
func (l *List) Watch(id ID) error {
	f := l.files[id]
	if f == nil || f.Deleted {
		return l.NotListed(id)
	}
	f.watched = true
	l.rest(f)
	return nil
}

// rest reports, once, that a watched file has come to rest, or that one has ended and is
// to leave the list.
func (l *List) rest(f *node) {
	l.over(f)
	if !f.watched {
		return
	}
	if resting, err := l.resting(f); resting {
		f.watched = false
		l.effect(Effect{Kind: Rest, File: f.ID, Err: err})
	}
}

// resting reports whether nothing will happen to a file by itself. The error is why it
// has not ended all the same.
func (l *List) resting(f *node) (bool, error) {
	switch {
	case f.busy():
		return false, nil
	case f.State.Terminal(), f.Deleted:
		return true, nil
	case l.state == Closed:
		return true, ErrClosed
	case f.Lane == Direct:
		return false, nil
	case l.state == Stopped:
		return true, l.cause
	case l.state == Init:
		return true, fmt.Errorf("%w: the client is %s: call Start first", ErrState, l.state)
	}
	return false, nil
}

// over has a file that has ended leave the list, where it is to.
func (l *List) over(f *node) {
	leaves := l.limits.ForgetEnded || l.limits.ShelveEnded
	if leaves && f.Lane == Queue && !f.Deleted && f.Done() && f.leaves != f.ends {
		f.leaves = f.ends
		l.effect(Effect{Kind: Over, File: f.ID, Run: f.ends})
	}
}
