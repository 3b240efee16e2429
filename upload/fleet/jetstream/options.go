package jetstream

import (
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"time"
)

// Options are what [Open] opens a store with. A nil *Options means all defaults.
type Options struct {
	// Namespace is the part of the engine that the store uses: one stream called
	// VU_<Namespace>. Stores of different namespaces share nothing. It has 1 to 64
	// letters, digits, "-" and "_". The default is "default".
	Namespace string

	// Holder names this process to others that find an upload claimed. The default is
	// the name of the machine and the number of the process.
	Holder string

	// Lease is how long a claim holds without a renewal, in whole seconds, at least one.
	// The holder renews it after a sixth of that time, and stops by itself after two
	// thirds. A process that dies keeps its claims from others for as long. It should be
	// above three elections of the servers, which take 4 to 9 s each, or a restart of
	// a server costs the claims. The default is 30 s.
	Lease time.Duration

	// Replicas is how many servers keep the stream, 1, 3 or 5. The default is 3 for a
	// stream that Open makes in a cluster and 1 for one on a single server; a stream that
	// exists is used as it is.
	Replicas int

	// SyncAlways says that all servers run with sync_interval: always, which a client
	// cannot see. The default is to log a warning, unless the server is one of package
	// embedded in this process.
	SyncAlways bool

	// Logger receives warnings. The default is [slog.Default].
	Logger *slog.Logger
}

const (
	defaultNamespace = "default"
	defaultLease     = 30 * time.Second
)

var namespaces = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// withDefaults returns the options with the defaults filled in, or what is wrong with
// them.
func (o *Options) withDefaults() (Options, error) {
	var d Options
	if o != nil {
		d = *o
	}
	if d.Namespace == "" {
		d.Namespace = defaultNamespace
	}
	if !namespaces.MatchString(d.Namespace) {
		return d, fmt.Errorf("jetstream: Options.Namespace is %q, want 1 to 64 letters, digits, - and _", d.Namespace)
	}
	if d.Lease == 0 {
		d.Lease = defaultLease
	}
	if d.Lease < time.Second || d.Lease%time.Second != 0 {
		return d, fmt.Errorf("jetstream: Options.Lease is %v, want whole seconds, at least one", d.Lease)
	}
	switch d.Replicas {
	case 0, 1, 3, 5:
	default:
		return d, fmt.Errorf("jetstream: Options.Replicas is %d, want 1, 3 or 5", d.Replicas)
	}
	if d.Holder == "" {
		d.Holder = thisProcess()
	}
	if d.Logger == nil {
		d.Logger = slog.Default()
	}
	return d, nil
}

func thisProcess() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown machine"
	}
	return fmt.Sprintf("process %d on %s", os.Getpid(), host)
}
