package filelist

// Totals are sums over the listed files, kept up to date with each change of a file:
// programs ask for them with each progress event, and the list may be long.
type Totals struct {
	Files    [FileStates]int // by the state that users see
	Total    int64           // bytes of all files that are not canceled
	Uploaded int64           // of these, acknowledged
	Todo     int64           // bytes still to come of files that are neither failed nor canceled
	Skipped  int             // files that succeeded without being sent
	Unsized  int             // of these files, how many have not ended and no known size
}

// Totals returns the sums.
func (l *List) Totals() Totals { return l.totals }

// Rate returns the speed of the whole list.
func (l *List) Rate() *Rate { return &l.rate }

// A share is what a file contributes to the totals.
type share struct {
	listed                bool
	state                 FileState
	total, uploaded, todo int64
	skipped, unsized      bool
}

func shareOf(f *File) share {
	if f.Deleted {
		return share{}
	}
	s := share{listed: true, state: f.Shown()}
	if s.state == FileCanceled {
		return s
	}
	s.total, s.uploaded = max(f.Size, f.Uploaded), f.Uploaded // the size of a stream is unknown at first
	s.skipped = f.Skipped
	if s.state != FileFailed {
		s.todo = max(f.Size-f.Uploaded, 0)
		s.unsized = f.Size < 0
	}
	return s
}

func (t *Totals) add(s share, sign int64) {
	if !s.listed {
		return
	}
	t.Files[s.state] += int(sign)
	t.Total += sign * s.total
	t.Uploaded += sign * s.uploaded
	t.Todo += sign * s.todo
	if s.skipped {
		t.Skipped += int(sign)
	}
	if s.unsized {
		t.Unsized += int(sign)
	}
}

// account brings the totals and its group up to date with a file.
func (l *List) account(f *node) {
	now := shareOf(&f.File)
	l.totals.add(f.share, -1)
	l.totals.add(now, 1)
	f.share = now
	l.regroup(f)
}
