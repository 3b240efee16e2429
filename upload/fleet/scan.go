package fleet

import (
	"context"
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

// read yields the messages of a stream, flat in memory. They come from whichever replica
// is near, which may be a moment behind the leader.
func (e *engine) read(ctx context.Context, s jetstream.Stream, q scan) iter.Seq2[message, error] {
	return func(yield func(message, error) bool) {
		cfg := jetstream.OrderedConsumerConfig{FilterSubjects: q.subjects, DeliverPolicy: jetstream.DeliverLastPerSubjectPolicy}
		if q.from > 0 {
			cfg.DeliverPolicy, cfg.OptStartSeq = jetstream.DeliverByStartSequencePolicy, q.from
		}
		fail := func(err error) { yield(message{}, e.explain(ctx, "read stream "+s.CachedInfo().Config.Name, err)) }
		c, err := s.OrderedConsumer(ctx, cfg)
		if err != nil {
			fail(err)
			return
		}
		if info := c.CachedInfo(); !q.follow && info != nil && info.NumPending == 0 {
			return
		}
		it, err := c.Messages(jetstream.PullMaxMessages(256), jetstream.PullExpiry(10*time.Second), jetstream.PullHeartbeat(2*time.Second))
		if err != nil {
			fail(err)
			return
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
				fail(a.err)
				return
			}
			msg := a.msg
			meta, err := msg.Metadata()
			if err != nil {
				fail(err)
				return
			}
			m := message{meta.Sequence.Stream, msg.Headers(), msg.Data()}
			if !yield(m, nil) || !q.follow && meta.NumPending == 0 {
				return
			}
		}
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
