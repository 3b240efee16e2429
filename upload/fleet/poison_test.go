package fleet_test

import (
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload/fleet"
)

// A job that kills each worker that has it is dead after MaxAttempts. With -long, others
// that its workers have at the same time are not: they are tried apart from it.
func TestPoisonJobThatKillsItsWorkers(t *testing.T) {
	t.Parallel()
	attempts, backoff, others := 2, 100*time.Millisecond, []string(nil)
	if *long {
		attempts, backoff = 3, 4*time.Second
		others = []string{"good1", "good2", "good7", "good8", "good11"} // whose turn is half a second from that of the poison
	}
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
				Lease: time.Second, Attempts: attempts, Backoff: backoff, Poison: when,
			}
			ended := make(chan int, 10)
			run := func() {
				cmd := c.start(t)
				go func() {
					_ = cmd.Wait()
					ended <- cmd.ProcessState.ExitCode()
				}()
			}
			run()
			killed := 0
			await(t, "the job is dead", func() bool {
				select {
				case code := <-ended:
					if code != poisoned {
						t.Fatalf("a worker ended with %d", code)
					}
					killed++
					run()
				default:
				}
				return p.get("poison").State == fleet.StateDead
			})
			// On a slow machine an attempt may lose its lease before it reads.
			if info := p.get("poison"); killed == 0 || killed > want || info.Error == "" {
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
