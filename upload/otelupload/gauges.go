package otelupload

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/vodupload/vodupload/upload"
)

// A Client is what has figures: an [upload.Client], or the Worker of a fleet.
type Client interface{ Stats() upload.Stats }

// watched is one call of Watch.
type watched struct{ client Client }

// Watch reports the figures of a client, until stop is called: before the client is given
// up, so that it is not kept in memory.
func (t *Telemetry) Watch(c Client) (stop func()) {
	w := &watched{c}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.watched[w] = struct{}{}
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.watched, w)
	}
}

func (t *Telemetry) begin(r *run) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running[r] = struct{}{}
}

func (t *Telemetry) end(r *run) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.running, r)
}

// register makes the instruments that are read, and not recorded to.
func (t *Telemetry) register() error {
	var errs [5]error
	var age, expires metric.Float64ObservableGauge
	var files, limit, used metric.Int64ObservableUpDownCounter
	m := t.meter
	age, errs[0] = m.Float64ObservableGauge("vodupload.progress.age", metric.WithUnit("s"),
		metric.WithDescription("Since a part was acknowledged of the running file for which that is longest ago; 0: none runs."))
	expires, errs[1] = m.Float64ObservableGauge("vodupload.token.expires_in", metric.WithUnit("s"),
		metric.WithDescription("Until the credentials of a client expire; below 0: they have."))
	files, errs[2] = m.Int64ObservableUpDownCounter("vodupload.files", metric.WithUnit("{file}"), metric.WithDescription("Files in the lists of clients."))
	limit, errs[3] = m.Int64ObservableUpDownCounter("vodupload.slots.limit", metric.WithUnit("{request}"), metric.WithDescription("How many requests may be in flight."))
	used, errs[4] = m.Int64ObservableUpDownCounter("vodupload.slots.used", metric.WithUnit("{request}"), metric.WithDescription("Requests in flight."))
	if err := errors.Join(errs[:]...); err != nil {
		return err
	}
	var err error
	t.gauges, err = m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		now := time.Now()
		o.ObserveFloat64(age, t.age(now).Seconds())
		f, ok := t.figures()
		if !ok {
			return nil
		}
		for state := upload.FileInit; state <= upload.FileCanceled; state++ {
			o.ObserveInt64(files, f.files[state], metric.WithAttributes(attribute.String("vodupload.state", state.String())))
		}
		o.ObserveInt64(limit, f.limit)
		o.ObserveInt64(used, f.used)
		if !f.expires.IsZero() {
			o.ObserveFloat64(expires, f.expires.Sub(now).Seconds())
		}
		return nil
	}, age, expires, files, limit, used)
	return err
}

// age is how long the running file that is stuck for longest has been so.
func (t *Telemetry) age(now time.Time) (oldest time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for r := range t.running {
		r.mu.Lock()
		oldest = max(oldest, now.Sub(r.progressed))
		r.mu.Unlock()
	}
	return oldest
}

// figures are those of all clients that are watched.
type figures struct {
	files       map[upload.FileState]int64
	limit, used int64
	expires     time.Time // of the first token that does; zero: none is known to
}

// figures returns the figures of now; false: no client is watched.
func (t *Telemetry) figures() (figures, bool) {
	t.mu.Lock()
	clients := make([]Client, 0, len(t.watched))
	for w := range t.watched {
		clients = append(clients, w.client)
	}
	t.mu.Unlock()
	f := figures{files: make(map[upload.FileState]int64)}
	for _, c := range clients {
		s := c.Stats()
		for state, n := range s.Files {
			f.files[state] += int64(n)
		}
		f.limit += int64(s.Slots)
		f.used += int64(s.InFlight)
		if !s.TokenExpires.IsZero() && (f.expires.IsZero() || s.TokenExpires.Before(f.expires)) {
			f.expires = s.TokenExpires
		}
	}
	return f, len(clients) > 0
}
