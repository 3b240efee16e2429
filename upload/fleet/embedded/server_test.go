package embedded_test

import (
	"bytes"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"

	"github.com/vodupload/vodupload/upload/fleet/embedded"
)

const isWindows = runtime.GOOS == "windows"

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func run(t *testing.T, o embedded.Options) *embedded.Server {
	t.Helper()
	s, err := embedded.Run(&o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func connect(t *testing.T, s *embedded.Server) *nats.Conn {
	t.Helper()
	nc, err := s.Connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

func privateDir(t *testing.T) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "nats")
}

func put(t *testing.T, nc *nats.Conn, text string) {
	t.Helper()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateOrUpdateStream(t.Context(), jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := js.Publish(t.Context(), "s", []byte(text)); err != nil {
		t.Fatal(err)
	}
}

func TestRun(t *testing.T) {
	t.Run("keeps what it acknowledged, in a private folder", func(t *testing.T) {
		dir := privateDir(t)
		s, err := embedded.Run(&embedded.Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		nc, err := s.Connect()
		if err != nil {
			t.Fatal(err)
		}
		put(t, nc, "kept")
		nc.Close()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		for _, d := range []string{dir, filepath.Join(dir, "jetstream")} {
			if info, err := os.Stat(d); err != nil || info.Mode().Perm() != 0o700 && !isWindows {
				t.Errorf("%s: mode %v, error %v, want 0700", d, info.Mode(), err)
			}
		}

		nc = connect(t, run(t, embedded.Options{Dir: dir}))
		js, _ := jetstream.New(nc)
		st, err := js.Stream(t.Context(), "S")
		if err != nil {
			t.Fatal(err)
		}
		if m, err := st.GetLastMsgForSubject(t.Context(), "s"); err != nil || string(m.Data) != "kept" {
			t.Errorf("after a restart: %v, %v, want the message", m, err)
		}
	})
	t.Run("syncs always and limits memory", func(t *testing.T) {
		s := run(t, embedded.Options{Dir: privateDir(t), MaxMemory: 1 << 20, MaxStore: 2 << 20})
		c := embedded.Config(s)
		if !c.SyncAlways || c.MaxMemory != 1<<20 || c.MaxStore != 2<<20 {
			t.Errorf("JetStream runs with %+v, want SyncAlways, 1 MiB and 2 MiB", c)
		}
		if !s.SyncAlways() {
			t.Error("SyncAlways is false")
		}
		c = embedded.Config(run(t, embedded.Options{Dir: privateDir(t)}))
		if c.MaxMemory != 64<<20 || c.MaxStore != 16<<30 {
			t.Errorf("by default JetStream runs with %+v, want 64 MiB and 16 GiB", c)
		}
	})
	t.Run("listens nowhere by default", func(t *testing.T) {
		s := run(t, embedded.Options{Dir: privateDir(t)})
		if s.URL() != "" || embedded.Addr(s) != nil {
			t.Errorf("listens on %v, URL %q, want nowhere", embedded.Addr(s), s.URL())
		}
	})
	t.Run("lets others in with the password only", func(t *testing.T) {
		s := run(t, embedded.Options{Dir: privateDir(t), Addr: "127.0.0.1:0", User: "media", Password: "secret"})
		if !strings.HasPrefix(s.URL(), "nats://127.0.0.1:") {
			t.Errorf("URL is %q, want one of 127.0.0.1", s.URL())
		}
		if nc, err := nats.Connect(s.URL()); err == nil {
			nc.Close()
			t.Error("a client without password got in")
		}
		nc, err := nats.Connect(s.URL(), nats.UserInfo("media", "secret"))
		if err != nil {
			t.Fatal(err)
		}
		nc.Close()
		put(t, connect(t, s), "in this process")
	})
	t.Run("logs warnings and errors", func(t *testing.T) {
		var log bytes.Buffer
		s, err := embedded.Run(&embedded.Options{Dir: privateDir(t), Addr: "127.0.0.1:0", User: "media", Password: "secret",
			Logger: slog.New(slog.NewTextHandler(&log, nil))})
		if err != nil {
			t.Fatal(err)
		}
		if nc, err := nats.Connect(s.URL()); err == nil {
			nc.Close()
		}
		s.Close()
		if !strings.Contains(log.String(), "authentication error") {
			t.Errorf("log is %q, want the login that failed", log.String())
		}
	})
}

func TestRunErrors(t *testing.T) {
	shared := t.TempDir()
	if err := os.Chmod(shared, 0o777); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	taken := privateDir(t)
	s := run(t, embedded.Options{Dir: taken, Addr: "127.0.0.1:0"})
	port := strings.TrimPrefix(s.URL(), "nats://")

	for _, tt := range []struct {
		name string
		o    *embedded.Options
		want string
	}{
		{"no options", nil, "Dir is empty"},
		{"no folder", &embedded.Options{}, "Dir is empty"},
		{"a file as the folder", &embedded.Options{Dir: file}, "make the folder"},
		{"a folder of another server", &embedded.Options{Dir: taken}, "another server is running on"},
		{"an address without a port", &embedded.Options{Dir: privateDir(t), Addr: "127.0.0.1"}, `Options.Addr is "127.0.0.1"`},
		{"an address for everybody", &embedded.Options{Dir: privateDir(t), Addr: "0.0.0.0:0"}, "other machines can reach"},
		{"an address without a host", &embedded.Options{Dir: privateDir(t), Addr: ":4222"}, "want a host and a port"},
		{"a port in use", &embedded.Options{Dir: privateDir(t), Addr: port, ReadyTimeout: time.Second}, "address already in use"},
		{"a password without a user", &embedded.Options{Dir: privateDir(t), Password: "x"}, "one of User and Password"},
		{"a negative limit", &embedded.Options{Dir: privateDir(t), MaxStore: -1}, "negative limit"},
		{"a cluster without a name", &embedded.Options{Dir: privateDir(t), Cluster: &embedded.Cluster{Addr: "127.0.0.1:0"}}, "Cluster.Name"},
		{"a cluster that everybody reaches", &embedded.Options{Dir: privateDir(t), Name: "n1", Cluster: &embedded.Cluster{Name: "c", Addr: "0.0.0.0:0"}}, "other machines can reach"},
		{"a route that is no address", &embedded.Options{Dir: privateDir(t), Name: "n1", Cluster: &embedded.Cluster{Name: "c", Addr: "127.0.0.1:0", Routes: []string{"n2"}}}, "Cluster.Routes"},
		{"an address for the others that is none", &embedded.Options{Dir: privateDir(t), Name: "n1", Cluster: &embedded.Cluster{Name: "c", Addr: "127.0.0.1:0", Advertise: "n1"}}, "Cluster.Advertise"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := embedded.Run(tt.o)
			if err == nil {
				s.Close()
				t.Fatal("Run returned no error")
			}
			if !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error is %q, want one line with %q", err, tt.want)
			}
		})
	}
	t.Run("a folder that others may write to", func(t *testing.T) {
		if isWindows {
			t.Skip("folders have no mode on Windows")
		}
		if _, err := embedded.Run(&embedded.Options{Dir: shared}); err == nil || !strings.Contains(err.Error(), "chmod 700") {
			t.Errorf("error is %v, want one that says chmod 700", err)
		}
		if names, _ := fs.Glob(os.DirFS(shared), "*"); len(names) > 0 {
			t.Errorf("%v were written to the folder", names)
		}
	})
}
