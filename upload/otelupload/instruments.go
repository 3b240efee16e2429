package otelupload

import (
	"errors"

	"go.opentelemetry.io/otel/metric"
)

// instruments are those that hooks record to.
type instruments struct {
	fileDuration    metric.Float64Histogram
	fileSize        metric.Int64Histogram
	acknowledged    metric.Int64Counter
	sent            metric.Int64Counter
	resumed         metric.Int64Counter
	requestDuration metric.Float64Histogram
	retries         metric.Int64Counter
	sourceRead      metric.Float64Histogram
	waitDuration    metric.Float64Histogram
	flushDuration   metric.Float64Histogram
	claimsLost      metric.Int64Counter
	jobWait         metric.Float64Histogram
	takeovers       metric.Int64Counter
}

// Boundaries of histograms, in seconds and bytes.
var (
	ofFiles    = []float64{1, 5, 15, 60, 300, 900, 3600, 3 * 3600, 6 * 3600}
	ofRequests = []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300}
	ofWaits    = []float64{.05, .1, .5, 1, 5, 15, 60, 300, 600, 3600}
	ofReads    = []float64{.001, .005, .025, .1, .5, 1, 5, 30}
	ofSizes    = []float64{1 << 20, 16 << 20, 128 << 20, 1 << 30, 4 << 30, 16 << 30, 64 << 30, 256 << 30, 1 << 40}
)

// maker makes instruments, and remembers why it could not.
type maker struct {
	metric.Meter
	err error
}

func (m *maker) seconds(name, about string, bounds []float64) metric.Float64Histogram {
	h, err := m.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(about), metric.WithExplicitBucketBoundaries(bounds...))
	m.err = errors.Join(m.err, err)
	return h
}

func (m *maker) counter(name, unit, about string) metric.Int64Counter {
	c, err := m.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(about))
	m.err = errors.Join(m.err, err)
	return c
}

func (in *instruments) make(meter metric.Meter) (err error) {
	m := &maker{Meter: meter}
	in.fileDuration = m.seconds("vodupload.file.duration", "Runs of files.", ofFiles)
	in.fileSize, err = m.Int64Histogram("vodupload.file.size", metric.WithUnit("By"),
		metric.WithDescription("Sizes of the files whose runs have ended."), metric.WithExplicitBucketBoundaries(ofSizes...))
	in.acknowledged = m.counter("vodupload.acknowledged", "By", "Bytes that OSS has acknowledged.")
	in.sent = m.counter("vodupload.sent", "By", "Bytes that were handed to connections, retries included.")
	in.resumed = m.counter("vodupload.resumed", "By", "Bytes that were not sent again, since an earlier run had sent them.")
	in.requestDuration = m.seconds("vodupload.request.duration", "Requests to OSS.", ofRequests)
	in.retries = m.counter("vodupload.request.retries", "{retry}", "Requests that were made again.")
	in.sourceRead = m.seconds("vodupload.source.read", "Of requests, reading what they send from the source.", ofReads)
	in.waitDuration = m.seconds("vodupload.wait.duration", "What files have waited for.", ofWaits)
	in.flushDuration = m.seconds("vodupload.checkpoint.flush.duration", "Making acknowledged parts durable.", ofReads)
	in.claimsLost = m.counter("vodupload.claims.lost", "{claim}", "Files that ended because another machine has taken over.")
	in.jobWait = m.seconds("vodupload.fleet.job.wait", "From the enqueuing of a job to its first attempt.", ofFiles)
	in.takeovers = m.counter("vodupload.fleet.takeovers", "{takeover}", "Attempts at jobs that another worker had not ended.")
	return errors.Join(err, m.err)
}
