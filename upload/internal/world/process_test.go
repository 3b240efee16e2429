package world

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/internal/memnet"
)

const (
	retryCount     = 3
	stallTimeout   = 30 * time.Second
	cleanupTimeout = 30 * time.Second
	tokenWait      = 3 * time.Minute
	outageWait     = 3 * time.Minute
)

// A process is a client with all that ties it to the world. Another one takes its place
// when it was closed or killed.
type process struct {
	w         *world
	host      *memnet.Host
	transport *http.Transport
	store     *tether
	client    *upload.Client
	rec       *recorder

	dead                 atomic.Bool  // it was killed: nothing that it does matters any more
	closed               atomic.Bool  // Close was called
	parallel, parallelAt atomic.Int64 // of the last SetParallel, and when that was

	sign atomic.Int64 // when something was last heard of it, as UnixNano

	mu    sync.Mutex
	ids   map[*file]upload.FileID
	asked bool // it waits for a token
}

// boot starts a process with all files that are still to be uploaded.
func (w *world) boot() {
	p := &process{w: w, host: w.net.Host("client"), ids: make(map[*file]upload.FileID)}
	p.transport = p.host.Transport()
	p.store = &tether{Memory: w.store, p: p, open: make(map[*held]bool)}
	p.rec = newRecorder(p)
	p.parallel.Store(int64(w.s.Setup.Parallel))
	p.signOfLife()
	c, err := upload.New(p.options())
	if err != nil {
		panic(err)
	}
	p.client = c
	w.p = p
	w.processes = append(w.processes, p)
	if !w.s.Setup.Provider {
		p.answerToken(c.Init)
	}
	for _, f := range w.files {
		if w.isWanted(f) {
			p.add(f)
		}
	}
	p.do("Start", func() error { return c.Start(w.ctx) })
}

func (p *process) options() *upload.Options {
	u := p.w.s.Setup
	o := &upload.Options{
		Checkpoints: p.store, PartSize: partSize, Parallel: u.Parallel,
		RetryCount: retryCount, RetryInterval: u.Retry,
		StallTimeout: stallTimeout, TokenWait: tokenWait, OutageWait: outageWait, CleanupTimeout: cleanupTimeout,
		HTTPClient: &http.Client{Transport: &tapped{p: p, next: p.transport}},
		Logger:     slog.New(slog.NewTextHandler(logWatch{p}, nil)),
		Callbacks:  p.rec.callbacks(),
	}
	if u.Provider {
		o.Credentials = provider{p}
	}
	return o
}

func (p *process) violated(format string, args ...any) {
	if !p.dead.Load() {
		p.w.violated(format, args...)
	}
}

func (p *process) signOfLife() { p.sign.Store(time.Now().UnixNano()) }

// do makes a call that returns at once. ErrState is no violation: the schedule does not
// know what state the client is in.
func (p *process) do(what string, fn func() error) error {
	var err error
	p.w.trace("%s", what)
	p.signOfLife()
	p.w.tap.anew()
	p.w.within(what, 0, func() { err = fn() })
	if err != nil && !errors.Is(err, upload.ErrState) {
		p.violated("%s: %v", what, err)
	}
	return err
}

// add puts a file into the list, in place of what it has of it.
func (p *process) add(f *file) {
	_ = p.do("AddFile of "+f.object(), func() error {
		id, err := p.client.AddFile(f.toUpload())
		if err == nil {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.ids[f] = id
		}
		return err
	})
}

func (p *process) id(f *file) (upload.FileID, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	id, ok := p.ids[f]
	return id, ok
}

// remove takes a file out of the list.
func (p *process) remove(f *file) {
	id, ok := p.id(f)
	if !ok {
		return
	}
	p.rec.expectCancel(id)
	_ = p.do("DeleteFile of "+f.object(), func() error { return p.client.DeleteFile(id) })
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.ids, f)
}

// resume has a file uploaded that failed or was canceled. The bytes of a Reader are gone,
// so it is added again.
func (p *process) resume(f *file) {
	id, ok := p.id(f)
	switch {
	case f.spec.Kind == reader || !ok:
		p.remove(f)
		p.add(f)
	default:
		_ = p.do("ResumeFile of "+f.object(), func() error { return p.client.ResumeFile(id) })
	}
}

// errByUser is the error of FailFile.
var errByUser = errors.New("world: the user has failed it")

// fail fails a file, if it has not ended.
func (p *process) fail(f *file) {
	if id, ok := p.id(f); ok {
		_ = p.do("FailFile of "+f.object(), func() error { return p.client.FailFile(id, errByUser) })
	}
}

func (p *process) setParallel(n int) {
	p.parallelAt.Store(time.Now().UnixNano())
	p.parallel.Store(int64(n))
	_ = p.do("SetParallel", func() error { return p.client.SetParallel(n) })
}

// answerToken gives the client its next token, or remembers to do so later.
func (p *process) answerToken(give func(creds credentials) error) {
	creds, err := p.w.tokens.give(p)
	p.mu.Lock()
	p.asked = err != nil
	p.mu.Unlock()
	if err != nil {
		return
	}
	if err := give(creds); err != nil && !errors.Is(err, upload.ErrClosed) {
		p.violated("a new token was not taken: %v", err)
	}
}

// tokensAreBack answers what was asked while there was no token.
func (p *process) tokensAreBack() {
	p.mu.Lock()
	asked := p.asked
	p.mu.Unlock()
	if asked {
		p.answerToken(p.client.ResumeWithToken)
	}
}

// close closes the client, as a program does that ends.
func (p *process) close() {
	p.closed.Store(true)
	p.w.within("Close", cleanupTimeout+2*time.Second, func() {
		if err := p.client.Close(); err != nil && !p.w.disturbedSince(2*cleanupTimeout) {
			p.violated("Close: %v", err)
		}
	})
	p.transport.CloseIdleConnections()
	p.rec.allEnded()
}

// kill ends the process at this instant: nothing that its goroutines still do has any
// effect. They end by themselves.
func (p *process) kill(lose bool) {
	p.store.kill(lose, func() {
		p.dead.Store(true)
		p.host.Kill()
	})
	p.w.wg.Go(func() {
		_ = p.client.Close()
		p.transport.CloseIdleConnections()
	})
}

// wait waits until all files have ended, and returns false if that takes too long.
func (p *process) wait(what string, bound time.Duration) bool {
	ctx, cancel := context.WithTimeout(p.w.ctx, bound)
	defer cancel()
	err := p.client.Wait(ctx)
	if !errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	var open []string
	for _, f := range p.client.Files() {
		if !f.Ended.IsZero() {
			continue
		}
		open = append(open, f.Path+" "+f.State.String())
	}
	p.violated("%s: not all files have ended within %v: %s", what, bound, strings.Join(open, ", "))
	return false
}

// A logWatch looks for what must not be in a log.
type logWatch struct{ p *process }

func (l logWatch) Write(b []byte) (int, error) {
	l.p.w.trace("log: %s", strings.TrimSpace(string(b)))
	l.p.w.mustBeFit("a line of the log", string(b))
	return len(b), nil
}
