package fleet_test

import (
	"context"
	"errors"
	"flag"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/vodupload/vodupload/upload/fleet"
	"github.com/vodupload/vodupload/upload/fleet/fleettest"
)

var long = flag.Bool("long", false, "run the tests of nodes that take half a minute, too")

// Who waits for a job until a deadline is not told that the engine is to blame.
func TestWaitUntilADeadline(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	id, err := q.Enqueue(t.Context(), film("talk.mp4"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	for _, err := range q.Watch(ctx, id) {
		if err != nil {
			if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, fleet.ErrNoEngine) {
				t.Errorf("got %v, want the deadline alone", err)
			}
			break
		}
		cancel(context.DeadlineExceeded)
	}
}

// TestThreeNodesWatch: who watches sees what happens after a server has died, too. A
// consumer that is made just then may be placed on that server: of so many, some are.
func TestThreeNodesWatch(t *testing.T) {
	if !*long {
		t.Skip("it takes half a minute: -args -long")
	}
	const watchers = 30
	nodes := fleettest.Start(t, 3)
	nc := nodes.Connect()
	defer nc.Close()
	q, err := fleet.NewQueue(t.Context(), nc, nil)
	if err != nil {
		t.Fatal(err)
	}
	first, err := q.Enqueue(t.Context(), film("first.mp4"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	const victim = 0
	seen, ended := make(chan string), make(chan error, watchers)
	for range watchers {
		// They lose their connection with the server, and come back at once.
		at, err := nats.Connect(nodes.URL(victim)+","+nodes.URL(1)+","+nodes.URL(2),
			nats.DontRandomize(), nats.MaxReconnects(-1), nats.ReconnectWait(10*time.Millisecond))
		if err != nil {
			t.Fatal(err)
		}
		defer at.Close()
		w, err := fleet.NewQueue(t.Context(), at, nil)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			for info, err := range w.Watch(ctx, "") {
				if err != nil {
					ended <- err
					return
				}
				seen <- info.Job.ID
			}
		}()
	}
	all := func(id string) {
		t.Helper()
		for n := 0; n < watchers; {
			select {
			case got := <-seen:
				if got == id {
					n++
				}
			case err := <-ended:
				t.Fatalf("after %d of %d had seen %s: %v", n, watchers, id, err)
			}
		}
	}
	all(first)
	nodes.Kill(victim)
	second, err := q.Enqueue(ctx, film("second.mp4"))
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	all(second)
	t.Logf("all have seen it after %v", time.Since(began).Round(time.Millisecond))
	cancel()
	for range watchers {
		<-ended
	}
}
