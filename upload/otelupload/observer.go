package otelupload

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/vodupload/vodupload/upload"
)

// A run is one run of a file.
type run struct {
	span  trace.Span
	began time.Time

	mu         sync.Mutex
	progressed time.Time       // when a part was acknowledged last, or the run began
	failed     map[call]string // codes of what is to be tried again
	spans      int             // of requests
	unrecorded int             // requests that would have been further ones
}

// A call is what attempts have in common.
type call struct {
	op   string
	part int
}

// runKey is the key of the run in the context of its requests. Two Telemetry may observe
// the same client.
type runKey struct{ *Telemetry }

// runOf returns the run that a request is of; nil: none, as in a sweep.
func (t *Telemetry) runOf(ctx context.Context) *run {
	r, _ := ctx.Value(runKey{t}).(*run)
	return r
}

// An observer sees one client.
type observer struct {
	*Telemetry
	mu    sync.Mutex
	files map[upload.FileID]*run
}

// Observer returns what is to be the Options.Observer of one client: call it once for each.
// [upload.MultiObserver] combines it with others.
func (t *Telemetry) Observer() *upload.Observer {
	o := &observer{Telemetry: t, files: make(map[upload.FileID]*run)}
	return &upload.Observer{
		FileStart: o.fileStart, FileEnd: o.fileEnd, Resumed: o.resumed,
		RequestStart: o.requestStart, RequestEnd: o.requestEnd, Flush: o.flush, Wait: o.wait,
	}
}

func (o *observer) fileStart(ctx context.Context, f upload.FileInfo) context.Context {
	now := time.Now()
	r := &run{began: now, progressed: now}
	ctx, r.span = o.tracer.Start(ctx, "upload", trace.WithTimestamp(now))
	o.mu.Lock()
	o.files[f.ID] = r
	o.mu.Unlock()
	o.begin(r)
	return context.WithValue(ctx, runKey{o.Telemetry}, r)
}

func (o *observer) fileEnd(ctx context.Context, f upload.FileInfo) {
	r := o.runOf(ctx)
	if r == nil {
		return
	}
	o.mu.Lock()
	if o.files[f.ID] == r {
		delete(o.files, f.ID)
	}
	o.mu.Unlock()
	o.end(r)
	attrs := []attribute.KeyValue{o.bucket(f.Bucket), outcomeOf(&f)}
	if f.Err != nil && f.State == upload.FileFailed {
		attrs = append(attrs, o.errorType(f.Err.Code))
		if f.Err.Code == upload.CodeClaimLost {
			o.in.claimsLost.Add(ctx, 1)
		}
	}
	set := metric.WithAttributeSet(attribute.NewSet(attrs...))
	o.in.fileDuration.Record(ctx, time.Since(r.began).Seconds(), set)
	if f.Size >= 0 {
		o.in.fileSize.Record(ctx, f.Size, set)
	}
	o.endSpan(r, &f, attrs)
}

// outcomeOf is how a run has ended.
func outcomeOf(f *upload.FileInfo) attribute.KeyValue {
	outcome := "interrupted"
	switch f.State {
	case upload.FileSucceeded:
		outcome = "succeeded"
		if f.Result != nil && f.Result.Skipped {
			outcome = "skipped"
		}
	case upload.FileFailed, upload.FileCanceled:
		outcome = f.State.String()
	}
	return attribute.String("vodupload.outcome", outcome)
}

func (o *observer) resumed(ctx context.Context, f upload.FileInfo, parts []int) {
	o.in.resumed.Add(ctx, f.Uploaded, metric.WithAttributes(o.bucket(f.Bucket)))
	if r := o.runOf(ctx); r != nil {
		r.span.AddEvent("resumed", trace.WithAttributes(
			attribute.Int("vodupload.parts", len(parts)), attribute.Int64("vodupload.bytes", f.Uploaded)))
	}
}

