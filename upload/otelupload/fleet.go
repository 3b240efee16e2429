package otelupload

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// A Fleet is what there is of many workers: the Counts of a fleet's queue.
type Fleet struct {
	Waiting int // jobs, for a worker
	Working int // jobs, with a worker
	Dead    int // jobs that nobody tries again
	Workers int // that are alive
}

// fleetWait is how long the fleet has to answer: what reads metrics waits meanwhile.
const fleetWait = 5 * time.Second

// WatchFleet reports what ask returns, until stop is called. It is called each time that
// metrics are read. Where it fails, nothing is reported, and the error is OpenTelemetry's to
// handle. In a fleet, one program that does this is enough.
func (t *Telemetry) WatchFleet(ask func(context.Context) (Fleet, error)) (stop func() error, err error) {
	jobs, err := t.meter.Int64ObservableUpDownCounter("vodupload.fleet.jobs", metric.WithUnit("{job}"), metric.WithDescription("Jobs of the queue."))
	workers, werr := t.meter.Int64ObservableUpDownCounter("vodupload.fleet.workers", metric.WithUnit("{worker}"), metric.WithDescription("Workers that are alive."))
	if err := errors.Join(err, werr); err != nil {
		return nil, err
	}
	reg, err := t.meter.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		ctx, cancel := context.WithTimeout(ctx, fleetWait)
		defer cancel()
		f, err := ask(ctx)
		if err != nil {
			return err
		}
		for state, n := range map[string]int{"waiting": f.Waiting, "working": f.Working, "dead": f.Dead} {
			o.ObserveInt64(jobs, int64(n), metric.WithAttributes(attribute.String("vodupload.state", state)))
		}
		o.ObserveInt64(workers, int64(f.Workers))
		return nil
	}, jobs, workers)
	if err != nil {
		return nil, err
	}
	return reg.Unregister, nil
}

// An Attempt is what a worker knows of an attempt at a job, as it begins.
type Attempt struct {
	Enqueued map[string]string // TraceHeaders of the program that has enqueued the job
	Before   map[string]string // what [Telemetry.Attempt] has returned for the attempt before
	Number   int               // 1: the first
	Takeover bool              // the attempt before has not ended: its worker was killed, or cut off
	Waited   time.Duration     // since the job was enqueued
}

// Attempt links the run that ctx is of to what was before it, counts takeovers and the wait
// of jobs, and returns the headers for the attempt that follows, if there will be one.
func (t *Telemetry) Attempt(ctx context.Context, a Attempt) map[string]string {
	if a.Takeover {
		t.in.takeovers.Add(ctx, 1)
	}
	if a.Number == 1 {
		t.in.jobWait.Record(ctx, max(a.Waited, 0).Seconds())
	}
	r := t.runOf(ctx)
	if r == nil {
		return nil // nothing was to be uploaded
	}
	r.span.SetAttributes(attribute.Int("vodupload.fleet.attempt", a.Number), attribute.Bool("vodupload.fleet.takeover", a.Takeover))
	link(r.span, "enqueued", a.Enqueued)
	if a.Takeover {
		link(r.span, "taken over", a.Before)
	} else {
		link(r.span, "before", a.Before)
	}
	return TraceHeaders(trace.ContextWithSpan(ctx, r.span))
}

// link adds a link to a span in another process. Headers of none are left out.
func link(span trace.Span, relation string, headers map[string]string) {
	ctx := propagation.TraceContext{}.Extract(context.Background(), propagation.MapCarrier(headers))
	if to := trace.SpanContextFromContext(ctx); to.IsValid() {
		span.AddLink(trace.Link{SpanContext: to, Attributes: []attribute.KeyValue{attribute.String("vodupload.relation", relation)}})
	}
}

// TraceHeaders returns the trace context of ctx as the headers of W3C Trace Context,
// traceparent and tracestate, for the Trace of a fleet's Job; empty: there is none. It
// leaves out baggage, which may be anything.
func TraceHeaders(ctx context.Context) map[string]string {
	headers := make(map[string]string)
	propagation.TraceContext{}.Inject(ctx, propagation.MapCarrier(headers))
	return headers
}
