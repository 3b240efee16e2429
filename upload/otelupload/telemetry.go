package otelupload

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/vodupload/vodupload/upload"
)

// scope names this package to OpenTelemetry.
const scope = "github.com/vodupload/vodupload/upload/otelupload"

// Options are the settings of a [Telemetry]. The zero value of each field means its
// default.
type Options struct {
	// MeterProvider makes the instruments. The default is the global one.
	MeterProvider metric.MeterProvider

	// TracerProvider makes the spans. The default is the global one.
	TracerProvider trace.TracerProvider

	// SlowRequest is how long a request takes at least that has a span although it
	// succeeded at the first attempt. The default is 10 s.
	SlowRequest time.Duration

	// AllRequests gives each request a span, however many these are. The default is those
	// of which the package comment speaks.
	AllRequests bool

	// ObjectNames adds the names of objects, and the texts of errors, to spans. The default
	// is to leave them out.
	ObjectNames bool
}

const defaultSlowRequest = 10 * time.Second

// A Telemetry reports what clients do. Its methods may be called from any goroutine.
type Telemetry struct {
	opts    Options
	tracer  trace.Tracer
	meter   metric.Meter
	in      instruments
	gauges  metric.Registration
	buckets bounded
	codes   bounded

	mu      sync.Mutex
	running map[*run]struct{}
	watched map[*watched]struct{}
}

// New returns a Telemetry, for any number of clients. A nil opts means the defaults. The
// error is that of the MeterProvider, which could not make an instrument.
func New(opts *Options) (*Telemetry, error) {
	t := &Telemetry{running: make(map[*run]struct{}), watched: make(map[*watched]struct{})}
	if opts != nil {
		t.opts = *opts
	}
	if t.opts.SlowRequest < 0 {
		return nil, fmt.Errorf("%w: otelupload: Options.SlowRequest: got %v, want at least 0", upload.ErrInvalidArgument, t.opts.SlowRequest)
	}
	if t.opts.SlowRequest == 0 {
		t.opts.SlowRequest = defaultSlowRequest
	}
	if t.opts.MeterProvider == nil {
		t.opts.MeterProvider = otel.GetMeterProvider()
	}
	if t.opts.TracerProvider == nil {
		t.opts.TracerProvider = otel.GetTracerProvider()
	}
	t.tracer = t.opts.TracerProvider.Tracer(scope)
	t.meter = t.opts.MeterProvider.Meter(scope)
	if err := errors.Join(t.in.make(t.meter), t.register()); err != nil {
		return nil, fmt.Errorf("otelupload: %w", err)
	}
	return t, nil
}

// Close takes back what New has registered: gauges are not reported any more. It is for
// programs that go on without; the end of a program needs no Close.
func (t *Telemetry) Close() error { return t.gauges.Unregister() }

// Format writes the name of t's type and nothing else, whatever the verb: it takes no
// lock.
func (t *Telemetry) Format(f fmt.State, _ rune) { fmt.Fprint(f, "otelupload.Telemetry") }
