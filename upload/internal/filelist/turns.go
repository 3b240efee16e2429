package filelist

// Want returns how many files could be started now, each with a slot of its own. Files
// whose group lets them have their turn are among them.
func (l *List) Want() int {
	l.settleGroups()
	if l.state == Paused || l.state == Closed {
		return 0
	}
	n := len(l.lanes[Direct].ready)
	if l.state == Started {
		n += len(l.lanes[Queue].ready)
	}
	return min(n, max(0, l.limits.Started-l.running()))
}

func (l *List) running() int { return l.lanes[Queue].running + l.lanes[Direct].running }

// Turn starts files with that many slots and returns how many it used. It also finds
// that nothing is left to do, so it is called after each decision.
func (l *List) Turn(slots int) (used int) {
	l.settleGroups()
	for {
		f, slot := l.next(slots > used)
		if f == nil {
			break
		}
		if slot {
			used++
		}
		l.start(f, slot)
	}
	l.finishIfQuiet()
	return used
}

// next takes the file to be started next; slot says whether it gets one.
func (l *List) next(free bool) (f *node, slot bool) {
	direct, queue := &l.lanes[Direct], &l.lanes[Queue]
	l.holdBack(direct)
	l.holdBack(queue)
	switch {
	case l.state == Paused, l.state == Closed:
	case len(direct.ready) > 0:
		free = free && l.running() < l.limits.Started
		if free || direct.busy() < l.limits.Parallel {
			return direct.take(), free
		}
	case free && l.state == Started && len(queue.ready) > 0 && l.running() < l.limits.Started:
		return queue.take(), true
	}
	return nil, false
}

// holdBack takes the files out of the front of a lane whose groups have got files of lower
// ranks since they were queued.
func (l *List) holdBack(q *lane) {
	for len(q.ready) > 0 && q.ready[0].isHeld() {
		l.replace(q.ready[0])
		l.settleGroups()
	}
}

func (l *List) start(f *node, slot bool) {
	f.Phase = Running
	f.Run++
	f.Sent = 0
	l.lanes[f.Lane].running++
	l.apply(f, FileStart)
	l.effect(Effect{Kind: StartRun, File: f.ID, Run: f.Run, Slot: slot})
	if !f.Begun {
		f.Begun = true
		f.Started = l.Now
		l.notify(f, EventStarted)
	}
}

// finishIfQuiet moves a started client to finished when the queue has nothing to do.
func (l *List) finishIfQuiet() {
	if l.state != Started || !l.lanes[Queue].quiet() {
		return
	}
	l.state, _ = l.state.Next(Finish)
	l.finished = true
	l.effect(Effect{Kind: Notify, Event: EventFinished})
}
