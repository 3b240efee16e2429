package filelist

// isBlocked reports whether a file waits for more than its turn.
func (f *node) isBlocked() bool { return f.Phase == Waiting && f.place < 0 }

// blockedBy is what a file waited for when it was put in its place.
func (f *node) blockedBy() Hold { return Hold(max(-f.place, 0)) }

// holdOf finds what holds a waiting file back now.
func (l *List) holdOf(f *node) Hold {
	switch {
	case f.isHeld():
		return HeldByGroup
	case l.busyKeys[f.Key] > 0:
		return HeldByNamesake
	case l.isAway(f):
		return HeldByEndpoint
	}
	return NotHeld
}

// isAway reports whether a file is not started because its endpoint is away. A direct one
// is, so that its caller sees what it waits for.
func (l *List) isAway(f *node) bool { return f.Lane == Queue && l.away[f.Key.Endpoint] != nil }

// showHold has the owner know what holds a file back that could have its turn otherwise.
// It has to begin and to end only once for each hold.
func (l *List) showHold(f *node, by Hold) {
	if !l.isOpen(f.Lane) {
		by = NotHeld
	}
	if by == f.Held {
		return
	}
	if f.Held != NotHeld {
		l.effect(Effect{Kind: Freed, File: f.ID, Hold: f.Held})
	}
	f.Held = by
	if by != NotHeld {
		e := Effect{Kind: Held, File: f.ID, Hold: by}
		if by == HeldByEndpoint {
			e.Err = l.away[f.Key.Endpoint]
		}
		l.effect(e)
	}
}

// showHolds is showHold for all files, once the lanes have been opened or closed.
func (l *List) showHolds() {
	for f := l.first; f != nil; f = f.next {
		if f.isBlocked() {
			l.showHold(f, f.blockedBy())
		}
	}
}

// isOpen reports whether files of a lane have their turn.
func (l *List) isOpen(lane Lane) bool {
	if lane == Direct {
		return l.state != Paused && l.state != Closed
	}
	return l.state == Started
}
