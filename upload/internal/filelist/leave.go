package filelist

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
	l.link(f)
	l.account(f)
}

// LeaveAgain has a file that has returned leave again, if it is still ended.
func (l *List) LeaveAgain(id ID) {
	if f := l.files[id]; f != nil {
		l.over(f)
	}
}
