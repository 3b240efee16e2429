package otelupload_test

import (
	"bytes"
	"context"
	"fmt"
	"log"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
	"github.com/vodupload/vodupload/upload/otelupload"
	"github.com/vodupload/vodupload/upload/uploadtest"
)

// The reader of this example prints two counters. A program has that of its backend in its
// place: the exporter for Prometheus, or a PeriodicReader with the one for OTLP.
func Example() {
	server := osstest.NewServer(&osstest.Options{Buckets: []string{"media"}})
	defer server.Close()
	server.Inject(osstest.Fail(osstest.OpUploadPart, 500, "InternalError").Part(2)) // once

	reader := metric.NewManualReader()
	telemetry, err := otelupload.New(&otelupload.Options{
		MeterProvider: metric.NewMeterProvider(metric.WithReader(reader)),
	})
	if err != nil {
		log.Fatal(err)
	}
	opts := uploadtest.Options(osstest.DefaultKey) // Credentials of yours
	opts.Observer = telemetry.Observer()
	client, err := upload.New(&opts)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	defer telemetry.Watch(client)()

	film := bytes.NewReader(make([]byte, 250<<10))
	if _, err := client.Upload(context.Background(), upload.File{
		Path: "talk.mp4", Source: upload.NewSource(film, film.Size(), "v1"),
		Endpoint: server.URL, Bucket: "media", Object: "in/talk.mp4",
	}); err != nil {
		log.Fatal(err)
	}

	var all metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &all); err != nil {
		log.Fatal(err)
	}
	for _, m := range all.ScopeMetrics[0].Metrics {
		switch m.Name {
		case "vodupload.acknowledged", "vodupload.request.retries":
			for _, p := range m.Data.(metricdata.Sum[int64]).DataPoints {
				fmt.Println(m.Name, p.Value, m.Unit)
			}
		}
	}
	// Output:
	// vodupload.acknowledged 256000 By
	// vodupload.request.retries 1 {retry}
}
