package filelist

// Away returns the version of what Hold was called with last, from 0.
func (l *List) Away() int { return l.awayVersion }

// Hold keeps files of the queue that go to some endpoints from being started, and those
// to others no longer. The errors say why an endpoint is away. The version is the caller's.
func (l *List) Hold(version int, endpoints map[string]error) {
	before := l.away
	l.away, l.awayVersion = endpoints, version
	for f := l.first; f != nil; f = f.next {
		to := f.Key.Endpoint
		if f.Lane == Queue && f.Phase == Waiting && (before[to] != nil) != (endpoints[to] != nil) && f.blockedBy() != HeldByGroup {
			l.replace(f)
		}
	}
}
