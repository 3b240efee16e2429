package transfer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/vodupload/vodupload/upload/internal/outage"
	"github.com/vodupload/vodupload/upload/internal/target"
	"github.com/vodupload/vodupload/upload/internal/wire"
)

// lines are the endpoints of a service. Buckets at one endpoint share one.
type lines struct {
	mu  sync.Mutex
	all map[string]*line

	awayMu sync.Mutex // taken while a line's is held
	away   Away
}

// Away are the endpoints whose files are better not started: they are away, and somebody
// probes them already.
type Away struct {
	Version   int              // goes up with each change
	Endpoints map[string]error // why; never changes
	Outages   map[string]int   // their numbers; never changes
}

// Away returns those of now.
func (s *Service) Away() Away {
	s.lines.awayMu.Lock()
	defer s.lines.awayMu.Unlock()
	return s.lines.away
}

// set records why an endpoint is away, in which outage of it; nil: it is not.
func (ls *lines) set(endpoint string, outage int, away error) {
	ls.awayMu.Lock()
	defer ls.awayMu.Unlock()
	all, outages := maps.Clone(ls.away.Endpoints), maps.Clone(ls.away.Outages)
	if all == nil {
		all, outages = make(map[string]error), make(map[string]int)
	}
	delete(all, endpoint)
	delete(outages, endpoint)
	if away != nil {
		all[endpoint], outages[endpoint] = away, outage
	}
	ls.away = Away{ls.away.Version + 1, all, outages}
}

func (s *Service) lineTo(endpoint string) *line {
	s.lines.mu.Lock()
	defer s.lines.mu.Unlock()
	l := s.lines.all[endpoint]
	if l == nil {
		if s.lines.all == nil {
			s.lines.all = make(map[string]*line)
		}
		limit := s.opts.OutageWait
		if limit == 0 {
			limit = -1
		}
		l = &line{s: s, name: endpoint, end: outage.New(outage.Policy{Interval: s.opts.Retry.Interval, Limit: limit, Grace: s.opts.Wire.StallTimeout})}
		s.lines.all[endpoint] = l
	}
	return l
}

// A line is the way to one endpoint, and the queue of those that wait while it is away.
type line struct {
	s    *Service
	name string // of the endpoint

	mu       sync.Mutex
	end      *outage.Endpoint
	queue    []chan struct{}
	deserted bool // it is away, and nobody was there to probe
	timer    *time.Timer

	published bool // what the service knows
}

// publishLocked updates whether the service is to start files for the endpoint. It reports
// whether that has changed: then [Options].Changed is to be called, without a lock.
func (l *line) publishLocked() (changed bool) {
	away := l.end.Away() && !l.deserted
	if away == l.published {
		return false
	}
	l.published = away
	var why error
	if away {
		why = l.end.Err()
	}
	l.s.lines.set(l.name, l.end.Outage(), why)
	return true
}

// lost is why nothing gets through, and the number of the outage.
func (l *line) lost() (outage int, why error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.end.Outage(), l.end.Err()
}

// back reports whether the endpoint is not away.
func (l *line) back() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.end.Away()
}

// enter lets a request pass; early is whether it may probe before its time.
func (l *line) enter(early bool) (p outage.Pass, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if early {
		p, ok = l.end.EnterEarly(time.Now())
	} else {
		p, ok = l.end.Enter(time.Now())
	}
	if ok {
		l.deserted = false
		l.armLocked()
		l.publishLocked() // a caller that makes requests looks for files to start anyway
	}
	return p, ok
}

// leave records the end of a request. delay is the time to the next probe.
func (l *line) leave(p outage.Pass, q *outage.Request, r outage.Report) (v outage.Verdict, delay time.Duration) {
	l.mu.Lock()
	now := time.Now()
	v = l.end.Leave(p, q, r, now)
	delay = l.end.Delay(now)
	if v == outage.Back {
		l.wakeAllLocked()
	}
	l.armLocked()
	changed := l.publishLocked()
	l.mu.Unlock()
	if v == outage.Gone {
		l.s.wire.Reconnect()
	}
	l.s.changed(changed)
	return v, delay
}

