package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/vodupload/vodupload/upload/fleet"
)

// follow says what happens to the films until all are stored, and kills a worker and a
// node meanwhile.
func (d *director) follow(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	for name, p := range d.workers {
		go func() {
			select {
			case <-p.ended:
				if !p.killed.Load() {
					cancel(fmt.Errorf("%s has ended by itself: %v", name, p.cmd.ProcessState))
				}
			case <-ctx.Done():
			}
		}()
	}
	killed := make(chan struct{})
	go func() {
		defer close(killed)
		if err := d.kill(ctx); err != nil {
			cancel(err)
		}
	}()
	defer func() { cancel(nil); <-killed }()
	for info, err := range d.queue.Watch(ctx, "") {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			return err
		}
		d.tell(info)
		if info.State == fleet.StateDead {
			return errors.New(info.Job.ID + " failed: " + info.Error)
		}
		if d.stored() == d.show.films {
			break
		}
	}
	return nil
}

// kill kills the worker that has the most films when enough parts are there, and a node a
// second later.
func (d *director) kill(ctx context.Context) error {
	enough := d.partsBeforeKill()
	if err := d.until(ctx, func() bool { return d.partsThere() >= enough && d.busiest() != "" }); err != nil {
		return err
	}
	victim := d.busiest()
	d.workers[victim].kill()
	d.workerKilled(victim)
	d.hold.Release()
	delete(d.workers, victim)
	if d.sparesNodes {
		return nil
	}
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
		return nil
	}
	d.nodes[0].kill()
	d.say("killed a node with SIGKILL: the other two are a majority; while they elect leaders, for up to 10 s, no film begins or ends")
	d.nodes = d.nodes[1:]
	return nil
}

func (d *director) until(ctx context.Context, holds func() bool) error {
	for !holds() {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(10 * time.Millisecond):
		}
	}
	return nil
}

// partsThere returns how many parts of all films the server has.
func (d *director) partsThere() int {
	n := len(d.server.Objects(bucket)) * d.parts
	for _, u := range d.server.Uploads(bucket) {
		n += len(u.Parts)
	}
	return n
}

// tell says what has changed about a film.
func (n *narrator) tell(info fleet.JobInfo) {
	n.mu.Lock()
	defer n.mu.Unlock()
	before := n.films[info.Job.ID]
	n.films[info.Job.ID] = info
	name := info.Job.Object
	switch {
	case info.State == fleet.StateSucceeded && before.State != fleet.StateSucceeded:
		if info.Takeovers > before.Takeovers { // it went too fast to be seen
			n.sayLocked("%s takes over %s", info.Worker, name)
		}
		if r := info.Result; r.ResumedParts > 0 {
			n.sayLocked("%s has stored %s: %d of its %d parts were there already", info.Worker, name, r.ResumedParts, n.each)
		} else {
			n.sayLocked("%s has stored %s", info.Worker, name)
		}
	case info.State == fleet.StateRunning && info.Takeovers > before.Takeovers:
		n.sayLocked("%s takes over %s, the same upload, %.1f s after the kill", info.Worker, name, time.Since(n.killed).Seconds())
	case info.State == fleet.StateRunning && info.Attempts > before.Attempts:
		n.sayLocked("%s uploads %s", info.Worker, name)
	case info.State == fleet.StateQueued && info.Error != "" && info.Error != before.Error:
		n.sayLocked("%s is tried again: %s", name, info.Error)
	}
}

// stored returns how many films are stored.
func (n *narrator) stored() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	stored := 0
	for _, info := range n.films {
		if info.State == fleet.StateSucceeded {
			stored++
		}
	}
	return stored
}

// underWay returns how many parts the server has of each film that a worker is sending
// parts of.
func (d *director) underWay() map[string]map[string]int {
	parts := make(map[string]int)
	for _, u := range d.server.Uploads(bucket) {
		parts[u.Key] = len(u.Parts)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	has := make(map[string]map[string]int)
	for _, info := range d.narrator.films {
		name := info.Job.Object
		if info.State != fleet.StateRunning || parts[name] == 0 || parts[name] == d.each {
			continue
		}
		if has[info.Worker] == nil {
			has[info.Worker] = make(map[string]int)
		}
		has[info.Worker][name] = parts[name]
	}
	return has
}

// busiest returns the worker with the most films under way; empty: none has any.
func (d *director) busiest() (worker string) {
	has := d.underWay()
	for _, w := range slices.Sorted(maps.Keys(has)) {
		if len(has[w]) > len(has[worker]) {
			worker = w
		}
	}
	return worker
}

// workerKilled says what the killed worker had.
func (d *director) workerKilled(worker string) {
	films := d.underWay()[worker]
	d.mu.Lock()
	defer d.mu.Unlock()
	d.killed = time.Now()
	var had []string
	for _, name := range slices.Sorted(maps.Keys(films)) {
		had = append(had, fmt.Sprintf("%s (%d of %d parts)", name, films[name], d.each))
	}
	d.sayLocked("killed %s with SIGKILL; it had %s", worker, list(had))
	d.sayLocked("its claims end with their lease, at most %v after their last renewal", d.lease)
}
