package upload

import (
	"time"

	"github.com/vodupload/vodupload/upload/internal/filelist"
)

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
	s := Stats{Files: make(map[FileState]int), InFlight: c.slots.Used()}
	c.view(func(l *filelist.List) {
		l.Now = time.Now()
		t := l.Totals()
		s.Total, s.Uploaded = t.Total, t.Uploaded
		for state, n := range t.Files {
			if n > 0 {
				s.Files[FileState(state)] = n
			}
		}
		s.Speed = l.Rate().PerSecond(l.Now)
		if s.Speed > 0 && l.Rate().Settled(l.Now) {
			s.Left = time.Duration(float64(t.Todo) / s.Speed * float64(time.Second))
		}
	})
	return s
}
