package decide

import (
	"testing"
	"time"
)

func TestAhead(t *testing.T) {
	for name, tt := range map[string]struct {
		other time.Time
		took  time.Duration
		want  time.Duration
		ok    bool
	}{
		"the same":                       {now, 0, 0, true},
		"nearly the same":                {now.Add(time.Second), 0, 0, true},
		"ahead":                          {now.Add(5 * time.Minute), 0, 5 * time.Minute, true},
		"behind":                         {now.Add(-5 * time.Minute), 0, -5 * time.Minute, true},
		"somewhere in the time it took":  {now.Add(5 * time.Minute), 100 * time.Millisecond, 5*time.Minute - 50*time.Millisecond, true},
		"the same, and slow":             {now.Add(1900 * time.Millisecond), 1900 * time.Millisecond, 0, true},
		"so slow that nothing is known":  {now.Add(5 * time.Minute), 3 * time.Second, 0, false},
		"no time":                        {time.Time{}, 0, 0, false},
		"a clock that was set meanwhile": {now, -time.Minute, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got, ok := Ahead(tt.other, now, now.Add(tt.took)); got != tt.want || ok != tt.ok {
				t.Errorf("got %v, %v; want %v, %v", got, ok, tt.want, tt.ok)
			}
		})
	}
}
