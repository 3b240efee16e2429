package decide

import (
	"testing"
	"time"
)

var (
	now    = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	limits = Limits{MaxAttempts: 3, Backoff: 10 * time.Second, MaxBackoff: time.Minute, SourceWait: time.Hour, Lease: 30 * time.Second}
)

func TestOnDelivery(t *testing.T) {
	for name, tt := range map[string]struct {
		job   Job
		want  Action
		delay time.Duration
	}{
		"no state: nothing to do":            {Job{}, Ack, 0},
		"ended: nothing to do":               {Job{Known: true, Ended: true, NotBefore: now.Add(time.Minute), Fruitless: 9}, Ack, 0},
		"new: runs":                          {Job{Known: true}, Run, 0},
		"due in this moment: runs":           {Job{Known: true, NotBefore: now}, Run, 0},
		"due in a minute: later":             {Job{Known: true, NotBefore: now.Add(time.Minute)}, Later, time.Minute},
		"due in a week: looked at each hour": {Job{Known: true, NotBefore: now.Add(7 * 24 * time.Hour)}, Later, time.Hour},
		"one attempt left: runs":             {Job{Known: true, Fruitless: 2}, Run, 0},
		"its workers died: buried":           {Job{Known: true, Fruitless: 3}, Bury, 0},
		"its workers died early: buried":     {Job{Known: true, Unclaimed: 3}, Bury, 0},
		"its worker died: taken over":        {Job{Known: true, Running: true, Fruitless: 1, Updated: now}, Run, 0},
		"two died: apart from others":        {Job{Known: true, Running: true, Fruitless: 2, Updated: now, ID: "a"}, Later, 43043 * time.Millisecond},
		"two died: at another time":          {Job{Known: true, Running: true, Fruitless: 2, Updated: now, ID: "b"}, Later, 37174 * time.Millisecond},
		"two died, long ago":                 {Job{Known: true, Running: true, Fruitless: 2, Updated: now.Add(-45 * time.Second)}, Run, 0},
		"two died early: apart from others":  {Job{Known: true, Unclaimed: 1, Updated: now, ID: "a"}, Later, 43043 * time.Millisecond},
		"two attempts failed: runs":          {Job{Known: true, Fruitless: 2, Updated: now}, Run, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if got, delay := OnDelivery(tt.job, limits, now); got != tt.want || delay.Truncate(time.Millisecond) != tt.delay {
				t.Errorf("got %v, %v; want %v, %v", got, delay, tt.want, tt.delay)
			}
		})
	}
}

