package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/vodupload/vodupload/sts/appserver"
)

// clients are who may ask, as their file says.
type clients struct {
	path     string
	logger   *slog.Logger
	validate func(appserver.Identity) error // by the policy of the tokens; nil until there is one

	seen  []byte // hash of the content that was looked at last, good or bad; empty if it could not be read
	known atomic.Pointer[func(*http.Request) (appserver.Identity, error)]
}

// openClients reads the file.
func openClients(path string, logger *slog.Logger) (*clients, error) {
	c := &clients{path: path, logger: logger}
	if err := c.load(); err != nil {
		return nil, err
	}
	return c, nil
}

// authenticate is [appserver.Options.Authenticate] by what the file says now.
func (c *clients) authenticate(r *http.Request) (appserver.Identity, error) {
	return (*c.known.Load())(r)
}

// load reads the file. What it said before holds on if that fails.
func (c *clients) load() error {
	data, err := readClients(c.path)
	if err != nil {
		c.seen = nil
		return fmt.Errorf("-clients: %w", err)
	}
	sum := sha256.Sum256(data)
	c.seen = sum[:]
	identities, err := appserver.ParseClients(data)
	if err != nil {
		return fmt.Errorf("-clients %s: %w", c.path, err)
	}
	if err := c.check(identities); err != nil {
		return err
	}
	authenticate, err := appserver.Bearer(identities)
	if err != nil {
		return fmt.Errorf("-clients %s: %w", c.path, err)
	}
	c.known.Store(&authenticate)
	if c.validate == nil {
		return nil // it is read once more before the server starts
	}
	warnIfReadable(c.logger, c.path)
	for _, id := range identities {
		if id.ObjectPrefix == "" {
			c.logger.Warn("a client has no ObjectPrefix: its tokens are for all that the policy allows", "file", c.path, "client", id.Name)
		}
	}
	return nil
}

// maxClients is how much the file may have, in bytes: several thousand clients.
const maxClients = 1 << 20

// readClients reads the whole file. A pipe would keep the watcher waiting, and could be
// read once only.
func readClients(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxClients+1))
	if len(data) > maxClients {
		err = fmt.Errorf("%s has more than %d bytes", path, maxClients)
	}
	return data, err
}

func (c *clients) check(identities map[string]appserver.Identity) error {
	if c.validate == nil {
		return nil
	}
	for _, id := range identities {
		if err := c.validate(id); err != nil {
			return fmt.Errorf("-clients %s: client %q: %w", c.path, id.Name, err)
		}
	}
	return nil
}

// changed reports whether the file has another content than when it was looked at last.
// It reads it all: it is small, and a file that is written twice within the resolution
// of its times would look the same.
func (c *clients) changed() bool {
	data, err := readClients(c.path)
	if err != nil {
		return len(c.seen) > 0
	}
	sum := sha256.Sum256(data)
	return !bytes.Equal(c.seen, sum[:])
}

// watch loads the file when it has changed, and when a signal arrives, until ctx ends.
func (c *clients) watch(ctx context.Context, tick <-chan time.Time, signals <-chan os.Signal) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-signals:
		case <-tick:
			if !c.changed() {
				continue
			}
		}
		if err := c.load(); err != nil {
			c.logger.Error("the clients stay as they were: their file cannot be used", "error", err)
			continue
		}
		c.logger.Info("the clients were read again", "file", c.path)
	}
}

// pollEvery is how long the file may have changed unnoticed.
const pollEvery = time.Second

// follow checks the clients against the policy of the tokens, and watches the file in a
// goroutine of its own until ctx ends or end is called.
func (c *clients) follow(ctx context.Context, validate func(appserver.Identity) error) (end func(), err error) {
	c.validate = validate
	if err := c.load(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	tick := time.NewTicker(pollEvery)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP)
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.watch(ctx, tick.C, signals)
	}()
	return func() {
		cancel()
		<-done
		signal.Stop(signals)
		tick.Stop()
	}, nil
}

// warnIfReadable warns of a file with secrets that every user of the machine can read,
// where the system has such rights.
func warnIfReadable(logger *slog.Logger, path string) {
	info, err := os.Stat(path)
	if err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o004 != 0 {
		logger.Warn("every user of this machine can read the file with secrets: take the right to read away from others (chmod 600)", "file", path)
	}
}
