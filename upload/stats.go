package upload

import "time"

// Stats are the figures of the whole list at one moment.
type Stats struct {
	Files    map[FileState]int // how many files are in each state; states without a file are left out
	Total    int64             // bytes of all files that are not canceled, failed ones included
	Uploaded int64             // of these, bytes that the server has acknowledged
	Speed    float64           // bytes acknowledged per second, over the last 8 seconds at most
	Left     time.Duration     // at this speed, for all that is neither failed nor canceled; 0: not known yet
	InFlight int               // requests
}

// Stats returns the figures of the list. Its cost does not grow with the list.
func (c *Client) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := Stats{Files: make(map[FileState]int), Total: c.totals.total, Uploaded: c.totals.uploaded}
	for state, n := range c.totals.files {
		if n > 0 {
			s.Files[FileState(state)] = n
		}
	}
	s.InFlight = c.slots.used()
	s.Speed = c.rate.perSecond(time.Now())
	if s.Speed > 0 && c.rate.settled(time.Now()) {
		s.Left = time.Duration(float64(c.totals.todo) / s.Speed * float64(time.Second))
	}
	return s
}

// totals are sums over the list, kept up to date with each change of a file: a
// program asks for them with each progress event, and the list may be long.
type totals struct {
	files                 [len(fileStateNames)]int
	total, uploaded, todo int64
}

// A share is what a file contributes to the totals.
type share struct {
	listed                bool
	state                 FileState
	total, uploaded, todo int64
}

func shareOf(i FileInfo) share {
	s := share{listed: true, state: i.State}
	if i.State == FileCanceled {
		return s
	}
	s.total, s.uploaded = max(i.Size, i.Uploaded), i.Uploaded // the size of a Reader is not known at first
	if i.State != FileFailed {
		s.todo = max(i.Size-i.Uploaded, 0)
	}
	return s
}

func (t *totals) add(s share, sign int64) {
	if !s.listed {
		return
	}
	t.files[s.state] += int(sign)
	t.total += sign * s.total
	t.uploaded += sign * s.uploaded
	t.todo += sign * s.todo
}

// account brings the totals up to date after something about a file has changed. It
// is called with the lock held.
func (c *Client) account(f *file) {
	now := share{}
	if !f.deleted {
		now = shareOf(f.snapshot())
	}
	c.totals.add(f.share, -1)
	c.totals.add(now, 1)
	f.share = now
}