func TestAttempt(t *testing.T) {
	for name, tt := range map[string]struct {
		fruitless      int
		mark, uploaded int64
		want           int
	}{
		"the first":                           {0, 0, 0, 1},
		"no further than the last":            {1, 5, 5, 2},
		"further: counting starts again":      {2, 5, 6, 1},
		"behind, since it had to begin again": {2, 5, 1, 3},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Attempt(tt.fruitless, tt.mark, tt.uploaded); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}

func TestOnEnd(t *testing.T) {
	const lease = 30 * time.Second
	for name, tt := range map[string]struct {
		outcome   Outcome
		fruitless int
		want      Verdict
	}{
		"done":                              {Outcome{Cause: Done}, 1, Verdict{Action: Ack, Count: true, Write: true}},
		"drained: at once for another":      {Outcome{Cause: Drained}, 1, Verdict{Action: Later, Write: true}},
		"claimed until then":                {Outcome{Cause: Claimed, Until: now.Add(7 * time.Second)}, 1, Verdict{Action: Later, Delay: 7*time.Second + minWait}},
		"claimed, by a clock that is ahead": {Outcome{Cause: Claimed, Until: now.Add(time.Hour)}, 1, Verdict{Action: Later, Delay: lease + minWait}},
		"claimed until before":              {Outcome{Cause: Claimed, Until: now.Add(-time.Hour)}, 1, Verdict{Action: Later, Delay: minWait}},
		"claimed, nobody knows until when":  {Outcome{Cause: Claimed}, 1, Verdict{Action: Later, Delay: lease / 4}},
		"lost: not touched":                 {Outcome{Cause: Lost}, 3, Verdict{Action: Leave}},
		"no source yet":                     {Outcome{Cause: Sourceless, Since: now}, 9, Verdict{Action: Later, Delay: 10 * time.Second, Write: true}},
		"no source for five minutes":        {Outcome{Cause: Sourceless, Since: now.Add(-5 * time.Minute)}, 9, Verdict{Action: Later, Delay: 30 * time.Second, Write: true}},
		"no source for half an hour":        {Outcome{Cause: Sourceless, Since: now.Add(-30 * time.Minute)}, 9, Verdict{Action: Later, Delay: time.Minute, Write: true}},
		"no source for too long: buried":    {Outcome{Cause: Sourceless, Since: now.Add(-time.Hour)}, 0, Verdict{Action: Bury, Write: true}},
		"the engine is away: not counted":   {Outcome{Cause: Away}, 3, Verdict{Action: Later, Delay: awayDelay, Write: true}},
		"permanent: buried at once":         {Outcome{Cause: Permanent}, 1, Verdict{Action: Bury, Count: true, Write: true}},
		"failed once":                       {Outcome{Cause: Failed}, 1, Verdict{Action: Later, Delay: 10 * time.Second, Count: true, Write: true}},
		"failed twice":                      {Outcome{Cause: Failed}, 2, Verdict{Action: Later, Delay: 20 * time.Second, Count: true, Write: true}},
		"failed too often: buried":          {Outcome{Cause: Failed}, 3, Verdict{Action: Bury, Count: true, Write: true}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := OnEnd(tt.outcome, tt.fruitless, limits, lease, now); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestOthersJob(t *testing.T) {
	for name, tt := range map[string]struct {
		running bool
		age     time.Duration
		want    bool
	}{
		"nobody has it":                 {false, 0, false},
		"another has just written":      {true, 0, true},
		"another may still write":       {true, 59 * time.Second, true},
		"another is gone":               {true, time.Minute, false},
		"another, whose clock is ahead": {true, -time.Hour, true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := OthersJob(tt.running, now.Add(-tt.age), 30*time.Second, 30*time.Second, now); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestBackoff(t *testing.T) {
	for fruitless, want := range map[int]time.Duration{
		0: 10 * time.Second, 1: 10 * time.Second, 2: 20 * time.Second, 3: 40 * time.Second, 4: time.Minute, 1 << 20: time.Minute,
	} {
		if got := Backoff(fruitless, limits); got != want {
			t.Errorf("after %d attempts: got %v, want %v", fruitless, got, want)
		}
	}
}

func TestRing(t *testing.T) {
	const grace = time.Minute
	old := now.Add(-grace)
	for name, tt := range map[string]struct {
		job     Job
		has     bool
		updated time.Time
		want    bool
	}{
		"lost":                             {Job{Known: true}, false, old, true},
		"lost, and due later":              {Job{Known: true, NotBefore: now.Add(time.Hour)}, false, old, true},
		"in the queue":                     {Job{Known: true}, true, old, false},
		"ended":                            {Job{Known: true, Ended: true}, false, old, false},
		"no job":                           {Job{}, false, old, false},
		"written in this moment":           {Job{Known: true}, false, now, false},
		"written by a clock of the future": {Job{Known: true}, false, now.Add(time.Hour), false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Ring(tt.job, tt.has, tt.updated, grace, now); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestOverdue(t *testing.T) {
	const after = 10 * time.Minute
	old := now.Add(-after)
	for name, tt := range map[string]struct {
		job     Job
		has     bool
		updated time.Time
		want    bool
	}{
		"nothing has happened":          {Job{Known: true}, true, old, true},
		"due for a while":               {Job{Known: true, NotBefore: old}, true, old, true},
		"due since a moment":            {Job{Known: true, NotBefore: now}, true, old, false},
		"due later":                     {Job{Known: true, NotBefore: now.Add(time.Hour)}, true, old, false},
		"a worker is at it":             {Job{Known: true}, true, now, false},
		"without a message, it is lost": {Job{Known: true}, false, old, false},
		"ended":                         {Job{Known: true, Ended: true}, true, old, false},
		"no job":                        {Job{}, true, old, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Overdue(tt.job, tt.has, tt.updated, after, now); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestStuck(t *testing.T) {
	const after = 10 * time.Minute
	old := now.Add(-after)
	for name, tt := range map[string]struct {
		sequence, delivered uint64
		written             time.Time
		want                bool
	}{
		"delivered long ago":   {7, 7, old, true},
		"waits for its turn":   {8, 7, old, false},
		"replaced just before": {7, 9, now, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Stuck(tt.sequence, tt.delivered, tt.written, after, now); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestShare(t *testing.T) {
	for _, tt := range []struct {
		limit         int64
		workers, rank int
		floor, want   int64
	}{
		{0, 3, 0, 1, 0}, // no limit
		{10, 1, 0, 1, 10},
		{10, 3, 0, 1, 4},
		{10, 3, 1, 1, 3},
		{10, 3, 2, 1, 3},
		{2, 3, 2, 1, 1}, // one each is the least
		{10, 0, 0, 1, 10},
	} {
		if got := Share(tt.limit, tt.workers, tt.rank, tt.floor); got != tt.want {
			t.Errorf("Share(%d, %d, %d, %d): got %d, want %d", tt.limit, tt.workers, tt.rank, tt.floor, got, tt.want)
		}
	}
	for workers := 1; workers < 20; workers++ {
		sum := int64(0)
		for rank := range workers {
			sum += Share(37, workers, rank, 1)
		}
		if sum != 37 {
			t.Errorf("the shares of %d workers are %d together, want 37", workers, sum)
		}
	}
}

func TestGrower(t *testing.T) {
	type step struct {
		after     time.Duration // since the step before
		due, want int64
	}
	for name, steps := range map[string][]step{
		"a newcomer waits until the others have shrunk": {{0, 5, 1}, {9 * time.Second, 5, 1}, {time.Second, 5, 5}, {0, 5, 5}},
		"shrinks at once":     {{0, 5, 1}, {10 * time.Second, 5, 5}, {0, 3, 3}},
		"grows after a while": {{10 * time.Second, 1, 1}, {0, 4, 1}, {10 * time.Second, 4, 4}},
		"a worker that leaves while it waits: from then on": {{0, 4, 1}, {5 * time.Second, 6, 1}, {5 * time.Second, 6, 1}, {5 * time.Second, 6, 6}},
		"one that comes while it waits: the smaller share":  {{0, 6, 1}, {5 * time.Second, 4, 1}, {5 * time.Second, 4, 4}},
		"shrinking forgets what waits":                      {{0, 6, 1}, {5 * time.Second, 1, 1}, {5 * time.Second, 6, 1}, {9 * time.Second, 6, 1}, {time.Second, 6, 6}},
	} {
		t.Run(name, func(t *testing.T) {
			g, at := NewGrower(1, 10*time.Second), now
			for i, s := range steps {
				at = at.Add(s.after)
				if got := g.Next(s.due, at); got != s.want {
					t.Errorf("step %d: due are %d: got %d, want %d", i, s.due, got, s.want)
				}
			}
		})
	}
}
