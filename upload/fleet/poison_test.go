package fleet_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/fleet"
)

// A job that kills each worker that has it is dead after MaxAttempts. Others that its
// workers have at the same time are not: they are tried apart from it.
func TestPoisonJobThatKillsItsWorkers(t *testing.T) {
	if !*long {
		t.Skip("it takes the leases of many workers: -args -long")
	}
	t.Parallel()
	const attempts, backoff = 3, 4 * time.Second
	others := []string{"good1", "good2", "good7", "good8", "good11"} // whose turn is half a second from that of the poison
	for when, want := range map[string]int{
		"opened": max(attempts, 3) + 1, // the first delivery tells nothing
		"read":   attempts,
	} {
		t.Run(when, func(t *testing.T) {
			t.Parallel()
			p := newPlant(t)
			p.enqueue(p.film("poison.mp4", 1000))
			var good []fleet.Job
			for _, name := range others {
				good = append(good, p.film(name+".mp4", 1000))
			}
			p.enqueue(good...)
			c := child{
				NATS: p.nats, Namespace: namespace(t), Name: "mortal", Folder: p.folder,
				Lease: 2 * time.Second, Attempts: attempts, Backoff: backoff, Poison: when,
			}
			ended := make(chan int, 100)
			run := func() {
				cmd := c.start(t)
				go func() {
					_ = cmd.Wait()
					ended <- cmd.ProcessState.ExitCode()
				}()
			}
			run()
			killed := 0
			wait, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			for p.get("poison").State != fleet.StateDead {
				select {
				case code := <-ended:
					if code == poisoned {
						killed++
					}
					run()
				case <-time.After(50 * time.Millisecond):
				case <-wait.Done():
					t.Fatalf("it is not dead: %+v", p.get("poison"))
				}
			}
			// On a slow machine an attempt may lose its lease before it reads.
			if info := p.get("poison"); killed > want || info.Error == "" {
				t.Errorf("it has killed %d workers, want %d: %+v", killed, want, info)
			}
			later := p.film("later.mp4", 1000)
			p.enqueue(later)
			for _, j := range append(good, later) {
				if info := p.wait(j.ID); info.State != fleet.StateSucceeded {
					t.Errorf("got %+v, want it to be uploaded", info)
				}
				p.checkObject(j)
			}
		})
	}
}

// A Prepare that panics fails an attempt, and not the worker.
func TestPrepareThatPanics(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	job, other := p.film("talk.mp4", 1000), p.film("other.mp4", 1000)
	p.enqueue(job, other)
	p.worker("a", func(o *fleet.WorkerOptions) {
		o.Prepare = func(_ context.Context, j fleet.Job, _ *upload.File) error {
			if j.ID == job.ID {
				panic("no film")
			}
			return nil
		}
	})
	if info := p.wait(job.ID); info.State != fleet.StateDead || !strings.Contains(info.Error, "Prepare: it panicked: no film") {
		t.Errorf("got %+v, want it dead for the panic", info)
	}
	if info := p.wait(other.ID); info.State != fleet.StateSucceeded {
		t.Errorf("got %+v", info)
	}
}
