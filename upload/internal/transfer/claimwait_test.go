package transfer

import (
	"testing"
	"time"
)

func TestClaimWait(t *testing.T) {
	since := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	at := func(d time.Duration) time.Time { return since.Add(d) }
	for name, tt := range map[string]struct {
		limit        time.Duration
		first, until time.Time
		now          time.Duration
		pause        time.Duration
		again        bool
	}{
		"the lease has not ended":                  {0, at(30 * time.Second), at(30 * time.Second), time.Second, time.Second, true},
		"by a clock that is behind":                {0, at(-time.Hour), at(-time.Hour), 20 * time.Second, time.Second, true},
		"the lease was renewed":                    {0, at(30 * time.Second), at(35 * time.Second), 5 * time.Second, 0, false},
		"the claim is no lease":                    {0, time.Time{}, time.Time{}, 0, 0, false},
		"the lease has no end":                     {0, at(30 * time.Second), at(30 * time.Second), maxLease, time.Second, false},
		"not at all":                               {-1, at(30 * time.Second), at(30 * time.Second), 0, 0, false},
		"within the limit, of no lease":            {time.Minute, time.Time{}, time.Time{}, 59 * time.Second, time.Second, true},
		"within the limit, of a lease renewed":     {time.Minute, at(30 * time.Second), at(50 * time.Second), 20 * time.Second, time.Second, true},
		"at the end of the limit, less than a try": {time.Minute, time.Time{}, time.Time{}, time.Minute - 1, 1, true},
		"after the limit":                          {time.Minute, time.Time{}, time.Time{}, time.Minute, 0, false},
	} {
		w := claimWait{limit: tt.limit, since: since, until: tt.first}
		if pause, again := w.pause(tt.until, at(tt.now)); pause != tt.pause || again != tt.again {
			t.Errorf("%s: got %v, %t, want %v, %t", name, pause, again, tt.pause, tt.again)
		}
	}
}
