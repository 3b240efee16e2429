package main

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/vodupload/vodupload/examples/compare/link"
)

// links are what uploads are measured on: those of people who are far away from their
// bucket, and what is near.
var links = []struct {
	name  string
	shape link.Shape
}{
	{"200 Mbit/s, 100 ms, 0.1 % loss", link.Shape{Rate: 200e6, RoundTrip: 100 * time.Millisecond, Loss: 0.001, Congestion: "cubic"}},
	{"50 Mbit/s, 200 ms, 1 % loss in bursts of 3", link.Shape{Rate: 50e6, RoundTrip: 200 * time.Millisecond, Loss: 0.01, Burst: 3, Congestion: "cubic"}},
	{"100 Mbit/s, 50 ms", link.Shape{Rate: 100e6, RoundTrip: 50 * time.Millisecond, Congestion: "cubic"}},
	{"20 Mbit/s, 30 ms", link.Shape{Rate: 20e6, RoundTrip: 30 * time.Millisecond, Congestion: "cubic"}},
	{"200 Mbit/s, 100 ms, 0.1 % loss, bbr", link.Shape{Rate: 200e6, RoundTrip: 100 * time.Millisecond, Loss: 0.001, Congestion: "bbr"}},
	{"50 Mbit/s, 200 ms, 1 % loss in bursts of 3, bbr", link.Shape{Rate: 50e6, RoundTrip: 200 * time.Millisecond, Loss: 0.01, Burst: 3, Congestion: "bbr"}},
}

// linkedRate is what the links carry together at most, in bit/s: one processor does for
// that, with both sides and what is between them.
const linkedRate = 300e6

// linkScenarios returns one file over each link, in small and in large parts.
func linkScenarios(z sizes) []scenario {
	var all []scenario
	for _, l := range links {
		for _, part := range []int64{mib, 8 * mib} {
			all = append(all, scenario{
				Name: fmt.Sprintf("%s, parts of %s", l.name, bytesText(part)),
				Size: z.linked, PartSize: part, Files: 1, Parallel: 5, Link: &l.shape,
				contenders: []string{ours, oursAuto, ours16, ours48, ours64, v1, v2, floor},
			})
		}
	}
	return all
}

// runLinks runs scenarios that have a link: several at the same time, as far as
// linkedRate allows.
func (d *director) runLinks(ctx context.Context, dir string, scenarios []scenario) (*results, error) {
	if err := link.Possible(); err != nil {
		return nil, err
	}
	all := newResults()
	all.Scenarios = make([]result, len(scenarios))
	var mu sync.Mutex
	progress := &lockedWriter{w: d.progress}
	room := semaphore.NewWeighted(linkedRate)
	g, ctx := errgroup.WithContext(ctx)
	for i, s := range scenarios {
		g.Go(func() error {
			l, err := link.New(*s.Link)
			if err != nil {
				return err
			}
			defer l.Close()
			own := &director{rounds: d.rounds, profiles: d.profiles, progress: progress, link: l}
			own.enter = func(ctx context.Context) (leave func(), err error) {
				weight := min(linkedRate, s.Link.Rate)
				return func() { room.Release(weight) }, room.Acquire(ctx, weight)
			}
			own.took = func(r result) error {
				mu.Lock()
				defer mu.Unlock()
				all.Scenarios[i] = r
				return d.keep(all)
			}
			_, err = own.run(ctx, dir, []scenario{s})
			return err
		})
	}
	return all, g.Wait()
}

// A lockedWriter lets several goroutines write lines.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}
