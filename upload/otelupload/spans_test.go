package otelupload_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
	"github.com/vodupload/vodupload/upload/otelupload"
)

// One span for a run, below the caller's, and one for each request that was not as usual.
func TestSpansOfAnUpload(t *testing.T) {
	b := newBackend(t, otelupload.Options{})
	client, server := b.client(nil)
	server.Inject(osstest.Fail(osstest.OpUploadPart, 503, "ServiceUnavailable").Part(2))
	ctx, caller := b.traces.Tracer("test").Start(t.Context(), "publish")
	if _, err := client.Upload(ctx, file(server, "secretfilm", 250*kib)); err != nil {
		t.Fatal(err)
	}
	caller.End()
	runs := b.named("upload")
	if len(runs) != 1 {
		t.Fatalf("%d runs", len(runs))
	}
	run := runs[0]
	if run.Parent().SpanID() != caller.SpanContext().SpanID() || run.SpanKind() != trace.SpanKindInternal || run.Status().Code != codes.Unset {
		t.Errorf("the run is a %v below %v, %v", run.SpanKind(), run.Parent().SpanID(), run.Status())
	}
	for key, want := range map[string]string{
		"oss.bucket": bucket, "vodupload.outcome": "succeeded", "vodupload.size": "256000", "vodupload.parts": "3", "vodupload.part_size": "102400",
	} {
		if got := has(run, key); got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	if has(run, "oss.upload_id") == "" {
		t.Error("the run has no upload ID")
	}
	events := 0
	for _, e := range run.Events() {
		if e.Name == "wait" && attrs(e.Attributes[:1]) == "vodupload.reason=throttle" {
			events++
		}
	}
	if events != 1 {
		t.Errorf("%d events of a throttle", events)
	}
	parts := b.named("UploadPart")
	if len(parts) != 2 {
		t.Fatalf("%d spans of parts", len(parts))
	}
	for i, p := range parts {
		if p.Parent().SpanID() != run.SpanContext().SpanID() || p.SpanKind() != trace.SpanKindClient || has(p, "oss.part_number") != "2" || has(p, "oss.request_id") == "" {
			t.Errorf("attempt %d: %v", i+1, p.Attributes())
		}
	}
	if s := parts[0].Status(); s.Code != codes.Error || s.Description != "ServiceUnavailable" || has(parts[0], "http.response.status_code") != "503" {
		t.Errorf("attempt 1: %v %v", s, parts[0].Attributes())
	}
	if s := parts[1].Status(); s.Code != codes.Unset || has(parts[1], "vodupload.attempt") != "2" {
		t.Errorf("attempt 2: %v %v", s, parts[1].Attributes())
	}
	if n := len(b.spans.Ended()); n != 4 || len(b.spans.Started()) != n {
		t.Errorf("%d spans, %d of them ended", len(b.spans.Started()), n)
	}
	for _, s := range b.spans.Ended() {
		if strings.Contains(attrs(s.Attributes())+s.Status().Description, "secretfilm") {
			t.Errorf("%s names the object: %v", s.Name(), s.Attributes())
		}
	}
}

func TestObjectNames(t *testing.T) {
	b := newBackend(t, otelupload.Options{ObjectNames: true})
	client, server := b.client(nil)
	server.Inject(osstest.Fail(osstest.OpPutObject, 403, "AccessDenied"))
	if _, err := client.Upload(t.Context(), file(server, "film", 10*kib)); err == nil {
		t.Fatal("no error")
	}
	run := b.named("upload")[0]
	if has(run, "oss.key") != "in/film.mp4" || !strings.Contains(run.Status().Description, "AccessDenied") {
		t.Errorf("%v %v", run.Attributes(), run.Status())
	}
	if put := b.named("PutObject"); len(put) != 1 || has(put[0], "oss.key") != "in/film.mp4" {
		t.Errorf("%v", put)
	}
}

// Hours of trouble do not make thousands of spans of one run, unless that is wanted.
func TestSpansOfRequestsAreBounded(t *testing.T) {
	for _, c := range []struct {
		outcome  string
		opts     otelupload.Options
		failed   bool
		spans    int
		unspoken string
	}{
		{"none that were as usual", otelupload.Options{}, false, 0, ""},
		{"128 that failed", otelupload.Options{}, true, 128, "872"},
		{"all slow ones up to 128", otelupload.Options{SlowRequest: time.Second}, false, 128, "872"},
		{"all", otelupload.Options{AllRequests: true}, false, 1000, ""},
	} {
		t.Run(c.outcome, func(t *testing.T) {
			b := newBackend(t, c.opts)
			o := b.Observer()
			f := upload.FileInfo{ID: 1, Bucket: bucket}
			ctx := o.FileStart(t.Context(), f)
			out := upload.Outcome{Status: 200, Duration: time.Second}
			if c.failed {
				out.Err, out.Code = errors.New("no"), "InternalError"
			}
			for n := range 1000 {
				q := upload.Request{FileID: 1, Op: "UploadPart", Bucket: bucket, Part: n + 1, Attempt: 1, Bytes: 1}
				o.RequestEnd(o.RequestStart(ctx, q), q, out)
			}
			o.FileEnd(ctx, f)
			if n := len(b.named("UploadPart")); n != c.spans {
				t.Errorf("%d spans, want %d", n, c.spans)
			}
			if got := has(b.named("upload")[0], "vodupload.requests.unrecorded"); got != c.unspoken {
				t.Errorf("%q are said to be unrecorded, want %q", got, c.unspoken)
			}
		})
	}
}

// Requests of an interrupted run are not errors.
func TestInterruptedRequestsAreNoErrors(t *testing.T) {
	b := newBackend(t, otelupload.Options{})
	o := b.Observer()
	f := upload.FileInfo{ID: 1, Bucket: bucket, State: upload.FilePaused}
	ctx := o.FileStart(t.Context(), f)
	q := upload.Request{FileID: 1, Op: "UploadPart", Part: 1, Attempt: 1, Bytes: 1}
	o.RequestEnd(o.RequestStart(ctx, q), q, upload.Outcome{Err: errors.New("paused"), Code: "Canceled", Interrupted: true})
	o.FileEnd(ctx, f)
	if n := len(b.named("UploadPart")); n != 0 {
		t.Errorf("%d spans", n)
	}
	if run := b.named("upload")[0]; run.Status().Code != codes.Unset || has(run, "vodupload.outcome") != "interrupted" {
		t.Errorf("%v %v", run.Status(), run.Attributes())
	}
}

// A run links to what was before it, in other processes.
func TestAttempts(t *testing.T) {
	b := newBackend(t, otelupload.Options{})
	enqueuing, enqueue := b.traces.Tracer("test").Start(t.Context(), "enqueue")
	enqueue.End()
	job := otelupload.TraceHeaders(enqueuing)

	first := b.Observer()
	f := upload.FileInfo{ID: 1, Bucket: bucket}
	ctx := first.FileStart(t.Context(), f)
	kept := b.Attempt(ctx, otelupload.Attempt{Enqueued: job, Number: 1, Waited: time.Second})
	// Its worker is killed: there is no end.

	second := b.Observer()
	ctx = second.FileStart(t.Context(), f)
	b.Attempt(ctx, otelupload.Attempt{Enqueued: job, Before: kept, Number: 2, Takeover: true, Waited: time.Hour})
	second.FileEnd(ctx, f)

	run := b.named("upload")[0]
	links := run.Links()
	if len(links) != 2 {
		t.Fatalf("%d links", len(links))
	}
	before := b.spans.Started()[1].SpanContext()
	for i, want := range []struct {
		to       trace.SpanContext
		relation string
	}{{enqueue.SpanContext(), "enqueued"}, {before, "taken over"}} {
		got := links[i]
		if got.SpanContext.SpanID() != want.to.SpanID() || got.SpanContext.TraceID() != want.to.TraceID() || attrs(got.Attributes) != "vodupload.relation="+want.relation {
			t.Errorf("link %d: %v %v", i, got.SpanContext, got.Attributes)
		}
	}
	if len(kept) == 0 || kept["traceparent"] == "" || kept["baggage"] != "" {
		t.Errorf("headers %v", kept)
	}
	wants(t, b.read(), "vodupload.fleet.takeovers[{takeover}]{} 1", "vodupload.fleet.job.wait[s]{} n=1")

	if got := b.Attempt(t.Context(), otelupload.Attempt{Enqueued: map[string]string{"traceparent": "nonsense"}}); got != nil {
		t.Errorf("outside a run: %v", got)
	}
}
