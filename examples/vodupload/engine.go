package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/spf13/pflag"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/fleet"
)

const fleetHelp = `The queue is kept by NATS servers with JetStream: give their addresses by --nats or NATS_URL. A
server that keeps what it has acknowledged through a loss of power has
"sync_interval: always" in its configuration.`

// engineFlags say where the queue is.
type engineFlags struct {
	server, creds    string
	namespace, queue string
}

func (f *engineFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.server, "nats", "", "`URLS` of the NATS servers, with commas between (default: NATS_URL, or nats://127.0.0.1:4222)")
	flags.StringVar(&f.creds, "nats-creds", "", "`FILE` with the credentials for NATS (default: NATS_CREDS)")
	flags.StringVar(&f.namespace, "namespace", "", "`NAME` of the fleet, where several share servers (default \"default\")")
	flags.StringVar(&f.queue, "queue", "", "`NAME` of the queue (default \"main\")")
}

// An engineError is about the servers of the queue.
type engineError struct {
	server string // without a password
	err    error
}

func (e engineError) Error() string {
	return fmt.Sprintf("queue at %s: %v: start a server with nats-server -js, or give --nats", e.server, e.err)
}

func (e engineError) Unwrap() []error { return []error{e.err, context.DeadlineExceeded} } // it may pass

// dial connects to the servers.
func (a *app) dial(ctx context.Context, f engineFlags) (*nats.Conn, error) {
	fromEnv, _ := a.lookup("NATS_URL")
	server := cmp.Or(f.server, fromEnv, nats.DefaultURL)
	options := []nats.Option{nats.Name("vodupload"), nats.MaxReconnects(-1), nats.Timeout(5 * time.Second)}
	creds, _ := a.lookup("NATS_CREDS")
	if creds = cmp.Or(f.creds, creds); creds != "" {
		if _, err := os.Stat(creds); err != nil {
			return nil, usageError{fmt.Errorf("credentials for NATS: %w", err)}
		}
		options = append(options, nats.UserCredentials(creds))
	}
	nc, err := within(ctx, func() (*nats.Conn, error) { return nats.Connect(server, options...) })
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, engineError{withoutPasswords(server), err}
	}
	return nc, nil
}

// withoutPasswords hides what comes before the host of each URL.
func withoutPasswords(urls string) string {
	var all []string
	for one := range strings.SplitSeq(urls, ",") {
		if u, err := url.Parse(strings.TrimSpace(one)); err == nil && u.Host != "" {
			one = u.Scheme + "://" + u.Host
		} else if _, host, found := strings.Cut(one, "@"); found {
			one = host
		}
		all = append(all, one)
	}
	return strings.Join(all, ",")
}

// openQueue returns the queue. The caller must close the connection.
func (a *app) openQueue(ctx context.Context, f engineFlags) (*fleet.Queue, *nats.Conn, error) {
	nc, err := a.dial(ctx, f)
	if err != nil {
		return nil, nil, err
	}
	q, err := fleet.NewQueue(ctx, nc, &fleet.QueueOptions{Namespace: f.namespace, Name: f.queue})
	if err != nil {
		nc.Close()
		return nil, nil, ofFleet(ctx, err, nc)
	}
	return q, nc, nil
}

// ofFleet returns an error of the fleet as one of the command. Where ctx has ended, that is
// the reason.
func ofFleet(ctx context.Context, err error, nc *nats.Conn) error {
	switch {
	case err == nil:
		return nil
	case context.Cause(ctx) != nil:
		return context.Cause(ctx)
	case errors.Is(err, fleet.ErrNoEngine):
		return engineError{withoutPasswords(nc.ConnectedUrlRedacted()), err}
	case errors.Is(err, upload.ErrInvalidArgument), errors.Is(err, upload.ErrMissingArgument), errors.Is(err, fleet.ErrVersion):
		return usageError{err}
	}
	return err
}
