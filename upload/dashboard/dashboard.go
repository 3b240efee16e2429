package dashboard

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"sync"

	"github.com/vodupload/vodupload/upload"
)

// Options are the settings of a [Dashboard]. The zero value of each field means its
// default.
type Options struct {
	// Recorder has seen what the client does, as its Options.Observer. The default is
	// none: then there is no map of a file's parts, and no list of failed requests.
	Recorder *Recorder

	// Control lets viewers pause and resume the client, cancel a file, try failed ones
	// again, and change how many requests are in flight. The default is to show only.
	Control bool

	// Admit decides who may look, and act where Control is set. It returns false after it
	// has answered the request. It is called for each request, that of a stream included,
	// and the rules about hosts and pages of other sites hold besides. For the rules of a
	// token server:
	//
	//	gate, err := appserver.NewGate(&appserver.Options{Authenticate: ...})
	//	...
	//	Admit: func(w http.ResponseWriter, r *http.Request) bool {
	//		_, ok := gate.Admit(w, r, "GET", "HEAD", "POST")
	//		return ok
	//	},
	//
	// The default admits requests from this machine, but none that a proxy on it has
	// passed on.
	Admit func(w http.ResponseWriter, r *http.Request) bool

	// Hosts are names under which the page may be asked for, without a port, besides
	// localhost and all addresses. Under any other name a page of somebody else's could
	// have it read by a visitor's browser (DNS rebinding). The default is none.
	Hosts []string

	// Sweeps say where leftovers are looked for when a viewer asks: see
	// [upload.Client.Sweep]. Each is a dry run, whatever it says itself. The default is
	// one that goes by the checkpoints of the client's store.
	Sweeps []upload.SweepOptions

	// Fleet returns what other machines do, for a client that is one of many; package
	// fleetpage has one for the queue of package fleet. It is asked
	// every 2 s while somebody looks, and given 5 s. The default is none.
	Fleet func(context.Context) (Fleet, error)
}

// A client is what a dashboard uses of an [upload.Client].
type client interface {
	Stats() upload.Stats
	Status() upload.State
	All() iter.Seq[upload.FileInfo]
	File(upload.FileID) (upload.FileInfo, error)
	Sweep(context.Context, upload.SweepOptions) ([]upload.Leftover, error)

	Pause() error
	Resume() error
	CancelFile(upload.FileID) error
	ResumeFile(upload.FileID) error
	SetParallel(int) error
}

// A Dashboard shows what a client does. It is an [http.Handler], for any prefix:
//
//	mux.Handle("/uploads/", http.StripPrefix("/uploads", d))
//
// Its methods may be called from any goroutine.
type Dashboard struct {
	client client
	opts   Options
	hub    *hub
	search searcher
	sweep  sweeper
	ended  context.Context
	end    context.CancelFunc
	files  map[string]asset

	mu    sync.Mutex // held to start tasks
	tasks sync.WaitGroup
}

// New returns a dashboard of a client. A nil opts means the defaults. The error is
// [upload.ErrInvalidArgument] or [upload.ErrMissingArgument], and names the option.
func New(c *upload.Client, opts *Options) (*Dashboard, error) {
	if c == nil {
		return nil, fmt.Errorf("%w: dashboard.New: got no client", upload.ErrMissingArgument)
	}
	return newDashboard(c, opts)
}

func newDashboard(c client, opts *Options) (*Dashboard, error) {
	d := &Dashboard{client: c, search: searcher{turn: newTurn()}, sweep: sweeper{turn: newTurn()}}
	if opts != nil {
		d.opts = *opts
	}
	if err := checkHosts(d.opts.Hosts); err != nil {
		return nil, err
	}
	if len(d.opts.Sweeps) == 0 {
		d.opts.Sweeps = []upload.SweepOptions{{}}
	}
	d.ended, d.end = context.WithCancel(context.Background())
	d.files = readAssets()
	d.hub = newHub(d.ended, newViews(c, &d.opts, d.run))
	return d, nil
}

// Close ends all streams, and waits for what was made for them. Later requests get 503.
// The client is not closed. An http.Server whose Shutdown is to end calls it by
// RegisterOnShutdown, since Shutdown waits for streams.
func (d *Dashboard) Close() {
	d.end()
	d.hub.wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tasks.Wait()
}

// Format writes the name of d's type and nothing else, whatever the verb: its client holds
// credentials.
func (d *Dashboard) Format(f fmt.State, _ rune) { fmt.Fprint(f, "dashboard.Dashboard") }

// run calls fn on a goroutine that Close waits for; after Close it does nothing.
func (d *Dashboard) run(fn func(context.Context)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended.Err() == nil {
		d.tasks.Go(func() { fn(d.ended) })
	}
}

// statusOf is the HTTP status for an error of the client.
func statusOf(err error) int {
	switch {
	case errors.Is(err, upload.ErrFileNotExist):
		return http.StatusNotFound
	case errors.Is(err, upload.ErrInvalidArgument):
		return http.StatusBadRequest
	case errors.Is(err, upload.ErrState), errors.Is(err, upload.ErrClosed):
		return http.StatusConflict
	}
	return http.StatusInternalServerError
}
