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

// settle lets go of a file that has become idle.
func (l *List) settle(f *node) {
	l.rest(f)
	if !f.Deleted || f.busy() {
		return
	}
	l.free(f)
	l.drop(f)
}

func (l *List) succeed(f *node, size int64) {
	f.Size, f.Uploaded = size, size
	l.apply(f, FileSucceed)
	l.notify(f, EventSucceeded)
	l.unuse(f)
	l.rest(f)
}

// fail ends a file with an error. What it left stays for another try; that of a
// stream, which cannot be tried again, is removed.
func (l *List) fail(f *node, err error) { l.failWith(f, err, !f.Begun) }

// failWith is fail, with or without telling the user.
func (l *List) failWith(f *node, err error, silent bool) {
	l.apply(f, FileFail)
	l.failures.count(f)
	l.effect(Effect{Kind: Notify, Event: EventFailed, File: f.ID, Err: err, Silent: silent})
	l.unuse(f)
	if f.Stream && f.Leftover {
		l.cleanUp(f)
	}
	l.rest(f)
}

// canceled removes what a canceled file has left, and only then reports its end.
func (l *List) canceled(f *node) {
	if f.Leftover {
		l.cleanUp(f)
		return
	}
	l.notify(f, EventCanceled)
	l.unuse(f)
	l.rest(f)
}

// unuse ends a file's use of its source.
func (l *List) unuse(f *node) {
	f.Begun = false
	l.effect(Effect{Kind: Release, File: f.ID})
}

// cleanUp has what a file left removed, in its turn.
func (l *List) cleanUp(f *node) {
	if f.Phase == Waiting {
		l.dequeue(f)
	}
	f.Leftover = false
	f.Phase = Cleaning
	l.lanes[f.Lane].clean++
	l.cleanups = append(l.cleanups, f)
	l.startCleanups()
}

// startCleanups starts as many as there may be at a time: more would only wait for
// slots, and their time runs from their start.
func (l *List) startCleanups() {
	for l.cleaners < l.limits.Parallel && len(l.cleanups) > 0 {
		f := l.cleanups[0]
		l.cleanups[0] = nil
		l.cleanups = l.cleanups[1:]
		l.cleaners++
		l.effect(Effect{Kind: CleanUp, File: f.ID})
	}
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
