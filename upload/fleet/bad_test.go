package fleet_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/vodupload/vodupload/upload/fleet"
)

// TestBadEngine has queues and workers given what they cannot use.
func TestBadEngine(t *testing.T) {
	const version = "vodupload.fleet"
	for name, tt := range map[string]struct {
		connect func(t *testing.T, ns string) *nats.Conn
		want    error
		texts   []string
		store   bool // only a worker needs it
		silent  bool // no answer ever comes
	}{
		"no connection": {
			connect: func(*testing.T, string) *nats.Conn { return nil },
			want:    fleet.ErrMissingArgument, texts: []string{"the connection to NATS is nil"},
		},
		"a closed connection": {
			connect: func(t *testing.T, _ string) *nats.Conn { nc := connect(t); nc.Close(); return nc },
			want:    fleet.ErrNoEngine, texts: []string{"the connection to NATS is closed"},
		},
		"no server": {
			connect: func(t *testing.T, _ string) *nats.Conn {
				return dialed(t, "nats://127.0.0.1:1", nats.RetryOnFailedConnect(true))
			},
			want: fleet.ErrNoEngine, texts: []string{"no connection to NATS", "running (127.0.0.1:1)"}, silent: true,
		},
		"a password that is wrong": {
			connect: func(t *testing.T, _ string) *nats.Conn {
				url := serve(t, &server.Options{JetStream: true, Username: "u", Password: "right"})
				nc := dialed(t, url, nats.UserInfo("u", "secret"), nats.RetryOnFailedConnect(true), nats.ReconnectWait(time.Millisecond))
				await(t, "the server has refused it", func() bool { return errors.Is(nc.LastError(), nats.ErrAuthorization) })
				return nc
			},
			want: fleet.ErrNoEngine, texts: []string{"authorization violation"}, silent: true,
		},
		"a user who may do nothing": {
			connect: func(t *testing.T, _ string) *nats.Conn {
				url := serve(t, &server.Options{JetStream: true, Users: []*server.User{{Username: "u", Password: "secret", Permissions: &server.Permissions{
					Publish: &server.SubjectPermission{Allow: []string{"nothing"}},
				}}}})
				nc := dialed(t, url, nats.UserInfo("u", "secret"))
				if err := errors.Join(nc.Publish("$JS.API.INFO", nil), nc.Flush()); err != nil {
					t.Fatal(err)
				}
				return nc // with the refusal, which comes before the answer to Flush
			},
			want: fleet.ErrNoEngine, texts: []string{"permissions violation", "may this user publish to $JS.API.>"}, silent: true,
		},
		"a server without JetStream": {
			connect: func(t *testing.T, _ string) *nats.Conn { return dialed(t, serve(t, &server.Options{})) },
			want:    fleet.ErrNoEngine, texts: []string{"has no JetStream", "nats-server -js"},
		},
		"states of another version": {
			connect: withStream("VUJ_", jetstream.StreamConfig{Metadata: map[string]string{version: "2"}}),
			want:    fleet.ErrVersion, texts: []string{"VUJ_", `version "2"`, "update the program"},
		},
		"states of a server that is too old": {
			connect: withStream("VUJ_", jetstream.StreamConfig{Metadata: map[string]string{version: "1"}}),
			want:    fleet.ErrVersion, texts: []string{"VUJ_", "2.11 or later"},
		},
		"a queue that is not ours": {
			connect: withStream("VUQ_", jetstream.StreamConfig{}),
			want:    fleet.ErrVersion, texts: []string{"VUQ_", "not made by this package"},
		},
		"a stream with stale reads": {
			connect: withStream("VUD_", jetstream.StreamConfig{Metadata: map[string]string{version: "1"}, AllowDirect: true}),
			want:    fleet.ErrVersion, texts: []string{"VUD_", "allow_direct"},
		},
		"checkpoints that are not ours": {
			connect: withStream("VU_", jetstream.StreamConfig{}),
			want:    fleet.ErrVersion, texts: []string{"VU_", "not made by this package"}, store: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ns := namespace(t)
			nc := tt.connect(t, ns)
			files, err := fleet.Files(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			try := func(what string, call func(context.Context) error) {
				patience := 30 * time.Second
				if tt.silent {
					patience = 300 * time.Millisecond
				}
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				err := call(ctx)
				t.Logf("%s: %v", what, err)
				for _, text := range tt.texts {
					wantError(t, err, tt.want, text)
				}
				wantFactsOnce(t, err)
			}
			if !tt.store {
				try("NewQueue", func(ctx context.Context) error {
					_, err := fleet.NewQueue(ctx, nc, &fleet.QueueOptions{Namespace: ns})
					return err
				})
			}
			try("NewWorker", func(ctx context.Context) error {
				_, err := fleet.NewWorker(ctx, nc, &fleet.WorkerOptions{Namespace: ns, SyncAlways: true, Openers: map[string]fleet.Opener{"file": files}})
				return err
			})
		})
	}
}

// wantFactsOnce fails the test if a part of a text comes twice, or a secret at all.
func wantFactsOnce(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	seen := make(map[string]bool)
	for _, part := range strings.FieldsFunc(err.Error(), func(r rune) bool { return strings.ContainsRune(":;()", r) }) {
		if part = strings.TrimSpace(part); part != "" && seen[part] {
			t.Errorf("%q comes twice in %q", part, err)
		}
		seen[part] = true
	}
	if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "\n") {
		t.Errorf("it has a secret, or several lines: %q", err)
	}
}

func wantError(t *testing.T, got, want error, text string) {
	t.Helper()
	if got == nil || want != nil && !errors.Is(got, want) || !strings.Contains(strings.ToLower(got.Error()), strings.ToLower(text)) {
		t.Errorf("got %v, want %v that says %q", got, want, text)
	}
}

// serve starts a server of these options, and returns its address.
func serve(t *testing.T, o *server.Options) string {
	t.Helper()
	o.Host, o.Port, o.NoSigs, o.NoLog = "127.0.0.1", server.RANDOM_PORT, true, true
	if o.JetStream {
		o.StoreDir = t.TempDir()
	}
	s, err := server.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(time.Minute) {
		t.Fatal("the server does not start")
	}
	return s.ClientURL()
}

func dialed(t *testing.T, url string, o ...nats.Option) *nats.Conn {
	t.Helper()
	nc, err := dial(url, append(o, nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

// withStream connects to an engine that has a stream of this name and the namespace.
func withStream(name string, cfg jetstream.StreamConfig) func(*testing.T, string) *nats.Conn {
	return func(t *testing.T, ns string) *nats.Conn {
		t.Helper()
		nc := connect(t)
		js, err := jetstream.New(nc)
		if err != nil {
			t.Fatal(err)
		}
		cfg := cfg
		cfg.Name, cfg.Subjects = name+ns, []string{fmt.Sprintf("mine.%s.%s", name, ns)}
		if _, err := js.CreateStream(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
		return nc
	}
}
