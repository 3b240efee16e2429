package fleet

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload"
)

// WorkerOptions are the settings of a [Worker]. Openers is required; the zero value of each
// other field means its default.
type WorkerOptions struct {
	// Namespace, Queue and Replicas are those of the [QueueOptions], with the same
	// defaults.
	Namespace string
	Queue     string
	Replicas  int

	// Name of the worker for people, in [JobInfo] and in logs: at most 256 bytes. Two workers
	// should not have the same, but may. The default is the machine's name and the process ID.
	Name string

	// Upload are the options of the client that uploads: its credentials, above all. Where
	// it has no Checkpoints, the worker opens the store of package jetstream in the same
	// namespace, and closes it; one of your own has to be [checkpoint.Shared].
	// CheckpointDir is refused.
	Upload upload.Options

	// Openers open sources, by the scheme of their URLs: "file" by what [Files] returns, and "https" by [HTTP],
	// for example. A job of another scheme is left to workers that have an Opener for it.
	Openers map[string]Opener

	// Prepare may change a file before it is uploaded: it gives one the Credentials of a
	// customer, for example. It is called from many goroutines. Errors are as those of an
	// [Opener]. The default is none.
	Prepare func(ctx context.Context, job Job, f *upload.File) error

	// Began is called when an attempt begins, once its upload is claimed, with the job as the
	// attempt has found it: in [StateRunning] the attempt takes over from a worker that has
	// died, or was cut off. ctx is that of the upload, with what Upload.Observer has put into
	// it. What it returns is kept as JobInfo.Trace for the attempt that follows: headers of
	// a trace, at most 4 KiB, and no secret, since all who may read the queue can read them.
	// It must not block, and a panic is not recovered. Module otelupload has an example. The
	// default is none.
	Began func(ctx context.Context, job JobInfo) map[string]string

	// Files is how many jobs the worker has at a time, at most 256. The default is 16.
	Files int

	// MaxAttempts is how many attempts in a row may fail without getting further than the
	// one before, until the job is dead. Attempts that ended with their worker count, but
	// while the source is opened only from the second on, and three at least; those that
	// found no source do not. Jobs whose workers have died twice are tried apart from each other, so that one
	// that kills its worker takes no others with it. The default is 5.
	MaxAttempts int

	// Backoff is the pause after the first failed attempt. It doubles with each, up to
	// MaxBackoff. The defaults are 10 s and 10 minutes.
	Backoff    time.Duration
	MaxBackoff time.Duration

	// SourceWait is how long a job waits for a machine that has its source, until it is
	// dead. The default is 24 hours.
	SourceWait time.Duration

	// KeepResults is how long the state of a job that has succeeded is kept: at least a
	// second. The default is 7 days. Dead jobs are kept until Requeue or Delete.
	KeepResults time.Duration

	// Lease is how long the claim of a worker that has vanished keeps others from its
	// uploads, in whole seconds. It has to be above three elections of the engine, each of
	// which takes up to 9 s. It is that of the store that the worker opens, and has to be
	// that of one of your own. The default is 30 s.
	Lease time.Duration

	// AckWait is how long after its worker has vanished a job is delivered to another: at
	// least a second, and no longer than Lease. A busy worker renews it three times in that
	// time. All workers of a queue should have the same; the one that starts last sets it.
	// The default is the Lease.
	AckWait time.Duration

	// FleetParallel and FleetBandwidthLimit bound the requests in flight, and the bytes per
	// second, of all workers of the namespace together: each takes an equal share of what it
	// was given here, so give all the same. A share is at least one request, and
	// [upload.MinBandwidthLimit]. They replace Parallel and BandwidthLimit of Upload, which
	// have to be 0 then. The default is none: each worker has its own.
	FleetParallel       int
	FleetBandwidthLimit int64

	// Presence is how long a worker that has vanished counts among those that share: at
	// least a second. When one leaves, the others grow after twice that time. The default
	// is 15 s.
	Presence time.Duration

	// ReconcileInterval is how often one of the workers compares the states of the jobs
	// with the queue, and wakes workers for those that it has lost. The default is a
	// minute.
	ReconcileInterval time.Duration

	// SyncAlways says that all servers run with sync_interval: always, which a client
	// cannot see. The default is to log a warning, unless the server is one of package
	// embedded in this process.
	SyncAlways bool

	// Logger gets what an operator wants to know. No line has a secret in it. The default
	// is silent, but that warnings of the store of checkpoints go to [slog.Default] while
	// SyncAlways is not set.
	Logger *slog.Logger
}

const (
	defaultFiles       = 16
	maxFiles           = 256
	maxName            = 256
	defaultMaxAttempts = 5
	defaultBackoff     = 10 * time.Second
	defaultMaxBackoff  = 10 * time.Minute
	defaultSourceWait  = 24 * time.Hour
	defaultKeepResults = 7 * 24 * time.Hour
	defaultLease       = 30 * time.Second
	defaultPresence    = 15 * time.Second
	defaultReconcile   = time.Minute
)

