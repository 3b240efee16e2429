package upload

import (
	"maps"
	"math"
	"time"

	"github.com/vodupload/vodupload/upload/internal/filelist"
	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// Stats are the figures of the whole list at one moment, and what the client has done
// since New. These counters never go back, whatever leaves the list, and include clean-ups
// and sweeps.
type Stats struct {
	Files    map[FileState]int // how many files are in each state; states without a file are left out
	Skipped  int               // files that succeeded without being sent: see File.IfExists
	Total    int64             // bytes of all files that are not canceled, failed ones included
	Uploaded int64             // of these, bytes that the server has acknowledged
	Speed    float64           // bytes acknowledged per second, over the last 8 seconds at most
	Left     time.Duration     // at this speed, for all that is neither failed nor canceled; -1: not known
	InFlight int               // requests
	Slots    int               // how many may be in flight: Options.Parallel, or what Auto has found by now

	TokenExpires time.Time // when the client's credentials do; zero: there are none, or nothing says when

	Requests       int64            // to OSS, retries included
	Retries        map[string]int64 // by the code of the error, as [Error] has it; nil: none
	SentBytes      int64            // of files, handed to connections, retries included
	AckedBytes     int64            // of files, that the server has acknowledged; parts of an earlier process do not count
	TokensAsked    int64            // calls of Providers and of OnTokenExpired
	TokensReceived int64            // credentials from Providers, Init, ResumeWithToken and SetToken
}

// Stats returns the figures of now. Its cost does not grow with the list.
func (c *Client) Stats() Stats {
	s := Stats{Files: make(map[FileState]int), InFlight: c.slots.Used(), Slots: c.slots.Limit(), TokenExpires: c.gate.Expires()}
	c.shared.counters.addTo(&s, c.service.Counts())
	c.view(func(l *filelist.List) {
		l.Now = time.Now()
		t := l.Totals()
		c.shared.shelf.addTo(&t)
		s.Total, s.Uploaded, s.Skipped = t.Total, t.Uploaded, t.Skipped
		for state, n := range t.Files {
			if n > 0 {
				s.Files[FileState(state)] = n
			}
		}
		s.Speed = l.Rate().PerSecond(l.Now)
		s.Left = left(&t, s.Speed, l.Rate().Settled(l.Now))
	})
	return s
}

// left is how long what is to be sent takes, -1 if nobody can know: no bytes have flowed
// lately, or a file's length is unknown.
func left(t *filelist.Totals, speed float64, settled bool) time.Duration {
	switch {
	case t.Unsized > 0:
		return -1
	case t.Todo == 0:
		return 0
	case speed <= 0, !settled:
		return -1
	}
	return time.Duration(min(float64(t.Todo)/speed*float64(time.Second), math.MaxInt64/2))
}

// addTo adds the counters to s.
func (n *counters) addTo(s *Stats, sent transfer.Counts) {
	s.Requests, s.SentBytes, s.AckedBytes = sent.Requests, sent.Sent, sent.Acked
	s.TokensAsked, s.TokensReceived = n.tokens.Asked.Load(), n.tokens.Received.Load()
	n.mu.Lock()
	defer n.mu.Unlock()
	s.Retries = maps.Clone(n.retries)
}