func (o *observer) requestStart(ctx context.Context, q upload.Request) context.Context {
	if q.Attempt > 1 {
		attrs := []attribute.KeyValue{o.bucket(q.Bucket), operation(q.Op)}
		if code := o.runOf(ctx).failure(q); code != "" {
			attrs = append(attrs, o.errorType(code))
		}
		o.in.retries.Add(ctx, 1, metric.WithAttributes(attrs...))
	}
	return ctx
}

func (o *observer) requestEnd(ctx context.Context, q upload.Request, out upload.Outcome) {
	r := o.runOf(ctx)
	attrs := []attribute.KeyValue{o.bucket(q.Bucket), operation(q.Op)}
	if out.Status != 0 {
		attrs = append(attrs, attribute.Int("http.response.status_code", out.Status))
	}
	if out.Err != nil {
		attrs = append(attrs, o.errorType(out.Code))
	}
	o.in.requestDuration.Record(ctx, out.Duration.Seconds(), metric.WithAttributes(attrs...))
	if q.Bytes > 0 {
		bucket := metric.WithAttributes(o.bucket(q.Bucket))
		o.in.sourceRead.Record(ctx, out.SourceRead.Seconds(), bucket)
		o.in.sent.Add(ctx, out.Sent, bucket)
		if out.Err == nil {
			o.in.acknowledged.Add(ctx, q.Bytes, bucket)
		}
	}
	if r.ended(q, &out, o.opts) {
		o.requestSpan(ctx, q, &out, attrs)
	}
}

func (o *observer) flush(ctx context.Context, _ upload.FileID, took time.Duration, err error) {
	if err == nil {
		o.in.flushDuration.Record(ctx, took.Seconds())
		return
	}
	o.in.flushDuration.Record(ctx, took.Seconds(), metric.WithAttributes(attribute.String("error.type", other)))
}

func (o *observer) wait(id upload.FileID, w upload.Waiting, lasted time.Duration) {
	reason := attribute.String("vodupload.reason", w.For.String())
	o.in.waitDuration.Record(context.Background(), lasted.Seconds(), metric.WithAttributes(reason))
	o.mu.Lock()
	r := o.files[id]
	o.mu.Unlock()
	if r != nil {
		r.span.AddEvent("wait", trace.WithAttributes(reason, attribute.Float64("vodupload.seconds", lasted.Seconds())))
	}
}

func (t *Telemetry) bucket(name string) attribute.KeyValue {
	return attribute.String("oss.bucket", t.buckets.of(name))
}

func (t *Telemetry) errorType(code string) attribute.KeyValue {
	if code == "" {
		code = other
	}
	return attribute.String("error.type", t.codes.of(code))
}

func operation(op string) attribute.KeyValue { return attribute.String("oss.operation", op) }

// failure returns the code that the attempt before has failed with; empty: it is not known.
func (r *run) failure(q upload.Request) string {
	if r == nil {
		return ""
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed[call{q.Op, q.Part}]
}

// ended records the end of a request, and returns whether it gets a span. r may be nil.
func (r *run) ended(q upload.Request, out *upload.Outcome, opts Options) bool {
	wanted := opts.AllRequests || out.Err != nil && !out.Interrupted || q.Attempt > 1 || out.Duration >= opts.SlowRequest
	if r == nil {
		return wanted
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if q.Bytes > 0 && out.Err == nil {
		r.progressed = time.Now()
	}
	switch {
	case out.Err != nil && !out.Interrupted:
		if r.failed == nil {
			r.failed = make(map[call]string)
		}
		r.failed[call{q.Op, q.Part}] = out.Code
	case r.failed != nil:
		delete(r.failed, call{q.Op, q.Part})
	}
	if !wanted {
		return false
	}
	if r.spans >= maxRequestSpans && !opts.AllRequests {
		r.unrecorded++
		return false
	}
	r.spans++
	return true
}

// statusOf is the status of the span of something that failed.
func (t *Telemetry) statusOf(err error, code string) (codes.Code, string) {
	if t.opts.ObjectNames {
		return codes.Error, err.Error()
	}
	return codes.Error, code
}
