package upload

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// A Client uploads a list of files. All its methods may be called from any
// goroutine, and from within callbacks.
type Client struct {
	opts    Options
	service *transfer.Service
	store   checkpoint.Store
	ownsIt  bool // the store was opened by the client
	slots   *slots
	gate    *gate

	ctx        context.Context // of all that is not of one run; ends with Close
	end        context.CancelCauseFunc
	workers    sync.WaitGroup // runs, clean-ups, and those who ask providers
	callers    sync.WaitGroup // the goroutine that delivers events
	generation atomic.Uint64

	mu       sync.Mutex
	state    State
	why      error // of Stopped: why Start's context ended; nil after Stop
	detach   func() bool
	files    map[FileID]*file
	order    *list.List
	names    map[name4]FileID
	lastID   FileID
	waiting  queue // of the list
	solos    queue // of Upload
	active   int   // runs
	cleaning map[name4]<-chan struct{}
	changed  chan struct{}
	events   events
	rate     rate
}

// maxActive bounds the files that were started and have not ended. It is more than
// there are slots, so that files which wait for a token or to retry do not keep
// others from going on, and bounds what a list of any length costs.
const maxActive = 256

// New returns a client. A nil opts means the defaults. The error names the option
// that is wrong, or says why the directory of checkpoints cannot be made.
func New(opts *Options) (*Client, error) {
	o, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	c := &Client{
		opts:     o,
		files:    make(map[FileID]*file),
		order:    list.New(),
		names:    make(map[name4]FileID),
		cleaning: make(map[name4]<-chan struct{}),
		changed:  make(chan struct{}),
	}
	if err := c.openStore(); err != nil {
		return nil, err
	}
	c.ctx, c.end = context.WithCancelCause(context.Background())
	c.slots = newSlots(o.Parallel, c.slotIdle)
	c.gate = c.newGate(o.Credentials)
	c.gate.renewed = c.tokenRenewed
	c.service = transfer.NewService(transfer.Options{
		Wire:        c.wireOptions(),
		Checkpoints: c.store, Optional: o.CheckpointsOptional,
		PartSize: o.PartSize, Parallel: o.Parallel,
		Retry: transfer.RetryPolicy{Count: o.RetryCount, Interval: o.RetryInterval},
	})
	return c, nil
}

func (c *Client) wireOptions() transfer.WireOptions {
	w := transfer.WireOptions{
		HTTPClient: c.opts.HTTPClient, Parallel: c.opts.Parallel,
		StallTimeout: c.opts.StallTimeout, Logger: c.opts.Logger,
	}
	if c.opts.BandwidthLimit > 0 {
		w.Limiter = transfer.NewLimiter(c.opts.BandwidthLimit)
	}
	return w
}

// openStore opens the default directory of checkpoints unless a store was given.
func (c *Client) openStore() error {
	c.store = c.opts.Checkpoints
	if c.store != nil {
		return nil
	}
	c.ownsIt = true
	store, err := openDefaultStore(c.opts)
	if err == nil {
		c.store = store
		return nil
	}
	if !c.opts.CheckpointsOptional {
		return fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	c.opts.Logger.Warn("uploads will not survive the end of this process", "error", err)
	c.store = checkpoint.NewMemory()
	return nil
}

func (c *Client) newGate(p sts.Provider) *gate {
	return &gate{
		provider: p, wait: c.opts.TokenWait, background: c,
		generation: func() uint64 { return c.generation.Add(1) },
		warn:       func(msg string, err error) { c.opts.Logger.Warn(msg, "error", err) },
		renewed:    func() {},
	}
}

// goDo runs fn on a goroutine that Close waits for; false after Close.
func (c *Client) goDo(fn func(context.Context)) bool {
	if c.ctx.Err() != nil {
		return false
	}
	c.workers.Add(1)
	go func() {
		defer c.workers.Done()
		fn(c.ctx)
	}()
	return true
}

// notify wakes all who wait for a change. It is called with the lock held.
func (c *Client) notify() {
	close(c.changed)
	c.changed = make(chan struct{})
}

// await waits until done, which is called with the lock held, returns true.
func (c *Client) await(ctx context.Context, done func() bool) error {
	for {
		c.mu.Lock()
		ok, changed := done(), c.changed
		c.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Init gives the client its first credentials, as Options.Credentials would: a
// long-lived key, or a token that OnTokenExpired is called for when it expires. It
// replaces credentials that were given before.
func (c *Client) Init(creds sts.Credentials) error { return c.setToken("Init", creds) }

// ResumeWithToken gives the client a new token, and goes on with what waits for
// it, on the same uploads and without sending again what was acknowledged. It is
// the answer to OnTokenExpired, and may be called at any other time as well. The
// credentials that the server has just refused are refused here, too.
func (c *Client) ResumeWithToken(creds sts.Credentials) error {
	return c.setToken("ResumeWithToken", creds)
}

func (c *Client) setToken(call string, creds sts.Credentials) error {
	if err := c.open(); err != nil {
		return err
	}
	if err := c.gate.set(creds); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrInvalidArgument, call, err)
	}
	return nil
}

// SetToken gives one file its own credentials, in place of the client's, from its
// next request on: from OnStarted, or in answer to OnTokenExpired.
func (c *Client) SetToken(id FileID, creds sts.Credentials) error {
	f, err := c.find(id)
	if err != nil {
		return err
	}
	own := f.own.Load()
	if own == nil {
		own = c.newGate(nil)
	}
	if err := own.set(creds); err != nil {
		return fmt.Errorf("%w: SetToken: %w", ErrInvalidArgument, err)
	}
	f.own.CompareAndSwap(nil, own)
	f.given.give()
	return nil
}

// SetDestination gives a file that was added without a destination where to go.
func (c *Client) SetDestination(id FileID, endpoint, bucket, object string) error {
	target, err := c.parseTarget(endpoint, bucket, object)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	f, err := c.fileLocked(id)
	if err != nil {
		return err
	}
	if f.hasTarget {
		return fmt.Errorf("%w: SetDestination: the file goes to %s/%s already", ErrState, f.info.Bucket, f.info.Object)
	}
	spec := f.spec
	spec.Endpoint, spec.Bucket, spec.Object = endpoint, bucket, object
	key := nameOf(f.path, target)
	if other, ok := c.names[key]; ok {
		return fmt.Errorf("%w: %s to %s/%s, as file %v", ErrFileAlreadyExist, f.path, bucket, object, other)
	}
	delete(c.names, f.name())
	f.spec = spec
	f.setTarget(target)
	c.names[key] = f.id
	f.given.give()
	return nil
}

// open returns ErrClosed after Close.
func (c *Client) open() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state == Closed {
		return ErrClosed
	}
	return nil
}

