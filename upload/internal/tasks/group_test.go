package tasks

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestGroupWaitsForTasksAddedMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g Group
		var ran atomic.Int32
		var more func()
		more = func() {
			time.Sleep(time.Second)
			if ran.Add(1) < 5 {
				g.Go(more)
			}
		}
		g.Go(more)
		if !g.Wait(t.Context()) || ran.Load() != 5 {
			t.Errorf("Wait returned after %d of 5 tasks", ran.Load())
		}
	})
}

func TestGroupWaitEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g Group
		release := make(chan struct{})
		g.Go(func() { <-release })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if g.Wait(ctx) {
			t.Error("Wait did not wait")
		}
		close(release)
		if !g.Wait(t.Context()) {
			t.Error("Wait gave up")
		}
	})
}

func TestGroupAfterClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g Group
		g.Close()
		if g.Go(func() { t.Error("a task ran") }) {
			t.Error("a task was taken")
		}
		if !g.Wait(t.Context()) {
			t.Error("Wait gave up")
		}
	})
}

// TestGroupReusesGoroutines, and keeps none once all tasks have ended: synctest fails
// where one is left.
func TestGroupReusesGoroutines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g Group
		release := make(chan struct{})
		g.Go(func() { <-release })
		for range 100 {
			g.Go(func() {})
			synctest.Wait()
		}
		if n := runtime.NumGoroutine(); n > 20 {
			t.Errorf("%d goroutines for two tasks at a time", n)
		}
		g.Go(runtime.Goexit) // as testing.T.FailNow does
		close(release)
		if !g.Wait(t.Context()) {
			t.Error("Wait gave up")
		}
	})
}

func TestSleepEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if err := Sleep(t.Context(), time.Hour); err != nil {
			t.Error(err)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		why := errors.New("enough")
		cancel(why)
		if err := Sleep(ctx, time.Hour); err != why {
			t.Errorf("got %v, want the cause", err)
		}
	})
}
