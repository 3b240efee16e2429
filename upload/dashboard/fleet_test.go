package dashboard

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestFleet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int32
		d := open(t, &fakeClient{}, &Options{Fleet: func(ctx context.Context) (Fleet, error) {
			if asked.Add(1) == 2 {
				return Fleet{}, errors.New("no answer")
			}
			return Fleet{Counts: []FleetCount{{"working", 3}, {"dead", 1}}, Workers: []FleetWorker{{Name: "w1"}}, Jobs: make([]FleetJob, 500)}, nil
		}})
		time.Sleep(time.Hour)
		if asked.Load() != 0 {
			t.Error("the fleet is asked without a viewer")
		}
		v := view(t, d, "")
		time.Sleep(2500 * time.Millisecond)
		synctest.Wait()
		all := v.of("fleet")
		last := all[len(all)-1].data
		if !strings.Contains(last, `"counts":[{"state":"working","jobs":3},{"state":"dead","jobs":1}]`) || !strings.Contains(last, `"error":"no answer"`) || strings.Count(last, `"takeovers"`) != maxRows {
			t.Errorf("got %d bytes", len(last))
		}
		time.Sleep(time.Minute)
		if n := asked.Load(); n < 25 || n > 33 {
			t.Errorf("asked %d times in a minute", n)
		}
	})
}

func TestSlowFleetHoldsNothingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &fakeClient{grow: true}
		ended := false
		d := open(t, c, &Options{Fleet: func(ctx context.Context) (Fleet, error) {
			<-ctx.Done()
			ended = true
			return Fleet{}, ctx.Err()
		}})
		v := view(t, d, "")
		time.Sleep(4 * time.Second)
		if n := len(v.of("figures")); n < 15 {
			t.Errorf("%d updates in 4 s", n)
		}
		if d.Close(); !ended {
			t.Error("Close did not wait for the question")
		}
	})
}