// tokenExpired tells that a file met a token which is no longer accepted.
func (c *Client) tokenExpired(f *file, g *gate) {
	c.opts.Logger.Warn("token expired", c.attrs(f)...)
	c.mu.Lock()
	defer c.mu.Unlock()
	if g == c.gate {
		c.state, _ = c.state.next(doExpire)
		c.notify()
	}
	on := c.opts.Callbacks.OnTokenExpired
	if g.provider == nil {
		c.tell("OnTokenExpired", f, on != nil, func(e *event) { on(c, e.info) })
	}
}

// tokenRenewed is called when the client has a new token.
func (c *Client) tokenRenewed() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state, _ = c.state.next(doRenew)
	c.pump()
	c.notify()
}

// Close ends all that is under way and waits for it: at most Options.CleanupTimeout
// for what is done at the server, and as long for callbacks. Checkpoints stay, so
// that the next client resumes; files that were started and did not end fail with
// [ErrClosed]. The error says what did not end in time. A second call returns
// ErrClosed.
func (c *Client) Close() error {
	c.mu.Lock()
	to, err := c.state.next(doClose)
	if err != nil {
		c.mu.Unlock()
		return err
	}
	c.state = to
	c.stopWatching()
	for e := c.order.Front(); e != nil; e = e.Next() {
		f := e.Value.(*file)
		c.interrupt(f, toClose, ErrClosed)
		if !f.running() && f.begun {
			c.failed(f, newError(&f.info, ErrClosed))
			if f.stream != nil && f.resumed {
				c.cleanUp(f)
			}
		}
	}
	c.notify()
	c.mu.Unlock()

	return errors.Join(c.awaitAll(), c.release())
}

// awaitAll waits, not for ever, for what Close has ended. From within a callback it
// does not wait for the callbacks.
func (c *Client) awaitAll() error {
	ctx, cancel := context.WithTimeout(context.Background(), c.opts.CleanupTimeout)
	defer cancel()
	var late []string
	if c.await(ctx, func() bool { return c.active == 0 && len(c.cleaning) == 0 }) != nil {
		late = append(late, c.stillRunning())
	}
	c.end(ErrClosed)
	if !waitGroup(ctx, &c.workers) && len(late) == 0 {
		late = append(late, "the Provider of Options.Credentials does not heed its context")
	}
	if !c.inCallback() && !waitGroup(ctx, &c.callers) {
		c.mu.Lock()
		late = append(late, c.events.busyWith())
		c.mu.Unlock()
	}
	if len(late) == 0 {
		return nil
	}
	return fmt.Errorf("upload: Close gave up waiting after %v: %s", c.opts.CleanupTimeout, strings.Join(late, "; "))
}

// waitGroup waits for g until ctx ends.
func waitGroup(ctx context.Context, g *sync.WaitGroup) bool {
	done := make(chan struct{})
	go func() {
		g.Wait()
		close(done)
	}()
	select {
	case <-done:
		return true
	case <-ctx.Done():
		return false
	}
}

// release gives back what the client holds.
func (c *Client) release() error {
	c.service.CloseIdle()
	if c.ownsIt {
		return c.store.Close()
	}
	return nil
}

func (c *Client) stillRunning() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return fmt.Sprintf("%d files have not ended, %d are being cleaned up after", c.active, len(c.cleaning))
}

// attrs are what a log line about a file tells.
func (c *Client) attrs(f *file, more ...any) []any {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]any{"file", f.id, "path", f.info.Path, "bucket", f.info.Bucket, "object", f.info.Object}, more...)
}

// rate measures the bytes that the server acknowledges per second, over the last
// few seconds.
type rate struct {
	from  time.Time
	bytes [rateSeconds]int64
}

const rateSeconds = 8

func (r *rate) add(now time.Time, n int64) { r.bytes[r.at(now)] += n }

// at returns the bucket of now, and empties those that have passed since.
func (r *rate) at(now time.Time) int {
	if r.from.IsZero() {
		r.from = now
	}
	for now.Sub(r.from) >= rateSeconds*time.Second {
		if now.Sub(r.from) >= 2*rateSeconds*time.Second {
			*r = rate{from: now}
			return 0
		}
		copy(r.bytes[:], r.bytes[1:])
		r.bytes[rateSeconds-1] = 0
		r.from = r.from.Add(time.Second)
	}
	return int(now.Sub(r.from) / time.Second)
}

// perSecond returns bytes per second.
func (r *rate) perSecond(now time.Time) float64 {
	last := r.at(now)
	var sum int64
	for _, n := range r.bytes[:last+1] {
		sum += n
	}
	took := now.Sub(r.from).Seconds()
	if took < 0.001 {
		return 0
	}
	return float64(sum) / took
}
