package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/sts/appserver"
)

const (
	aliceToken = "token-of-alice-123"
	bobToken   = "token-of-bob-12345"
	alice      = `"` + aliceToken + `": {"Name": "alice", "ObjectPrefix": "in/alice/"}`
	bob        = `"` + bobToken + `": {"Name": "bob", "ObjectPrefix": "in/bob/"}`
)

// A watched is a clients file with a watcher that the test drives.
type watched struct {
	*clients
	log     *buffer
	tick    chan time.Time
	signals chan os.Signal
}

func watch(t *testing.T, text string) *watched {
	t.Helper()
	w := &watched{log: &buffer{}, tick: make(chan time.Time), signals: make(chan os.Signal)}
	var err error
	if w.clients, err = openClients(write(t, "clients.json", text), slog.New(slog.NewTextHandler(w.log, nil))); err != nil {
		t.Fatal(err)
	}
	w.validate = func(id appserver.Identity) error {
		if id.ObjectPrefix == "refused/" {
			return errors.New("the policy has no place for it")
		}
		return nil
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); w.watch(ctx, w.tick, w.signals) }()
	t.Cleanup(func() { cancel(); <-done })
	return w
}

// poll makes the watcher look, and waits until it has: it takes the second tick when it
// is through with the first.
func (w *watched) poll() {
	w.tick <- time.Time{}
	w.tick <- time.Time{}
}

