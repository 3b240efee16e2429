package jetstream_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/vodupload/vodupload/upload/fleet/embedded"
	"github.com/vodupload/vodupload/upload/fleet/jetstream"
)

// plain runs a server as an operator could configure one.
func plain(t *testing.T, o server.Options) *server.Server {
	t.Helper()
	o.Host, o.Port, o.NoSigs, o.NoLog = "127.0.0.1", server.RANDOM_PORT, true, true
	if o.JetStream {
		o.StoreDir = filepath.Join(t.TempDir(), "nats")
	}
	s, err := server.NewServer(&o)
	if err != nil {
		t.Fatal(err)
	}
	go s.Start()
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	if !s.ReadyForConnections(time.Minute) {
		t.Fatal("server is not ready")
	}
	return s
}

func dial(t *testing.T, s *server.Server, options ...nats.Option) *nats.Conn {
	t.Helper()
	nc, err := nats.Connect(s.ClientURL(), options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

func silent(*nats.Conn, *nats.Subscription, error) {}

func TestOpenErrors(t *testing.T) {
	t.Parallel()
	good := connect(t, node)
	closed := connect(t, node)
	closed.Close()
	for _, tt := range []struct {
		name string
		nc   *nats.Conn
		o    *jetstream.Options
		want []string

		silent bool // no answer comes
	}{
		{"no connection", nil, nil, []string{"needs a connection"}, false},
		{"a closed connection", closed, nil, []string{"connection to NATS is closed"}, false},
		{"a namespace with a dot", good, &jetstream.Options{Namespace: "a.b"}, []string{`Options.Namespace is "a.b"`}, false},
		{"a namespace that is too long", good, &jetstream.Options{Namespace: strings.Repeat("n", 65)}, []string{"1 to 64"}, false},
		{"a lease that is too short", good, &jetstream.Options{Lease: time.Millisecond}, []string{"Options.Lease is 1ms", "at least one"}, false},
		{"a lease of half a second more", good, &jetstream.Options{Lease: 1500 * time.Millisecond}, []string{"whole seconds"}, false},
		{"a negative lease", good, &jetstream.Options{Lease: -time.Second}, []string{"Options.Lease is -1s"}, false},
		{"two replicas", good, &jetstream.Options{Replicas: 2}, []string{"Options.Replicas is 2", "1, 3 or 5"}, false},
		{"three replicas on one server", good, &jetstream.Options{Namespace: "three", Replicas: 3}, []string{"replicas > 1 not supported"}, false},
		{"a server without JetStream", dial(t, plain(t, server.Options{})), nil, []string{"has no JetStream", "enable it"}, false},
		{"no server", noServer(t), nil, []string{"no connection to a NATS server", "tried 1"}, true},
		{"a user who may not use JetStream", forbidden(t), nil, []string{"may not use JetStream", "$JS.API.INFO"}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			patience := time.Minute
			if tt.silent {
				patience = time.Second
			}
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			s, err := jetstream.Open(ctx, tt.nc, tt.o)
			if err == nil {
				s.Close()
				t.Fatal("Open returned no error")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
					t.Errorf("error is %q, want one line with %q", err, want)
				}
			}
		})
	}
}

