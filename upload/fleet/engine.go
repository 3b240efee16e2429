package fleet

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/vodupload/vodupload/upload/fleet/internal/natsconn"
)

// schema is the version of the streams and of what is in them.
const (
	schemaKey = "vodupload.fleet"
	schema    = "1"
)

// engineTimeout bounds calls to the engine whose context has no deadline. An election
// takes up to 9 s.
const engineTimeout = 15 * time.Second

var namespaceName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`)

// An engine is the three streams of a namespace: the states of the jobs, the messages
// that wake workers, and the dead jobs.
type engine struct {
	nc     *nats.Conn
	js     jetstream.JetStream
	ns     string
	states jetstream.Stream
	bells  jetstream.Stream
	dead   jetstream.Stream
	clock
}

// The subjects. All begin with "vuq.", the namespace and a letter.
func (e *engine) jobSubject(id string) string    { return "vuq." + e.ns + ".j." + id }
func (e *engine) workerSubject(id string) string { return "vuq." + e.ns + ".w." + id }
func (e *engine) reconcilerSubject() string      { return e.workerSubject("reconciler") }
func (e *engine) deadSubject(id string) string   { return "vuq." + e.ns + ".d." + id }

// bellSubject has the first digit of the upload's hash as a token of its own, so that the
// reconciler can look at a sixteenth of the queue at a time.
func (e *engine) bellSubject(queue, upload string) string {
	return "vuq." + e.ns + ".q." + queue + "." + upload[:1] + "." + upload
}

// openEngine finds or makes the streams of a namespace. replicas 0 is three in a cluster,
// and one on a single server.
func openEngine(ctx context.Context, nc *nats.Conn, ns string, replicas int) (*engine, error) {
	switch {
	case nc == nil:
		return nil, fmt.Errorf("%w: the connection to NATS is nil", ErrMissingArgument)
	case !namespaceName.MatchString(ns):
		return nil, fmt.Errorf("%w: Namespace: got %q, want 1 to 32 letters, digits, hyphens and underscores", ErrInvalidArgument, ns)
	case replicas < 0 || replicas > 5:
		return nil, fmt.Errorf("%w: Replicas: got %d, want 1 to 5, or 0 for the default", ErrInvalidArgument, replicas)
	case nc.IsClosed():
		return nil, fmt.Errorf("%w: the connection to NATS is closed%s", ErrNoEngine, lastError(nc))
	}
	if replicas == 0 {
		replicas = 1
		if nc.ConnectedClusterName() != "" {
			replicas = 3
		}
	}
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, fmt.Errorf("fleet: %w", err)
	}
	ctx, cancel := withTimeout(ctx)
	defer cancel()
	e := &engine{nc: nc, js: js, ns: ns}
	for _, s := range []struct {
		stream *jetstream.Stream
		cfg    jetstream.StreamConfig
	}{
		{&e.states, jetstream.StreamConfig{
			Name:              "VUJ_" + ns,
			Description:       "vodupload: states of jobs, workers",
			Subjects:          []string{e.jobSubject("*"), e.workerSubject("*")},
			MaxMsgsPerSubject: 1,
			AllowMsgTTL:       true,
		}},
		{&e.bells, jetstream.StreamConfig{
			Name:                 "VUQ_" + ns,
			Description:          "vodupload: messages that wake workers; the states are the truth",
			Subjects:             []string{"vuq." + ns + ".q.*.*.*"},
			Retention:            jetstream.WorkQueuePolicy,
			MaxMsgsPerSubject:    1,
			Discard:              jetstream.DiscardNew,
			DiscardNewPerSubject: true,
		}},
		{&e.dead, jetstream.StreamConfig{
			Name:              "VUD_" + ns,
			Description:       "vodupload: jobs that nobody tries again",
			Subjects:          []string{e.deadSubject("*")},
			MaxMsgsPerSubject: 1,
		}},
	} {
		s.cfg.Storage, s.cfg.Replicas = jetstream.FileStorage, replicas
		s.cfg.Metadata = map[string]string{schemaKey: schema}
		if *s.stream, err = e.ensure(ctx, s.cfg); err != nil {
			return nil, err
		}
	}
	_, _ = e.info(ctx) // for the clock
	return e, nil
}

// ensure returns the stream of this name if this version has made it, and makes it if
// there is none. An existing stream stays as it is, so that operators may change its
// replicas and limits. Nodes that have just been started, or lose their leader, do not
// answer at all: a request is then made again.
func (e *engine) ensure(ctx context.Context, cfg jetstream.StreamConfig) (s jetstream.Stream, err error) {
	for {
		doing := "look up stream " + cfg.Name
		err := e.ask(ctx, func(ctx context.Context) error { s, err = e.js.Stream(ctx, cfg.Name); return err })
		if err == nil {
			return s, checkStream(s.CachedInfo().Config, cfg)
		}
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			doing = fmt.Sprintf("make stream %s with %d replicas", cfg.Name, cfg.Replicas)
			err = e.ask(ctx, func(ctx context.Context) error { s, err = e.js.CreateStream(ctx, cfg); return err })
			if err == nil {
				return s, checkStream(s.CachedInfo().Config, cfg) // an old server leaves out what it does not know
			}
		}
		// Another process may have made it just now, or this one before an answer was lost.
		if !errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) || sleep(ctx, 50*time.Millisecond) != nil {
			return nil, e.explain(ctx, doing, err)
		}
	}
}

// info looks at the states, and at the clock of the servers.
func (e *engine) info(ctx context.Context, opts ...jetstream.StreamInfoOpt) (*jetstream.StreamInfo, error) {
	asked := e.own()
	info, err := e.states.Info(ctx, opts...)
	if err == nil {
		e.compare(info.TimeStamp, asked, e.own())
	}
	return info, err
}

// ask makes a request until it is answered, or ctx ends.
func (e *engine) ask(ctx context.Context, request func(context.Context) error) error {
	for {
		once, cancel := context.WithTimeout(ctx, 2*time.Second)
		err := request(once)
		cancel()
		if ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
	}
}

func checkStream(cfg, want jetstream.StreamConfig) error {
	switch version, ok := cfg.Metadata[schemaKey]; {
	case !ok:
		return fmt.Errorf("%w: stream %s was not made by this package: use another Namespace", ErrVersion, cfg.Name)
	case version != schema:
		return fmt.Errorf("%w: stream %s has version %q, this program understands %s: update the program, or use another Namespace", ErrVersion, cfg.Name, version, schema)
	case cfg.AllowDirect:
		return fmt.Errorf("%w: stream %s allows direct reads, which may be stale: set allow_direct to false", ErrVersion, cfg.Name)
	case want.AllowMsgTTL && !cfg.AllowMsgTTL:
		return fmt.Errorf("%w: messages of stream %s do not end by themselves: use NATS servers of version 2.11 or later, and set allow_msg_ttl", ErrVersion, cfg.Name)
	}
	return nil
}

// explain wraps an error of the engine, with what to do where that is known.
func (e *engine) explain(ctx context.Context, doing string, err error) error {
	var api *jetstream.APIError
	at := e.nc.ConnectedUrlRedacted()
	switch {
	case errors.Is(err, jetstream.ErrJetStreamNotEnabled), errors.Is(err, nats.ErrNoResponders):
		return fmt.Errorf("%w: %s: the server at %s has no JetStream, or its cluster no leader: start it with JetStream (nats-server -js): %w", ErrNoEngine, doing, at, err)
	case errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount):
		return fmt.Errorf("%w: %s: this account has no JetStream at %s: enable it for the account: %w", ErrNoEngine, doing, at, err)
	case errors.As(err, &api) && natsconn.IsWithoutLeader(api.ErrorCode):
		return fmt.Errorf("%w: %s: the servers around %s have no leader for it: is a majority of them up? %w", ErrNoEngine, doing, at, err)
	case errors.As(err, &api):
		return fmt.Errorf("fleet: %s: %w", doing, err)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, nats.ErrTimeout), errors.Is(err, nats.ErrConnectionClosed):
		if cause := context.Cause(ctx); errors.Is(cause, context.Canceled) {
			return fmt.Errorf("fleet: %s: %w", doing, cause)
		}
		if at == "" {
			return fmt.Errorf("%w: %s: no connection to NATS%s: is one of its servers running (%s)? %w", ErrNoEngine, doing, lastError(e.nc), strings.Join(servers(e.nc), ", "), err)
		}
		return fmt.Errorf("%w: %s: no answer from %s%s: is a majority of its servers up, and may this user publish to $JS.API.> and vuq.%s.>? %w", ErrNoEngine, doing, at, lastError(e.nc), e.ns, err)
	}
	return fmt.Errorf("fleet: %s: %w", doing, err)
}

// servers returns the addresses that the connection tries, without the passwords that their
// URLs may have.
func servers(nc *nats.Conn) (addrs []string) {
	for _, s := range nc.Servers() {
		if u, err := url.Parse(s); err == nil {
			addrs = append(addrs, u.Host)
		}
	}
	return addrs
}

// lastError returns what the connection has met last, for the end of a text.
func lastError(nc *nats.Conn) string {
	if err := nc.LastError(); err != nil {
		return " (" + err.Error() + ")"
	}
	return ""
}

// errConflict is returned by put where the subject has another message than expected.
var errConflict = errors.New("the state has changed meanwhile")

// put writes a message in place of the one of sequence expected, 0 for none, and returns
// its sequence. An answer may get lost, and a refusal may come from a write of one's own
// that is under way: the message is then repeated with the same ID, until its subject
// shows whose the last one is.
func (e *engine) put(ctx context.Context, subject string, data []byte, expected uint64, ttl time.Duration) (uint64, error) {
	id := rand.Text()
	opts := []jetstream.PublishOpt{jetstream.WithMsgID(id), jetstream.WithExpectLastSequencePerSubject(expected)}
	if ttl > 0 {
		opts = append(opts, jetstream.WithMsgTTL(ttl))
	}
	for pause := 20 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		ack, err := e.publish(ctx, subject, data, opts...)
		if err == nil {
			return ack.Sequence, nil
		}
		last, rerr := e.last(ctx, e.states, subject)
		switch {
		case rerr == nil && last.header.Get(jetstream.MsgIDHeader) == id:
			return last.sequence, nil
		case rerr == nil && last.sequence != expected:
			return 0, errConflict
		case !repeatable(err) || sleep(ctx, pause) != nil:
			return 0, err
		}
	}
}

// publish is one attempt: it does not wait longer than an election takes.
func (e *engine) publish(ctx context.Context, subject string, data []byte, opts ...jetstream.PublishOpt) (*jetstream.PubAck, error) {
	once, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	ack, err := e.js.Publish(once, subject, data, opts...)
	e.probe(ctx, err)
	return ack, err
}

// probe leaves a server that has not answered a request, and answers no ping.
func (e *engine) probe(ctx context.Context, err error) {
	if ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		natsconn.Probe(e.nc)
	}
}

// repeatable reports whether a write that failed may succeed later: the server did not
// answer, or it refused for a sequence that is right.
func repeatable(err error) bool {
	var api *jetstream.APIError
	if !errors.As(err, &api) {
		return !errors.Is(err, nats.ErrConnectionClosed) && !errors.Is(err, nats.ErrMaxPayload)
	}
	switch api.ErrorCode {
	case jetstream.JSErrCodeStreamWrongLastSequence, jetstream.JSErrCodeStreamWrongLastSequenceConstant:
		return true
	}
	return api.Code >= 500
}

// A message is what is stored at a subject; sequence 0: nothing is.
type message struct {
	sequence uint64
	written  time.Time // of last alone
	header   nats.Header
	data     []byte
}

// last returns the last message of a subject, from the leader of the stream.
func (e *engine) last(ctx context.Context, s jetstream.Stream, subject string) (message, error) {
	once, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	m, err := s.GetLastMsgForSubject(once, subject)
	e.probe(ctx, err)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return message{}, nil
	}
	if err != nil {
		return message{}, err
	}
	return message{m.Sequence, m.Time, m.Header, m.Data}, nil
}

// withTimeout bounds ctx by engineTimeout if it has no deadline.
func withTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, engineTimeout)
}

// sleep waits for d, or until ctx ends, and returns the cause of that.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
