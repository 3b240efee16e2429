package notify

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
)

func TestEventsAreDeliveredInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var q Queue
		var got []int
		var mark uint64
		for i := range 100 {
			mark = q.Push(&Event{Call: func() { got = append(got, i) }})
		}
		if err := q.Wait(t.Context(), mark); err != nil {
			t.Fatal(err)
		}
		if len(got) != 100 || !slices.IsSorted(got) {
			t.Errorf("got %v", got)
		}
	})
}

func TestAnEventThatWaitsCanBeUpdated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var q Queue
		release, told := make(chan struct{}), ""
		q.Push(&Event{Call: func() { <-release }})
		text := "old"
		e := &Event{Call: func() { told += text }}
		q.Push(e)
		if !q.Update(e, func() { text = "new" }) {
			t.Error("the event does not wait")
		}
		close(release)
		synctest.Wait()
		if told != "new" {
			t.Errorf("reported %q", told)
		}
		if q.Update(e, func() { t.Error("changed after its delivery") }) {
			t.Error("the event still waits")
		}
	})
}

// TestLimitedEventsAreDropped, for a callback that is stuck while the network is down
// for hours.
func TestLimitedEventsAreDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var q Queue
		release, limited, others := make(chan struct{}), 0, 0
		q.Push(&Event{Call: func() { <-release }})
		synctest.Wait()
		for range 2 * MaxLimited {
			q.Push(&Event{Limited: true, Call: func() { limited++ }})
			q.Push(&Event{Call: func() { others++ }})
		}
		close(release)
		synctest.Wait()
		if limited != MaxLimited || others != 2*MaxLimited {
			t.Errorf("%d limited and %d others were delivered", limited, others)
		}
		q.Push(&Event{Limited: true, Call: func() { limited++ }})
		if synctest.Wait(); limited != MaxLimited+1 {
			t.Error("none is taken after they were delivered")
		}
	})
}

func TestWaitEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var q Queue
		release := make(chan struct{})
		mark := q.Push(&Event{Name: "OnStarted", About: "a.mp4", Call: func() { <-release }})
		ctx, cancel := context.WithCancelCause(t.Context())
		why := errors.New("enough")
		synctest.Wait()
		cancel(why)
		if err := q.Wait(ctx, mark); err != why || q.Idle(ctx) {
			t.Errorf("got %v, want the cause; idle %t", err, q.Idle(ctx))
		}
		if got := q.Busy(); got != "callback OnStarted has not returned for 0s (file a.mp4)" {
			t.Errorf("busy with %q", got)
		}
		close(release)
		if !q.Idle(t.Context()) || q.Wait(ctx, mark) != nil || q.Busy() != "" {
			t.Error("not idle after the delivery")
		}
	})
}

// TestInside is true on the delivering goroutine only, also where the callback reaches
// the queue by a variable of its own.
func TestInside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var q Queue
		inside, elsewhere := false, true
		q.Push(&Event{Call: func() {
			inside = q.Inside()
			done := make(chan struct{})
			go func() {
				defer close(done)
				elsewhere = q.Inside()
			}()
			<-done
		}})
		synctest.Wait()
		if !inside || elsewhere || q.Inside() {
			t.Errorf("inside %t, on another goroutine %t, after it %t", inside, elsewhere, q.Inside())
		}
	})
}

// TestACallbackThatEndsItsGoroutine does not end the delivery of the others.
func TestACallbackThatEndsItsGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var q Queue
		var told []string
		q.Push(&Event{Call: func() { told = append(told, "first"); runtime.Goexit() }})
		mark := q.Push(&Event{Call: func() { told = append(told, "second") }})
		if err := q.Wait(t.Context(), mark); err != nil || strings.Join(told, " ") != "first second" {
			t.Errorf("got %v, %v", told, err)
		}
	})
}

func ExampleQueue() {
	var q Queue
	mark := q.Push(&Event{Name: "OnStarted", Call: func() { fmt.Println("started") }})
	_ = q.Wait(context.Background(), mark)
	// Output: started
}
