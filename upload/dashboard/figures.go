package dashboard

import (
	"cmp"
	"slices"

	"github.com/vodupload/vodupload/upload"
)

// figures are those of the whole client.
type figures struct {
	State    string           `json:"state"`
	Files    map[string]int   `json:"files"` // by state
	Skipped  int              `json:"skipped"`
	Total    int64            `json:"total"`
	Uploaded int64            `json:"uploaded"`
	Speed    int64            `json:"speed"` // bytes a second
	Left     int64            `json:"left"`  // milliseconds; -1: not known
	InFlight int              `json:"inFlight"`
	Slots    int              `json:"slots"`
	Requests int64            `json:"requests"`
	Retries  map[string]int64 `json:"retries"` // by code
	Sent     int64            `json:"sent"`    // bytes, retries included
	Acked    int64            `json:"acked"`   // bytes
	Expires  int64            `json:"expires"` // the token; 0: never, or not known
	Asked    int64            `json:"asked"`   // for tokens
	Received int64            `json:"received"`
	Waiting  waits            `json:"waiting"` // what files wait for
	Control  bool             `json:"control"`
}

func figuresOf(c client, control bool) figures {
	s := c.Stats()
	f := figures{
		State: c.Status().String(), Files: make(map[string]int, len(s.Files)), Skipped: s.Skipped,
		Total: s.Total, Uploaded: s.Uploaded, Speed: int64(s.Speed), Left: -1,
		InFlight: s.InFlight, Slots: s.Slots, Requests: s.Requests, Retries: s.Retries,
		Sent: s.SentBytes, Acked: s.AckedBytes, Expires: millis(s.TokenExpires),
		Asked: s.TokensAsked, Received: s.TokensReceived, Waiting: waits{}, Control: control,
	}
	if s.Left >= 0 {
		f.Left = s.Left.Milliseconds()
	}
	for state, n := range s.Files {
		f.Files[state.String()] = n
	}
	return f
}

// waits are what files wait for, one for each reason.
type waits []waiting

// add adds what a file waits for.
func (all *waits) add(w *upload.Waiting) {
	if w == nil {
		return
	}
	one := waitingOf(w)
	known := all.find(one.For)
	if known == nil {
		*all = append(*all, *one)
		known = &(*all)[len(*all)-1]
	}
	known.Files++
	known.Since = min(known.Since, one.Since)
	known.Error = cmp.Or(known.Error, one.Error)
}

// find returns what is known of a reason; nil: nothing waits for it.
func (all waits) find(reason string) *waiting {
	if i := slices.IndexFunc(all, func(w waiting) bool { return w.For == reason }); i >= 0 {
		return &all[i]
	}
	return nil
}
