package transfer

import (
	"context"
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
	// Optional goes on without a checkpoint where none can be kept.
	Optional bool
	PartSize int64
	Parallel int
	Retry    RetryPolicy
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
	volatile checkpoint.Store
	working  workingSet
	sweeping sweepSet
	slowDisk seldom
	patience patience
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
	return &Service{opts: o, wire: wire.NewClient(&o.Wire), volatile: checkpoint.NewMemory()}
}

// store returns where the checkpoint of a job is kept.
func (s *Service) store(job *Job) checkpoint.Store {
	if job.Volatile {
		return s.volatile
	}
	return s.opts.Checkpoints
}

// CloseIdle closes the connections that are not in use.
func (s *Service) CloseIdle() { s.wire.CloseIdle() }

// Run brings the job's source to its object and returns when nothing of it is
// under way any more. The source stays open.
func (s *Service) Run(ctx context.Context, job *Job) (Result, error) {
	remote, err := s.wire.Object(job.target())
	if err != nil {
		return Result{}, err
	}
	return s.run(ctx, job, remote)
}

func (s *Service) run(ctx context.Context, job *Job, remote wire.Remote) (Result, error) {
	safe := *job
	safe.Source, job = guard(job.Source, job.Steps), &safe
	plan, err := NewPlan(job.Source.State().Size, s.opts.PartSize)
	if err != nil {
		return Result{}, err
	}
	u := &upload{Service: s, job: job, remote: remote, plan: plan}
	if plan.Single() {
		return u.single(ctx)
	}
	return u.multipart(ctx)
}

// NewLimiter returns a limit of the bandwidth of all that it is given to.
func NewLimiter(bytesPerSecond int64) *wire.Limiter { return wire.NewLimiter(bytesPerSecond) }
