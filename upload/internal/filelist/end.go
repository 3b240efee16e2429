package filelist

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

// drop forgets a deleted file that is not busy.
func (l *List) drop(f *node) {
	l.dropped = append(l.dropped, f.ID)
	l.effect(Effect{Kind: Drop, File: f.ID})
}
