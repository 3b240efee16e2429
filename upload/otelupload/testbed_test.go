package otelupload_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
	"github.com/vodupload/vodupload/upload/otelupload"
	"github.com/vodupload/vodupload/upload/uploadtest"
)

const (
	bucket = "media"
	kib    = 1 << 10
)

// A backend is what gets the metrics and the traces of a test.
type backend struct {
	t      *testing.T
	reader *metric.ManualReader
	spans  *tracetest.SpanRecorder
	traces *sdktrace.TracerProvider
	files  sync.WaitGroup // that a client uploads: FileEnd may come after Upload has returned
	*otelupload.Telemetry
}

func newBackend(t *testing.T, opts otelupload.Options) *backend {
	t.Helper()
	b := &backend{t: t, reader: metric.NewManualReader(), spans: tracetest.NewSpanRecorder()}
	b.traces = sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(b.spans))
	opts.MeterProvider = metric.NewMeterProvider(metric.WithReader(b.reader))
	opts.TracerProvider = b.traces
	var err error
	if b.Telemetry, err = otelupload.New(&opts); err != nil {
		t.Fatal(err)
	}
	return b
}

// client returns a client that b observes, and the server that it uploads to.
func (b *backend) client(change func(*upload.Options)) (*upload.Client, *osstest.Server) {
	b.t.Helper()
	server := osstest.NewServer(&osstest.Options{Buckets: []string{bucket}})
	b.t.Cleanup(server.Close)
	opts := uploadtest.Options(osstest.DefaultKey)
	opts.Parallel = 1
	opts.Observer = upload.MultiObserver(b.Observer(), &upload.Observer{
		FileStart: func(ctx context.Context, _ upload.FileInfo) context.Context { b.files.Add(1); return ctx },
		FileEnd:   func(context.Context, upload.FileInfo) { b.files.Done() },
	})
	if change != nil {
		change(&opts)
	}
	client, err := upload.New(&opts)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { client.Close() })
	return client, server
}

// file returns a file of so many bytes.
func file(server *osstest.Server, name string, size int) upload.File {
	return upload.File{
		Path: name, Source: upload.NewSource(bytes.NewReader(make([]byte, size)), int64(size), "v1"),
		Endpoint: server.URL, Bucket: bucket, Object: "in/" + name + ".mp4",
	}
}

// read returns what the metrics are now, one line for each value: name{attributes} value,
// and of a histogram the count and the sum. Values of metrics that are times are left out,
// but for gauges.
func (b *backend) read() (lines []string) {
	b.t.Helper()
	b.files.Wait()
	for _, m := range b.metrics() {
		switch d := m.Data.(type) {
		case metricdata.Sum[int64]:
			for _, p := range d.DataPoints {
				lines = append(lines, line(m, p.Attributes, fmt.Sprint(p.Value)))
			}
		case metricdata.Gauge[float64]:
			for _, p := range d.DataPoints {
				lines = append(lines, line(m, p.Attributes, fmt.Sprintf("%.0f", p.Value)))
			}
		case metricdata.Histogram[float64]:
			for _, p := range d.DataPoints {
				if p.Sum < 0 || p.Sum > 60*60 {
					b.t.Errorf("%s: %v", m.Name, p.Sum)
				}
				lines = append(lines, line(m, p.Attributes, fmt.Sprintf("n=%d", p.Count)))
			}
		case metricdata.Histogram[int64]:
			for _, p := range d.DataPoints {
				lines = append(lines, line(m, p.Attributes, fmt.Sprintf("n=%d sum=%d", p.Count, p.Sum)))
			}
		default:
			b.t.Errorf("%s is a %T", m.Name, m.Data)
		}
	}
	slices.Sort(lines)
	return lines
}

func (b *backend) metrics() []metricdata.Metrics {
	b.t.Helper()
	var all metricdata.ResourceMetrics
	if err := b.reader.Collect(context.Background(), &all); err != nil {
		b.t.Fatal(err)
	}
	if len(all.ScopeMetrics) != 1 {
		b.t.Fatalf("%d scopes", len(all.ScopeMetrics))
	}
	return all.ScopeMetrics[0].Metrics
}

func line(m metricdata.Metrics, set attribute.Set, value string) string {
	return fmt.Sprintf("%s[%s]{%s} %s", m.Name, m.Unit, attrs(set.ToSlice()), value)
}

func attrs(of []attribute.KeyValue) string {
	var all []string
	for _, kv := range of {
		all = append(all, string(kv.Key)+"="+kv.Value.String())
	}
	return strings.Join(all, ",")
}

// wants fails unless each of these lines is there.
func wants(t *testing.T, lines []string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !slices.Contains(lines, w) {
			t.Errorf("there is no %s", w)
		}
	}
	if t.Failed() {
		t.Log("\n" + strings.Join(lines, "\n"))
	}
}

// named returns the spans of this name that have ended, in the order in which they began.
func (b *backend) named(name string) (spans []sdktrace.ReadOnlySpan) {
	b.files.Wait()
	for _, s := range b.spans.Ended() {
		if s.Name() == name {
			spans = append(spans, s)
		}
	}
	slices.SortStableFunc(spans, func(x, y sdktrace.ReadOnlySpan) int {
		return cmp.Compare(x.StartTime().UnixNano(), y.StartTime().UnixNano())
	})
	return spans
}

// has returns the value of an attribute of a span, as text; empty: it has none.
func has(s sdktrace.ReadOnlySpan, key string) string {
	for _, kv := range s.Attributes() {
		if string(kv.Key) == key {
			return kv.Value.String()
		}
	}
	return ""
}