func (w *watched) put(t *testing.T, text string) {
	t.Helper()
	if err := os.WriteFile(w.path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (w *watched) serves(token string) bool {
	r, _ := http.NewRequest(http.MethodGet, "http://127.0.0.1/", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	_, err := w.authenticate(r)
	return err == nil
}

// pipe puts a named pipe in the place of a file.
func pipe(path string) error {
	return errors.Join(os.Remove(path), exec.Command("mkfifo", path).Run())
}

func TestClientsAreReadAgain(t *testing.T) {
	t.Run("a client taken out is refused, the others are not", func(t *testing.T) {
		w := watch(t, "{"+alice+","+bob+"}")
		w.put(t, "{"+bob+"}")
		w.poll()
		if w.serves(aliceToken) || !w.serves(bobToken) {
			t.Errorf("alice is served: %t, bob: %t; log %s", w.serves(aliceToken), w.serves(bobToken), w.log)
		}
	})
	t.Run("a file of the same size and time is seen", func(t *testing.T) {
		w := watch(t, "{"+alice+"}")
		before, err := os.Stat(w.path)
		if err != nil {
			t.Fatal(err)
		}
		other := strings.Replace(aliceToken, "alice", "carol", 1)
		w.put(t, "{"+strings.Replace(alice, aliceToken, other, 1)+"}")
		if err := os.Chtimes(w.path, before.ModTime(), before.ModTime()); err != nil {
			t.Fatal(err)
		}
		w.poll()
		if w.serves(aliceToken) || !w.serves(other) {
			t.Errorf("the old content is in force; log %s", w.log)
		}
	})
	t.Run("a file put in its place is seen", func(t *testing.T) {
		w := watch(t, "{"+alice+"}")
		if err := os.Rename(write(t, "new.json", "{"+bob+"}"), w.path); err != nil {
			t.Fatal(err)
		}
		w.poll()
		if w.serves(aliceToken) || !w.serves(bobToken) {
			t.Errorf("the old file is in force; log %s", w.log)
		}
	})
	for name, text := range map[string]string{
		"broken": "{" + alice[:40], "with a short token": `{"short": {"Name": "x"}}`, "with a prefix that the policy refuses": `{"` + bobToken + `": {"Name": "bob", "ObjectPrefix": "refused/"}}`,
	} {
		t.Run("a file that is "+name+" changes nothing, and is logged once", func(t *testing.T) {
			w := watch(t, "{"+alice+"}")
			w.put(t, text)
			w.poll()
			w.poll()
			if !w.serves(aliceToken) || w.serves(bobToken) || strings.Count(w.log.String(), "level=ERROR") != 1 || strings.Contains(w.log.String(), aliceToken) {
				t.Errorf("alice is served: %t; log %s", w.serves(aliceToken), w.log)
			}
			w.put(t, "{"+bob+"}")
			w.poll()
			if w.serves(aliceToken) || !w.serves(bobToken) {
				t.Errorf("the mended file is not in force; log %s", w.log)
			}
		})
	}
	t.Run("a file that is gone changes nothing, and is logged once", func(t *testing.T) {
		w := watch(t, "{"+alice+"}")
		if err := os.Remove(w.path); err != nil {
			t.Fatal(err)
		}
		w.poll()
		w.poll()
		if !w.serves(aliceToken) || strings.Count(w.log.String(), "level=ERROR") != 1 {
			t.Errorf("alice is served: %t; log %s", w.serves(aliceToken), w.log)
		}
	})
	for name, put := range map[string]func(path string) error{
		"huge":   func(path string) error { return os.Truncate(path, 1<<40) },
		"empty":  func(path string) error { return os.Truncate(path, 0) },
		"folder": func(path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) },
		"pipe":   pipe,
	} {
		t.Run("a file that becomes "+name+" changes nothing, and is logged once", func(t *testing.T) {
			w := watch(t, "{"+alice+"}")
			if err := put(w.path); err != nil {
				t.Skipf("not here: %v", err)
			}
			w.poll()
			w.poll()
			if !w.serves(aliceToken) || strings.Count(w.log.String(), "level=ERROR") != 1 {
				t.Errorf("alice is served: %t; log %s", w.serves(aliceToken), w.log)
			}
		})
	}
	t.Run("nothing is logged without a change", func(t *testing.T) {
		w := watch(t, "{"+alice+"}")
		w.poll()
		if w.log.String() != "" {
			t.Errorf("log %s", w.log)
		}
	})
	t.Run("a client without a prefix is warned about", func(t *testing.T) {
		w := watch(t, "{"+alice+"}")
		w.put(t, `{"`+bobToken+`": {"Name": "bob"}}`)
		w.poll()
		if !strings.Contains(w.log.String(), "client=bob") {
			t.Errorf("log %s", w.log)
		}
	})
	t.Run("a file that everybody can read is warned about", func(t *testing.T) {
		if runtime.GOOS == "windows" {
			t.Skip("Windows has other rights")
		}
		w := watch(t, "{"+alice+"}")
		if err := os.Chmod(w.path, 0o644); err != nil {
			t.Fatal(err)
		}
		w.signals <- os.Interrupt // any will do
		w.poll()
		if !strings.Contains(w.log.String(), "chmod 600") {
			t.Errorf("log %s", w.log)
		}
	})
}

// The whole program: a signal, a client taken out, no more tokens.
func TestClientTakenOutGetsNoToken(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no signal that a test can send to one process")
	}
	file := filepath.Join(t.TempDir(), "clients.json")
	put := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("{" + alice + "," + bob + "}")
	p := start(t, nil, "-embedded", "-clients", file)
	as := func(token string) error {
		_, err := p.token(&sts.HTTPOptions{Prepare: func(r *http.Request) error {
			r.Header.Set("Authorization", "Bearer "+token)
			return nil
		}})
		return err
	}
	if err := as(aliceToken); err != nil {
		t.Fatal(err)
	}
	put("{" + bob + "}")
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	p.logs("were read again") // it has no other way to say so
	if err := as(aliceToken); err == nil || !strings.Contains(err.Error(), "Unauthenticated") {
		t.Errorf("alice: %v; want Unauthenticated", err)
	}
	if err := as(bobToken); err != nil {
		t.Errorf("bob: %v", err)
	}
}

func TestClientsThatThePolicyRefuses(t *testing.T) {
	server := []string{"-embedded", "-clients", write(t, "clients.json", "{"+alice+"}"), "-config", configFile(t, "bucket_read_write", "all")}
	var out, log buffer
	if status := run(t.Context(), server, &out, &log); status != 1 || !strings.Contains(log.String(), `client "alice"`) || !strings.Contains(log.String(), "narrowed") {
		t.Errorf("status %d: %s", status, log.String())
	}
}

func TestPlainHTTPIsWarnedAbout(t *testing.T) {
	for addr, warned := range map[string]bool{"0.0.0.0:0": true, ":0": true, "127.0.0.1:0": false} {
		for cert, warned := range map[string]bool{"": warned, "cert.pem": false} {
			log := &buffer{}
			s := &settings{addr: addr, cert: cert}
			s.opts.Logger = slog.New(slog.NewTextHandler(log, nil))
			s.warn()
			if got := strings.Contains(log.String(), "in the clear"); got != warned {
				t.Errorf("%s, certificate %q: warned is %t, want %t: %s", addr, cert, got, warned, log)
			}
		}
	}
}
