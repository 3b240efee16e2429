package fleet

import (
	"context"
	"slices"

	"github.com/nats-io/nats.go/jetstream"
)

// Workers returns the names of the workers of the namespace that are alive, in order: see
// WorkerOptions.Name and WorkerOptions.Presence. It costs one request, and one more for
// each worker.
func (q *Queue) Workers(ctx context.Context) ([]string, error) {
	ctx, cancel := withTimeout(ctx)
	defer cancel()
	states, err := q.states.Info(ctx, jetstream.WithSubjectFilter(q.workerSubject("*")))
	if err != nil {
		return nil, q.explain(ctx, "list workers", err)
	}
	var names []string
	for subject := range states.State.Subjects {
		if subject == q.reconcilerSubject() {
			continue
		}
		m, err := q.last(ctx, q.states, subject)
		if err != nil {
			return nil, q.explain(ctx, "list workers", err)
		}
		if m.sequence != 0 { // it has not left meanwhile
			names = append(names, string(m.data))
		}
	}
	slices.Sort(names)
	return names, nil
}
