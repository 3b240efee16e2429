package transfer

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/target"
	"github.com/vodupload/vodupload/upload/internal/wire"
)

// Options are the settings of a [Service].
type Options struct {
	Wire        wire.Options
	Locator     target.Locator
	Checkpoints checkpoint.Store
	// Optional lets uploads continue without a checkpoint where none can be kept.
	Optional bool
	// ClaimWait is how long a run waits for a claim that another holder has; 0: until the
	// lease that it meets has ended, or was renewed; less: not at all.
	ClaimWait time.Duration
	PartSize  int64
	Parallel  int
	Retry     RetryPolicy
	// OutageWait is how long an endpoint that has answered before may be away; 0 or less:
	// then each request is retried by itself.
	OutageWait time.Duration
	// Changed, which may be nil, is called without a lock when [Service.Away] has changed.
	Changed func()
	// Flushed, which may be nil, is called without a lock when acknowledged parts were made
	// durable, with how long that took, and why they were not.
	Flushed func(context.Context, time.Duration, error)
	// CleanupTimeout bounds what is done at the server after an upload was given
	// up. 0 means 30 s.
	CleanupTimeout time.Duration
}

const (
	defaultCleanupTimeout = 30 * time.Second
	defaultStallTimeout   = 30 * time.Second
)

// A Service runs uploads over one pool of connections.
type Service struct {
	opts     Options
	wire     *wire.Client
	parallel *width // Options.Parallel at first
	sent     atomic.Int64
	acked    atomic.Int64
	volatile checkpoint.Store
	working  workingSet
	sweeping sweepSet
	slowDisk seldom
	patience patience
	lines    lines

	comparing chan struct{} // has one element for each source that is compared
	unseen    seldom        // it is not known whether objects exist
	trip      shortest      // of a HEAD
}

// NewService returns a Service. Options are complete: the caller filled in the
// defaults, but for those of the timeouts.
func NewService(o Options) *Service {
	if o.CleanupTimeout == 0 {
		o.CleanupTimeout = defaultCleanupTimeout
	}
	if o.Wire.StallTimeout == 0 {
		o.Wire.StallTimeout = defaultStallTimeout
	}
	return &Service{
		opts: o, wire: wire.NewClient(&o.Wire), parallel: newWidth(o.Parallel), volatile: checkpoint.NewMemory(),
		comparing: make(chan struct{}, max(o.Parallel, 1)),
	}
}

// Counts are what a service has sent since it was made, for files, clean-ups and sweeps.
type Counts struct {
	Requests int64 // retries included
	Sent     int64 // bytes handed to connections, retries included
	Acked    int64 // bytes that the server has acknowledged
}

// Counts returns the counts of now.
func (s *Service) Counts() Counts {
	return Counts{Requests: s.wire.Requests(), Sent: s.sent.Load(), Acked: s.acked.Load()}
}

// CloseIdle closes the connections that are not in use.
func (s *Service) CloseIdle() { s.wire.CloseIdle() }

// Traffic returns what the connections carry. The first call begins the measuring.
func (s *Service) Traffic() wire.Traffic { return s.wire.Traffic() }

// SetParallel changes Options.Parallel, for runs under way as well.
func (s *Service) SetParallel(n int) { s.parallel.set(n) }

// Parallel returns how many requests may be in flight now.
func (s *Service) Parallel() int { return s.parallel.now() }

// SetBandwidthLimit changes Options.Wire.BandwidthLimit, for requests in flight as well.
func (s *Service) SetBandwidthLimit(bytesPerSecond int64) {
	s.wire.SetBandwidthLimit(bytesPerSecond)
}
