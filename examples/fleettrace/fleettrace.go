// Package fleettrace joins the workers of a fleet with OpenTelemetry, to be copied: the run
// of each attempt links to the span that enqueued its job and to the run before, also where
// the worker of that one was killed.
package fleettrace

import (
	"context"
	"time"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/fleet"
	"github.com/vodupload/vodupload/upload/otelupload"
)

// Join has a worker with the options report to the telemetry. Give the worker itself to
// [otelupload.Telemetry.Watch], for the gauges.
func Join(o *fleet.WorkerOptions, t *otelupload.Telemetry) {
	o.Upload.Observer = upload.MultiObserver(o.Upload.Observer, t.Observer())
	o.Began = func(ctx context.Context, job fleet.JobInfo) map[string]string {
		return t.Attempt(ctx, otelupload.Attempt{
			Enqueued: job.Job.Trace, Before: job.Trace,
			Number: job.Attempts + 1, Takeover: job.State == fleet.StateRunning, Waited: time.Since(job.Enqueued),
		})
	}
}

// Watch reports the counts of a queue, until stop is called. One program of the fleet is
// enough.
func Watch(q *fleet.Queue, t *otelupload.Telemetry) (stop func() error, err error) {
	return t.WatchFleet(func(ctx context.Context) (otelupload.Fleet, error) {
		c, err := q.Counts(ctx)
		return otelupload.Fleet{Waiting: c.Waiting, Working: c.Working, Dead: c.Dead, Workers: c.Workers}, err
	})
}
