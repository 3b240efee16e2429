package filelist

// A Progress is what a run reports of its transfer.
type Progress struct {
	Uploaded int64 // bytes acknowledged; what is less than before is ignored
	InFlight int64
	Sent     int64
	Size     int64 // now known to be; -1: no news
	Earlier  bool  // Uploaded is what earlier runs sent: it counts for no speed
}

// current returns the file of a run that has not ended; nil: reports of the run are
// ignored.
func (l *List) current(id ID, run int) *node {
	f := l.files[id]
	if f == nil || !f.Running() || f.Run != run {
		return nil
	}
	return f
}

// Progress records what a run has reported. It returns false for a run that has ended.
func (l *List) Progress(id ID, run int, p Progress) bool {
	f := l.current(id, run)
	if f == nil {
		return false
	}
	if p.Size >= 0 {
		f.Size = p.Size
		f.Uploaded = min(f.Uploaded, f.Size)
	}
	if p.Uploaded > f.Uploaded {
		if !p.Earlier {
			l.rate.add(l.Now, p.Uploaded-f.Uploaded)
		}
		f.Uploaded = p.Uploaded
	}
	f.InFlight, f.Sent = p.InFlight, p.Sent
	if f.Size >= 0 {
		f.Uploaded = min(f.Uploaded, f.Size)
		f.InFlight = min(f.InFlight, f.Size-f.Uploaded)
	}
	l.account(f)
	return true
}

// An Outcome is how a run ended.
type Outcome struct {
	Err         error // nil: the object is there
	Interrupted bool  // it ended because it was interrupted
	Leaves      bool  // the file may have an upload at the server or a checkpoint
	Size        int64 // of the object
	Skipped     bool  // it was there, and is not that of the run
}

// Ended records the end of a run.
func (l *List) Ended(id ID, run int, o Outcome) {
	f := l.current(id, run)
	if f == nil {
		return
	}
	why := f.Why
	f.Phase, f.Why, f.Cause = Idle, NoIntent, nil
	l.lanes[f.Lane].running--
	f.Leftover = o.Leaves && o.Err != nil
	switch {
	case o.Err == nil:
		f.Skipped = o.Skipped
		l.succeed(f, o.Size)
	case !o.Interrupted:
		l.fail(f, o.Err)
	case why == ToCancel:
		l.apply(f, FileCancel)
		l.canceled(f)
	case why == ToPause:
		l.apply(f, FilePause)
	case why == ToStop && f.Lane == Queue:
		l.apply(f, FileStop)
	default:
		l.fail(f, o.Err)
	}
	l.settle(f)
}

// Cleaned records the end of a clean-up.
func (l *List) Cleaned(id ID) {
	f := l.files[id]
	if f == nil || f.Phase != Cleaning {
		return
	}
	f.Phase = Idle
	l.lanes[f.Lane].clean--
	l.cleaners--
	if f.State == FileCanceled {
		l.canceled(f)
	}
	l.requeue(f)
	l.startCleanups()
	l.settle(f)
}
