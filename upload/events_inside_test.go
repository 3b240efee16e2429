package upload

import (
	"testing"

	"github.com/vodupload/vodupload/checkpoint"
)

// TestEventsThatNobodyHearsAreBounded, for a callback that is stuck while the network
// is down for hours.
func TestEventsThatNobodyHearsAreBounded(t *testing.T) {
	begun, goOn := make(chan struct{}), make(chan struct{})
	retries := 0
	c, err := New(&Options{
		Checkpoints: checkpoint.NewMemory(),
		Callbacks: Callbacks{
			OnStarted: func(*Client, FileInfo) {
				close(begun)
				<-goOn
			},
			OnRetry:    func(*Client, FileInfo, Retry) { retries++ },
			OnProgress: func(*Client, FileInfo, int64, int64) {},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	f := &file{}
	locked := func(fn func()) {
		c.mu.Lock()
		defer c.mu.Unlock()
		fn()
	}
	locked(func() { c.tell("OnStarted", f, true, func(e *event) { c.opts.Callbacks.OnStarted(c, e.info) }) })
	<-begun
	for round := range 2 {
		for n := range 5 * maxRetryEvents {
			locked(func() {
				f.info.Uploaded = int64(n)
				c.tellProgress(f)
				c.tellRetry(f, Retry{Attempt: n})
			})
		}
		locked(func() {
			if n := len(c.events.queue); n > 2*maxRetryEvents+1 {
				t.Errorf("round %d: %d events wait, want at most %d retries and as many times progress", round, n, maxRetryEvents)
			}
		})
	}
	close(goOn)
	if !c.callers.Wait(t.Context()) {
		t.Fatal("the events were not delivered")
	}
	if retries != maxRetryEvents || c.events.retries != 0 || f.undelivered != 0 || c.events.done != c.events.pushed {
		t.Errorf("%d retries told, %+v; want %d, and nothing left", retries, &c.events, maxRetryEvents)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}
