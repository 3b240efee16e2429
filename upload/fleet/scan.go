package fleet

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// A scan is how messages of a stream are read in order.
type scan struct {
	subjects []string
	from     uint64 // the first sequence; 0: the last message of each subject
	follow   bool   // continue with what is written later, until the context ends
}

// readTries is how often in a row a read may fail before it has reached the stream, or at
// all if it does not follow: with two of three servers, one of the tries is answered.
const readTries = 3

// read yields the messages of a stream, flat in memory. They come from whichever replica
// is near, which may be a moment behind the leader. A read that follows waits for servers
// that are away.
//
// Each try makes a consumer of a new name. The cluster may place a consumer on a server
// that has just died, without knowing it yet, and then answers no request for that name
// until the server is back.
func (e *engine) read(ctx context.Context, s jetstream.Stream, q scan) iter.Seq2[message, error] {
	return func(yield func(message, error) bool) {
		began := false
		for tries := 1; ; tries++ {
			reached, next, err := e.readOnce(ctx, s, q, yield)
			if err == nil {
				return
			}
			began = began || reached
			if next != q.from {
				q.from, tries = next, 0
			}
			if began && q.follow && ctx.Err() != nil { // nobody need be blamed: it has waited for as long as it was to
				yield(message{}, fmt.Errorf("fleet: follow stream %s: %w", s.CachedInfo().Config.Name, context.Cause(ctx)))
				return
			}
			limited := !q.follow || !began
			if ctx.Err() != nil || limited && tries >= readTries || !e.mayPass(err) || sleep(ctx, 100*time.Millisecond) != nil {
				yield(message{}, e.explain(ctx, "read stream "+s.CachedInfo().Config.Name, err))
				return
			}
		}
	}
}

// mayPass reports whether an error of a read is one of servers that are away, or of a
// consumer that is gone with one.
func (e *engine) mayPass(err error) bool {
	var api *jetstream.APIError
	if errors.As(err, &api) {
		return api.Code >= 500 || api.ErrorCode == jetstream.JSErrCodeConsumerNotFound
	}
	return !e.nc.IsClosed()
}

// readOnce reads with one consumer, and returns whether it could be made, where to read
// next, and why not all was read; nil if all was, or nobody wants more.
func (e *engine) readOnce(ctx context.Context, s jetstream.Stream, q scan, yield func(message, error) bool) (began bool, next uint64, err error) {
	cfg := jetstream.OrderedConsumerConfig{
		FilterSubjects:   q.subjects,
		DeliverPolicy:    jetstream.DeliverLastPerSubjectPolicy,
		MaxResetAttempts: 1, // under the same name
	}
	if q.from > 0 {
		cfg.DeliverPolicy, cfg.OptStartSeq = jetstream.DeliverByStartSequencePolicy, q.from
	}
	c, err := s.OrderedConsumer(ctx, cfg)
	if err != nil {
		return false, q.from, err
	}
	if info := c.CachedInfo(); !q.follow && info != nil && info.NumPending == 0 {
		return true, q.from, nil
	}
	it, err := c.Messages(jetstream.PullMaxMessages(256), jetstream.PullExpiry(10*time.Second), jetstream.PullHeartbeat(2*time.Second))
	if err != nil {
		return true, q.from, err
	}
	arrived, end := arriving(ctx, it)
	defer end()
	for {
		var a arrival
		select {
		case a = <-arrived:
		case <-ctx.Done():
			a.err = context.Cause(ctx)
		}
		if a.err != nil {
			return true, q.from, a.err
		}
		meta, err := a.msg.Metadata()
		if err != nil {
			return true, q.from, err
		}
		m := message{sequence: meta.Sequence.Stream, header: a.msg.Headers(), data: a.msg.Data()}
		if !yield(m, nil) || !q.follow && meta.NumPending == 0 {
			return true, q.from, nil
		}
		q.from = m.sequence + 1
	}
}

// An arrival is a message, or why there are no more.
type arrival struct {
	msg jetstream.Msg
	err error
}

// arriving passes on what it has, until end is called. A goroutine waits for it: while the
// servers are away, Next waits for them and not for its context.
func arriving(ctx context.Context, it jetstream.MessagesContext) (arrived <-chan arrival, end func()) {
	ctx, end = context.WithCancel(ctx)
	context.AfterFunc(ctx, it.Stop)
	ch := make(chan arrival)
	go func() {
		for {
			msg, err := it.Next(jetstream.NextContext(ctx))
			select {
			case ch <- arrival{msg, err}:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	return ch, end
}

// jobs yields the states of jobs.
func (e *engine) jobs(ctx context.Context, q scan) iter.Seq2[JobInfo, error] {
	return func(yield func(JobInfo, error) bool) {
		for m, err := range e.read(ctx, e.states, q) {
			var info JobInfo
			if err == nil {
				info, err = decode(m.data, m.sequence)
			}
			if !yield(info, err) || err != nil {
				return
			}
		}
	}
}

// bellsOf returns how many messages each subject of the queue with this first digit has.
func (e *engine) bellsOf(ctx context.Context, queue string, digit string) (map[string]uint64, error) {
	info, err := e.bells.Info(ctx, jetstream.WithSubjectFilter("vuq."+e.ns+".q."+queue+"."+digit+".*"))
	if err != nil {
		return nil, e.explain(ctx, fmt.Sprintf("list queue %s", queue), err)
	}
	return info.State.Subjects, nil
}
