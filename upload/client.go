package upload

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/credentials"
	"github.com/vodupload/vodupload/upload/internal/filelist"
	"github.com/vodupload/vodupload/upload/internal/notify"
	"github.com/vodupload/vodupload/upload/internal/slots"
	"github.com/vodupload/vodupload/upload/internal/tasks"
	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// A Client uploads a list of files. All its methods may be called from any
// goroutine, and from within callbacks.
type Client struct {
	opts     Options
	store    checkpoint.Store
	ownStore bool // the store was opened by the client
	service  *transfer.Service
	slots    *slots.Budget
	gate     *credentials.Gate
	notify   notify.Queue
	workers  workers
	shared   sharedValues

	// mu guards the fields below. Only view takes it, never for I/O or a callback. A
	// function that needs it held ends in Locked, or is given the list.
	mu      sync.Mutex
	list    *filelist.List // the pointer never changes
	entries map[FileID]*entry
	readers readers
	start   startContext
	changed tasks.Signal // broadcast after each decision
}

// Format writes the name of c's type and nothing else, whatever the verb: c holds
// credentials. It takes no lock, since a client may be printed anywhere.
func (c *Client) Format(f fmt.State, _ rune) { fmt.Fprint(f, "upload.Client") }

// attrs are the attributes of a log line about a file.
func (c *Client) attrs(e *entry, more ...any) (attrs []any) {
	c.view(func(*filelist.List) {
		attrs = append([]any{"file", e.id, "path", e.path, "bucket", e.bucket, "object", e.object}, more...)
	})
	return attrs
}

// view calls fn with the client's lock held. fn may read the list and its entries, and
// change what no decision depends on. No other code takes the lock.
func (c *Client) view(fn func(*filelist.List)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fn(c.list)
}

// is returns what done does. It calls it as view does.
func (c *Client) is(done func(*filelist.List) bool) (is bool) {
	c.view(func(l *filelist.List) { is = done(l) })
	return is
}

// await waits until done returns true. It calls done as view does, at once and after
// each broadcast of s. The error is the cause of ctx's end.
func (c *Client) await(ctx context.Context, s *tasks.Signal, done func(*filelist.List) bool) error {
	for {
		changed := s.C()
		if c.is(done) {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// A startContext is the context of Start, while the client watches for its end.
type startContext struct {
	ctx          context.Context // nil: none is watched
	count        int             // how often the client was started
	stopWatching func() bool
}

func (s *startContext) ended() bool { return s.ctx != nil && s.ctx.Err() != nil }

// stop ends the watching.
func (s *startContext) stop() {
	if s.ctx != nil {
		s.stopWatching()
		s.ctx, s.stopWatching = nil, nil
	}
}

// sharedValues are shared by the files of a client. The client's lock guards shelf,
// entriesPeak, newWaits and destinations; the others need no lock.
type sharedValues struct {
	names        sourceNames
	sites        sites
	providers    providers
	shelf        shelf
	entriesPeak  int // see filelist.Shrink
	newWaits     newWaits
	destinations destinations
	counters     counters
	warnV1       atomic.Bool // not a sync.Once: the Logger may call what logs this
	following    following   // of a timetable
}
