package jetstream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/vodupload/vodupload/upload/fleet/internal/natsconn"
)

// openTimeout is how long Open waits for the servers if its context has no deadline: an
// election or two.
const openTimeout = 20 * time.Second

// Open opens the store of a namespace, and makes its stream if there is none. The
// connection stays the caller's: it has to stay open as long as the store, should
// reconnect for ever (nats.MaxReconnects(-1)), and is made to connect to another server
// when the one it has stops answering.
//
// A stream that is there and is not what the store needs is an [ErrStream]; it is left
// as it is. Servers that do not answer within 20 s, or until ctx ends, are an error.
func Open(ctx context.Context, nc *nats.Conn, o *Options) (*Store, error) {
	opts, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if nc == nil {
		return nil, errors.New("jetstream: Open needs a connection, got nil")
	}
	if nc.IsClosed() {
		return nil, errors.New("jetstream: the connection to NATS is closed: connect again")
	}
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()

	js, err := jetstream.New(nc)
	if err != nil {
		return nil, fmt.Errorf("jetstream: %w", err)
	}
	e := &engine{nc: nc, js: js, log: opts.Logger}
	if err := e.openStream(ctx, opts); err != nil {
		return nil, openError(nc, err)
	}
	if !opts.SyncAlways && !inProcessSynced(nc) {
		opts.Logger.Warn("jetstream: it is not known whether the NATS servers sync what they acknowledge: set sync_interval: always in their configuration, and then Options.SyncAlways",
			"server", nc.ConnectedUrlRedacted(), "stream", e.name)
	}
	return newStore(e, opts), nil
}

// openStream finds the stream or makes it.
func (e *engine) openStream(ctx context.Context, o Options) error {
	replicas := o.Replicas
	if replicas == 0 {
		replicas = 1
		if e.nc.ConnectedClusterName() != "" {
			replicas = 3
		}
	}
	e.name = wantStream(o.Namespace, 0).Name
	if err := e.hasJetStream(ctx); err != nil {
		return err
	}
	err := e.do(ctx, func(ctx context.Context) (err error) {
		e.stream, err = e.js.Stream(ctx, e.name)
		return err
	})
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		err = e.createStream(ctx, wantStream(o.Namespace, replicas))
	}
	if err != nil {
		return err
	}
	return checkStream(e.stream.CachedInfo().Config, wantStream(o.Namespace, o.Replicas))
}

// hasJetStream returns an error if the server, or the account, has no JetStream.
func (e *engine) hasJetStream(ctx context.Context) error {
	return e.do(ctx, func(ctx context.Context) error {
		_, err := e.js.AccountInfo(ctx)
		switch {
		case errors.Is(err, nats.ErrNoResponders):
			return jetstream.ErrJetStreamNotEnabled
		case errors.Is(err, context.DeadlineExceeded) && errors.Is(e.nc.LastError(), nats.ErrPermissionViolation):
			return e.nc.LastError() // the server answers nothing else
		}
		return err
	})
}

// createStream makes the stream. Another process may make it at the same time, and nodes
// that start may not know each other yet.
func (e *engine) createStream(ctx context.Context, want jetstream.StreamConfig) error {
	for {
		err := e.do(ctx, func(ctx context.Context) (err error) {
			e.stream, err = e.js.CreateStream(ctx, want)
			if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
				e.stream, err = e.js.Stream(ctx, e.name)
			}
			return err
		})
		if code(err) != natsconn.ClusterNoPeers {
			return err
		}
		if sleep(ctx, longPause) != nil {
			return err
		}
	}
}

// inProcessSynced reports whether the server is one of package embedded in this process,
// which syncs what it acknowledges.
func inProcessSynced(nc *nats.Conn) bool {
	s, ok := nc.Opts.InProcessServer.(interface{ SyncAlways() bool })
	return ok && s.SyncAlways()
}

// openError says what to do about an error of Open.
func openError(nc *nats.Conn, err error) error {
	server := nc.ConnectedUrlRedacted()
	if server == "" {
		server = "no server"
	}
	switch {
	case errors.Is(err, ErrStream):
		return err
	case errors.Is(err, jetstream.ErrJetStreamNotEnabled):
		return fmt.Errorf("jetstream: the NATS server %s has no JetStream: enable it in its configuration: %w", server, err)
	case errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount):
		return fmt.Errorf("jetstream: the NATS account has no JetStream: enable it for the account: %w", err)
	case errors.Is(nc.LastError(), nats.ErrPermissionViolation):
		return fmt.Errorf("jetstream: the NATS user may not use JetStream or the stream: %w", nc.LastError())
	case !nc.IsConnected():
		if last := nc.LastError(); last != nil {
			err = fmt.Errorf("%w; the last error of the connection: %w", err, last)
		}
		return fmt.Errorf("jetstream: there is no connection to a NATS server (tried %d): %w", len(nc.Servers()), err)
	case code(err) == natsconn.ClusterNoPeers:
		return fmt.Errorf("jetstream: too few NATS servers are running for the replicas of the stream: start them, or set Options.Replicas: %w", err)
	}
	return fmt.Errorf("jetstream: open the stream at %s: %w", server, err)
}
