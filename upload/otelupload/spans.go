package otelupload

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/vodupload/vodupload/upload"
)

// maxRequestSpans is how many requests of a run have spans, unless all shall.
const maxRequestSpans = 128

// endSpan ends the span of a run, which gets what the metrics of the file have, and more.
func (o *observer) endSpan(r *run, f *upload.FileInfo, attrs []attribute.KeyValue) {
	if !r.span.IsRecording() {
		return
	}
	attrs = append(attrs, attribute.Int64("vodupload.size", f.Size), attribute.Int64("vodupload.uploaded", f.Uploaded))
	if f.UploadID != "" {
		attrs = append(attrs, attribute.String("oss.upload_id", f.UploadID), attribute.Int64("vodupload.part_size", f.PartSize))
	}
	if res := f.Result; res != nil {
		attrs = append(attrs, attribute.Int("vodupload.parts", res.Parts), attribute.Int64("vodupload.resumed", res.ResumedBytes),
			attribute.Int64("vodupload.sent", res.SentBytes))
	}
	r.mu.Lock()
	if r.unrecorded > 0 {
		attrs = append(attrs, attribute.Int("vodupload.requests.unrecorded", r.unrecorded))
	}
	r.mu.Unlock()
	if o.opts.ObjectNames {
		attrs = append(attrs, attribute.String("oss.key", f.Object))
	}
	if f.Err != nil && f.State == upload.FileFailed {
		r.span.SetStatus(o.statusOf(f.Err, f.Err.Code))
	}
	r.span.SetAttributes(attrs...)
	r.span.End()
}

// requestSpan makes the span of a request that has ended.
func (o *observer) requestSpan(ctx context.Context, q upload.Request, out *upload.Outcome, attrs []attribute.KeyValue) {
	end := time.Now()
	_, span := o.tracer.Start(ctx, q.Op, trace.WithSpanKind(trace.SpanKindClient), trace.WithTimestamp(end.Add(-out.Duration)))
	defer span.End(trace.WithTimestamp(end))
	if !span.IsRecording() {
		return
	}
	attrs = append(attrs, attribute.Int("vodupload.attempt", q.Attempt))
	if q.Part > 0 {
		attrs = append(attrs, attribute.Int("oss.part_number", q.Part))
	}
	if q.Bytes > 0 {
		attrs = append(attrs, attribute.Int64("vodupload.size", q.Bytes), attribute.Int64("vodupload.sent", out.Sent))
	}
	if out.RequestID != "" {
		attrs = append(attrs, attribute.String("oss.request_id", out.RequestID))
	}
	if o.opts.ObjectNames {
		attrs = append(attrs, attribute.String("oss.key", q.Object))
	}
	span.SetAttributes(attrs...)
	if out.Err != nil && !out.Interrupted {
		span.SetStatus(o.statusOf(out.Err, out.Code))
	}
}