// resolve returns the options with their defaults, checked.
func (o *WorkerOptions) resolve() (WorkerOptions, error) {
	if o == nil {
		o = &WorkerOptions{}
	}
	r := *o
	queue, err := (&QueueOptions{Namespace: o.Namespace, Name: o.Queue}).resolve()
	if err != nil {
		return r, err
	}
	r.Namespace, r.Queue = queue.Namespace, queue.Name
	if r.Name == "" {
		host, _ := os.Hostname()
		r.Name = fmt.Sprintf("%s-%d", host, os.Getpid())
	}
	if r.Logger == nil {
		r.Logger = slog.New(slog.DiscardHandler)
	}
	setDefault(&r.Files, defaultFiles)
	setDefault(&r.MaxAttempts, defaultMaxAttempts)
	setDefault(&r.Backoff, defaultBackoff)
	setDefault(&r.MaxBackoff, max(defaultMaxBackoff, r.Backoff))
	setDefault(&r.SourceWait, defaultSourceWait)
	setDefault(&r.KeepResults, defaultKeepResults)
	setDefault(&r.Lease, defaultLease)
	setDefault(&r.AckWait, r.Lease)
	setDefault(&r.Presence, defaultPresence)
	setDefault(&r.ReconcileInterval, defaultReconcile)
	r.Openers = maps.Clone(o.Openers)
	return r, r.check()
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func (o *WorkerOptions) check() error {
	for _, f := range []struct {
		name       string
		value, min time.Duration
	}{
		{"Backoff", o.Backoff, 0},
		{"MaxBackoff", o.MaxBackoff, o.Backoff},
		{"SourceWait", o.SourceWait, 0},
		{"KeepResults", o.KeepResults, time.Second},
		{"Lease", o.Lease, time.Second},
		{"AckWait", o.AckWait, time.Second},
		{"Presence", o.Presence, time.Second},
		{"ReconcileInterval", o.ReconcileInterval, 0},
	} {
		if f.value < f.min {
			return fmt.Errorf("%w: WorkerOptions.%s: got %v, want at least %v", ErrInvalidArgument, f.name, f.value, f.min)
		}
	}
	up := &o.Upload
	switch {
	case len(o.Openers) == 0:
		return fmt.Errorf("%w: WorkerOptions.Openers is empty: a worker without one can open no source", ErrMissingArgument)
	case !utf8.ValidString(o.Name) || strings.ContainsFunc(o.Name, unicode.IsControl):
		return fmt.Errorf("%w: WorkerOptions.Name: got %q, want UTF-8 without control characters", ErrInvalidArgument, o.Name)
	case len(o.Name) > maxName:
		return fmt.Errorf("%w: WorkerOptions.Name: got %d bytes, want at most %d", ErrInvalidArgument, len(o.Name), maxName)
	case o.Files < 1 || o.Files > maxFiles:
		return fmt.Errorf("%w: WorkerOptions.Files: got %d, want 1 to %d", ErrInvalidArgument, o.Files, maxFiles)
	case o.MaxAttempts < 1:
		return fmt.Errorf("%w: WorkerOptions.MaxAttempts: got %d, want at least 1", ErrInvalidArgument, o.MaxAttempts)
	case o.AckWait > o.Lease:
		return fmt.Errorf("%w: WorkerOptions: got AckWait %v and Lease %v, want an AckWait that is no longer: jobs of a dead worker would wait after its claims have ended", ErrInvalidArgument, o.AckWait, o.Lease)
	case o.FleetParallel < 0 || o.FleetParallel > 0 && up.Parallel != 0:
		return fmt.Errorf("%w: WorkerOptions: got FleetParallel %d and Upload.Parallel %d, want one of them, and none below 0", ErrInvalidArgument, o.FleetParallel, up.Parallel)
	case o.FleetBandwidthLimit < 0 || o.FleetBandwidthLimit > 0 && up.BandwidthLimit != 0:
		return fmt.Errorf("%w: WorkerOptions: got FleetBandwidthLimit %d and Upload.BandwidthLimit %d, want one of them, and none below 0", ErrInvalidArgument, o.FleetBandwidthLimit, up.BandwidthLimit)
	case up.CheckpointDir != "":
		return fmt.Errorf("%w: WorkerOptions.Upload.CheckpointDir: got a directory, want none: other machines do not see it", ErrInvalidArgument)
	}
	if s, ok := up.Checkpoints.(checkpoint.Shared); up.Checkpoints != nil && (!ok || !s.Shared()) {
		return fmt.Errorf("%w: WorkerOptions.Upload.Checkpoints: got a %T, want a store that machines share (see checkpoint.Shared), or nil", ErrInvalidArgument, up.Checkpoints)
	}
	return nil
}

// schemes returns those that the worker has Openers for.
func (w *Worker) schemes() []string { return slices.Sorted(maps.Keys(w.opts.Openers)) }