// open reports whether a request may be made now.
func (l *line) open() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.end.Open(time.Now())
}

// wait waits until a request may be made.
func (l *line) wait(ctx context.Context) error {
	l.mu.Lock()
	if l.end.Open(time.Now()) {
		l.mu.Unlock()
		return nil
	}
	woken := make(chan struct{})
	l.queue = append(l.queue, woken)
	outage := l.end.Outage()
	l.deserted = false
	l.armLocked()
	changed := l.publishLocked()
	l.mu.Unlock()
	l.s.changed(changed)
	select {
	case <-woken:
	case <-ctx.Done():
		l.quit(woken)
		return context.Cause(ctx)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.end.TooLong(outage) {
		return &outageError{l.name, time.Since(l.end.Since()), l.end.Err()}
	}
	return nil
}

// quit takes one that waits no longer out of the queue. One that was woken to probe leaves
// that to the next.
func (l *line) quit(woken chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.Index(l.queue, woken); i >= 0 {
		l.queue = slices.Delete(l.queue, i, i+1)
	}
}

func (l *line) wakeAllLocked() {
	for _, woken := range l.queue {
		close(woken)
	}
	l.queue = nil
}

// armLocked sets the timer for the next tick.
func (l *line) armLocked() {
	at, ok := l.end.Next()
	switch {
	case !ok, l.deserted:
		if l.timer != nil {
			l.timer.Stop()
		}
	case l.timer == nil:
		l.timer = time.AfterFunc(time.Until(at), l.tick)
	default:
		l.timer.Reset(time.Until(at))
	}
}

// tick wakes the request that is to probe, or all of them. If none waits, nothing more
// happens until one is made, and files may be started again.
func (l *line) tick() {
	l.mu.Lock()
	one, tooLong := l.end.Tick(time.Now())
	switch {
	case tooLong:
		l.wakeAllLocked()
	case one && len(l.queue) == 0:
		l.deserted = true
	case one:
		close(l.queue[0])
		l.queue = l.queue[1:]
	}
	l.armLocked()
	changed := l.publishLocked()
	l.mu.Unlock()
	l.s.changed(changed)
}

func (s *Service) changed(away bool) {
	if away && s.opts.Changed != nil {
		s.opts.Changed()
	}
}

// An outageError ends a wait for an endpoint. Its cause is of a request of another part,
// or of another file: it is no answer to the request that waited.
type outageError struct {
	endpoint string
	lasted   time.Duration
	last     error
}

func (e *outageError) Error() string {
	return fmt.Sprintf("nothing got through to %s for %v (Options.OutageWait); the last attempt: %v", e.endpoint, e.lasted.Round(time.Millisecond), e.last)
}

// Unwrap returns what is below the last attempt's error.
func (e *outageError) Unwrap() error { return errors.Unwrap(e.last) }

// reportOf returns what a request's end says of its endpoint.
func reportOf(bucket string, err error) outage.Report {
	r := outage.Report{Bucket: bucket}
	if err == nil {
		r.Outcome = outage.Answered
		return r
	}
	we, ok := answer(err)
	switch {
	case !ok:
		return r
	case isGateway(we.Status):
		r.Outcome = outage.Lost
	case we.Status != 0:
		r.Outcome = outage.Answered
		return r
	case we.Class != wire.Retry || we.Source:
		return r
	default:
		r.Outcome = outage.Lost
	}
	var lookup *net.DNSError
	r.Name = errors.As(err, &lookup)
	r.Pause = min(we.Delay, maxAsked)
	r.Err = target.OneLine(we)
	return r
}

// AwaitEndpoint waits while the endpoint of a job is away: before the job's source is
// opened, since any number of files may wait.
func (s *Service) AwaitEndpoint(ctx context.Context, job *Job) error {
	var t turn
	defer func() { _ = t.endWait(nil) }()
	return s.callerFor(job).awaitLine(ctx, &t)
}