// noServer returns a connection that has no server yet.
func noServer(t *testing.T) *nats.Conn {
	t.Helper()
	nc, err := nats.Connect("nats://127.0.0.1:1", nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

// forbidden returns a connection of a user who may not publish to JetStream.
func forbidden(t *testing.T) *nats.Conn {
	t.Helper()
	s := plain(t, server.Options{JetStream: true, Users: []*server.User{{Username: "u", Password: "secret",
		Permissions: &server.Permissions{Publish: &server.SubjectPermission{Deny: []string{"$JS.>"}}}}}})
	nc := dial(t, s, nats.UserInfo("u", "secret"), nats.ErrorHandler(silent))
	if err := errors.Join(nc.Publish("$JS.API.INFO", nil), nc.Flush()); err != nil {
		t.Fatal(err)
	}
	return nc // with the refusal, which comes before the answer to Flush
}

func TestOpenOfAStreamThatExists(t *testing.T) {
	t.Parallel()
	nc := connect(t, node)
	js, err := natsjs.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		change func(*natsjs.StreamConfig)
		want   string // empty: it can be used
	}{
		{"as it should be", func(*natsjs.StreamConfig) {}, ""},
		{"with a description of the operator's", func(c *natsjs.StreamConfig) { c.Description = "ours" }, ""},
		{"of nobody", func(c *natsjs.StreamConfig) { c.Metadata = nil }, "was not made by this package"},
		{"of a later version", func(c *natsjs.StreamConfig) { c.Metadata["vodupload.version"] = "2" }, `has version "2", this release reads version "1"`},
		{"with other subjects", func(c *natsjs.StreamConfig) { c.Subjects = []string{c.Name + ".*.l"} }, "subjects is"},
		{"with a history", func(c *natsjs.StreamConfig) { c.MaxMsgsPerSubject = 5 }, "messages per subject is 5, want 1"},
		{"in memory", func(c *natsjs.StreamConfig) { c.Storage = natsjs.MemoryStorage }, "storage is Memory, want File"},
		{"without TTLs", func(c *natsjs.StreamConfig) { c.AllowMsgTTL = false }, "TTL of messages is false"},
		{"with direct reads", func(c *natsjs.StreamConfig) { c.AllowDirect = true }, "direct reads is true, want false"},
		{"with delete markers", func(c *natsjs.StreamConfig) { c.SubjectDeleteMarkerTTL = time.Hour }, "delete markers is 1h0m0s"},
		{"that forgets", func(c *natsjs.StreamConfig) { c.MaxAge = time.Hour }, "limit of age"},
		{"that drops the oldest", func(c *natsjs.StreamConfig) { c.MaxMsgs = 10; c.Discard = natsjs.DiscardOld }, "limit of messages"},
		{"that drops the oldest bytes", func(c *natsjs.StreamConfig) { c.MaxBytes = 1 << 20; c.Discard = natsjs.DiscardOld }, "limit of bytes"},
		{"that is full at some size", func(c *natsjs.StreamConfig) { c.MaxBytes = 1 << 20 }, ""},
		{"for small messages", func(c *natsjs.StreamConfig) { c.MaxMsgSize = 1000 }, "limit of message size is 1000"},
		{"that keeps everything", func(c *natsjs.StreamConfig) { c.DenyPurge, c.DenyDelete = true, true }, "deny delete is true, want false; deny purge"},
		{"that acknowledges nothing", func(c *natsjs.StreamConfig) { c.NoAck = true }, "no acks"},
		{"with a short window of duplicates", func(c *natsjs.StreamConfig) { c.Duplicates = time.Second }, "window of duplicates is 1s"},
		{"of a work queue", func(c *natsjs.StreamConfig) { c.Retention = natsjs.WorkQueuePolicy }, "retention is WorkQueue"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := &jetstream.Options{Namespace: namespace(), SyncAlways: true}
			config := jetstream.WantStream(o.Namespace)
			tt.change(&config)
			if _, err := js.CreateStream(t.Context(), config); err != nil {
				t.Fatal(err)
			}
			s, err := jetstream.Open(t.Context(), nc, o)
			if err == nil {
				s.Close()
			}
			if tt.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if !errors.Is(err, jetstream.ErrStream) || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error is %v, want ErrStream in one line with %q", err, tt.want)
			}
		})
	}
	t.Run("with another number of replicas", func(t *testing.T) {
		o := &jetstream.Options{Namespace: namespace(), SyncAlways: true}
		open(t, nc, *o)
		o.Replicas = 3
		if _, err := jetstream.Open(t.Context(), nc, o); !errors.Is(err, jetstream.ErrStream) || !strings.Contains(err.Error(), "replicas is 1, want 3") {
			t.Errorf("error is %v, want ErrStream with the replicas", err)
		}
		o.Replicas = 1
		open(t, nc, *o)
	})
}

func TestWarningAboutSync(t *testing.T) {
	t.Parallel()
	other := plain(t, server.Options{JetStream: true})
	for _, tt := range []struct {
		name string
		nc   *nats.Conn
		o    jetstream.Options
		want bool
	}{
		{"an embedded server is known to sync", connect(t, node), jetstream.Options{}, false},
		{"another server is not", dial(t, other), jetstream.Options{}, true},
		{"the operator knows it", dial(t, other), jetstream.Options{SyncAlways: true}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var log bytes.Buffer
			tt.o.Logger = slog.New(slog.NewTextHandler(&log, nil))
			tt.o.Namespace = namespace()
			s, err := jetstream.Open(t.Context(), tt.nc, &tt.o)
			if err != nil {
				t.Fatal(err)
			}
			s.Close()
			if got := strings.Contains(log.String(), "sync_interval"); got != tt.want {
				t.Errorf("log is %q, a warning about sync_interval: %v, want %v", log.String(), got, tt.want)
			}
		})
	}
}

// TestOpenByMany has the stream made by several processes at once.
func TestOpenByMany(t *testing.T) {
	t.Parallel()
	name := namespace()
	errs := make(chan error)
	for range 5 {
		nc := connect(t, node)
		go func() {
			store, err := jetstream.Open(t.Context(), nc, &jetstream.Options{Namespace: name})
			if err == nil {
				err = store.Close()
			}
			errs <- err
		}()
	}
	for range 5 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

var _ nats.InProcessConnProvider = (*embedded.Server)(nil)
