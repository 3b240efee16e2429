// Package otelupload reports what an upload.Client does to OpenTelemetry: metrics of
// files, requests and waits, and a trace of each run of a file.
//
//	telemetry, err := otelupload.New(nil)
//	...
//	client, err := upload.New(&upload.Options{Credentials: provider, Observer: telemetry.Observer()})
//	...
//	defer telemetry.Watch(client)()
//
// It uses the API of OpenTelemetry alone: which backend gets what is decided by the
// program, with the SDK. Nothing here blocks an upload or makes a request.
//
// # Metrics
//
// Of what an Observer sees:
//
//	vodupload.file.duration     histogram, s        oss.bucket, vodupload.outcome, error.type
//	vodupload.file.size         histogram, By       the same
//	vodupload.acknowledged      counter, By         oss.bucket
//	vodupload.sent              counter, By         oss.bucket; sent/acknowledged is what retries cost
//	vodupload.resumed           counter, By         oss.bucket; not sent again, thanks to a checkpoint
//	vodupload.request.duration  histogram, s        oss.bucket, oss.operation, http.response.status_code, error.type
//	vodupload.request.retries   counter, {retry}    oss.bucket, oss.operation, error.type: what is tried again for
//	vodupload.source.read       histogram, s        oss.bucket; the time of one request that reading its source took
//	vodupload.wait.duration     histogram, s        vodupload.reason: credentials, destination, network, throttle, claim
//	vodupload.checkpoint.flush.duration  histogram, s    error.type, if it failed
//	vodupload.progress.age      gauge, s            since a part was acknowledged of the running file for which that is longest ago; 0: none runs
//	vodupload.claims.lost       counter, {claim}    files that ended because another machine has taken over
//
// Of the clients that [Telemetry.Watch] was given, added up:
//
//	vodupload.files             up-down counter, {file}     vodupload.state
//	vodupload.slots.limit       up-down counter, {request}  how many may be in flight
//	vodupload.slots.used        up-down counter, {request}
//	vodupload.token.expires_in  gauge, s                    of the first that expires; below 0: it has
//
// Of a fleet, by [Telemetry.WatchFleet] and [Telemetry.Attempt]:
//
//	vodupload.fleet.jobs        up-down counter, {job}      vodupload.state: waiting, working, dead
//	vodupload.fleet.workers     up-down counter, {worker}
//	vodupload.fleet.job.wait    histogram, s                from Enqueue to the first attempt
//	vodupload.fleet.takeovers   counter, {takeover}
//
// The outcome of a file is succeeded, skipped, failed, canceled, or interrupted by a pause
// or a stop. error.type is the code of the error, as [upload.Error] has it. No attribute is
// the name of a file or an object, or an upload ID. Names of buckets and codes come from
// elsewhere: after the first 200 of each, further ones are _OTHER.
//
// # Traces
//
// A run of a file is a span "upload", a child of the span in the context of
// [upload.Client.Upload]. Waits are events of it. A request that failed, was made again or
// took longer than Options.SlowRequest has a span of its own below it, named after the
// operation, but no more than 128 for a run: a film of 10,000 parts does not make 10,000
// spans. What is left out is counted in the attribute vodupload.requests.unrecorded.
//
// Spans have upload IDs, sizes and request IDs. Names of objects, and the texts of errors,
// in which they are, are left out unless Options.ObjectNames is set. No secret is in either.
//
// # A fleet
//
// Package fleet passes the contexts of traces on as text, and does not depend on this
// package. A run of a job links to the span that was current when the job was enqueued,
// and a run that takes over links to the run before:
//
//	queue.Enqueue(ctx, fleet.Job{Source: source, Trace: otelupload.TraceHeaders(ctx)})
//	...
//	worker, err := fleet.NewWorker(ctx, nc, &fleet.WorkerOptions{
//		Upload: upload.Options{Observer: telemetry.Observer()},
//		Began: func(ctx context.Context, job fleet.JobInfo) map[string]string {
//			return telemetry.Attempt(ctx, otelupload.Attempt{
//				Enqueued: job.Job.Trace, Before: job.Trace,
//				Number: job.Attempts + 1, Takeover: job.State == fleet.StateRunning, Waited: time.Since(job.Enqueued),
//			})
//		},
//	})
//	...
//	defer telemetry.Watch(worker)()
//
// In the examples of this repository fleettrace has that, and a test that kills a worker.
//
// # Prometheus
//
// With OpenTelemetry's exporter (go.opentelemetry.io/otel/exporters/prometheus) the names
// become vodupload_file_duration_seconds, vodupload_acknowledged_bytes_total and so on:
//
//	exporter, err := prometheus.New()
//	...
//	telemetry, err := otelupload.New(&otelupload.Options{
//		MeterProvider: metric.NewMeterProvider(metric.WithReader(exporter)),
//	})
//	...
//	http.Handle("/metrics", promhttp.Handler())
//
// The one alert to begin with: a file is under way, and nothing of it has been acknowledged
// for ten minutes, whatever the reason:
//
//	alert: UploadStalled
//	expr: vodupload_progress_age_seconds > 600
package otelupload
