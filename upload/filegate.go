package upload

import (
	"cmp"
	"context"
	"sync"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload/internal/credentials"
	"github.com/vodupload/vodupload/upload/internal/filelist"
	"github.com/vodupload/vodupload/upload/internal/notify"
	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// A fileGate is the gate of one run or clean-up of a file: to the file's own credentials
// if it was given some, otherwise to those of the client.
type fileGate struct {
	c       *Client
	e       *entry            // nil: of a sweep, whose requests are of no file
	cleanup bool              // of a clean-up or a sweep, not of a run
	sweep   *credentials.Gate // of SweepOptions.Credentials; nil: the client's

	mu       sync.Mutex
	latest   uint64 // the generation that was refused last
	refusals int    // generations refused in a row
	cause    error
}

// gateOfNone returns the gate of requests that are of no file: to the credentials of p, or
// to the client's where it is nil. The caller must call release.
func (c *Client) gateOfNone(p sts.Provider) (fg *fileGate, release func()) {
	fg = &fileGate{c: c, cleanup: true}
	if p == nil {
		return fg, func() {}
	}
	own := c.shared.providers.take(p, c.newProviderGate)
	fg.sweep = own.Gate
	return fg, func() { c.shared.providers.release(own) }
}

// gate returns the gate of the next request. Where a token that was set for the file has
// expired, that is the one of File.Credentials; for a clean-up of a file without them,
// when the user cannot be asked for another token any more, it is the client's.
func (fg *fileGate) gate() *credentials.Gate {
	if fg.e == nil {
		return cmp.Or(fg.sweep, fg.c.gate)
	}
	own, provided := fg.e.own.Load(), fg.e.extras.credentials()
	switch {
	case own == nil:
		return cmp.Or(provided, fg.c.gate)
	case provided != nil:
		if _, good := own.Current(); !good {
			return provided
		}
	case fg.cleanup && !own.Provided() && !fg.c.canGetToken(fg.e):
		if _, good := own.Current(); !good {
			return fg.c.gate
		}
	}
	return own
}

// Current implements [transfer.Gate].
func (fg *fileGate) Current() (transfer.Snapshot, bool) {
	if fg.refusedAll() != nil {
		return transfer.Snapshot{}, false
	}
	g := fg.gate()
	s, ok := g.Current()
	if !ok {
		fg.c.tokenExpired(fg.e, g)
	}
	return transfer.Snapshot{Credentials: s.Credentials, Generation: s.Generation}, ok
}

// Expired implements [transfer.Gate].
func (fg *fileGate) Expired(generation uint64, cause error) {
	fg.mu.Lock()
	if generation > fg.latest { // late refusals of older ones are nothing new
		fg.latest, fg.cause = generation, cause
		fg.refusals++
	}
	fg.mu.Unlock()
	fg.gate().Refused(generation, cause)
	fg.c.tokenExpired(fg.e, fg.gate())
}

// Accepted implements [transfer.Gate].
func (fg *fileGate) Accepted(generation uint64) {
	fg.mu.Lock()
	fg.refusals = 0
	fg.mu.Unlock()
	fg.gate().Accepted(generation)
}

// refusedAll returns an error once the server has refused too many tokens in a row for
// this file. The gate's own count does not show that where the server accepts the tokens
// for other files, of another bucket or endpoint.
func (fg *fileGate) refusedAll() error {
	fg.mu.Lock()
	defer fg.mu.Unlock()
	if fg.refusals < credentials.MaxRefusals {
		return nil
	}
	return credentials.TooManyRefusals(fg.refusals, fg.cause)
}

// waitAt waits at g. The wait of a run is shown to the user, and named in the error that
// ends it.
func (fg *fileGate) waitAt(ctx context.Context, g *credentials.Gate, provided <-chan struct{}) error {
	if fg.e == nil || fg.cleanup {
		return g.Wait(ctx, provided, nil)
	}
	w := fg.c.wait(fg.e, WaitCredentials)
	err := g.Wait(ctx, provided, w.failed)
	return w.end(err)
}

// Wait implements [transfer.Gate]. It also returns when the file is given credentials
// of its own.
func (fg *fileGate) Wait(ctx context.Context) error {
	if err := fg.refusedAll(); err != nil {
		return err
	}
	var provided <-chan struct{} // taken before looking at the gate, so as not to miss it
	if fg.e != nil {
		provided = fg.e.provided.C()
	}
	g := fg.gate()
	err := fg.waitAt(ctx, g, provided)
	if fg.cleanup && ctx.Err() != nil {
		// A clean-up has little time. If nobody else waited for the answer, the next one
		// that needs a token must be able to ask again.
		g.PutBackQuestion()
	}
	return err
}

// tokenExpired asks the user for the next token if g needs one: once for each token,
// however many files need it.
func (c *Client) tokenExpired(e *entry, g *credentials.Gate) {
	if !g.TakeQuestion() {
		return
	}
	on := c.opts.Callbacks.OnTokenExpired
	c.view(func(l *filelist.List) {
		var f filelist.File
		if e != nil {
			f, _ = l.Get(filelist.ID(e.id))
		}
		if on == nil || g.Provided() || l.State() == filelist.Closed {
			return // nobody to ask, or nobody who could answer
		}
		c.shared.counters.tokens.Asked.Add(1)
		if f.Begun {
			c.enqueueFileLocked("OnTokenExpired", on, e, &f)
			return
		}
		// No callback may follow the end of a file; or there is no file.
		c.notify.Push(&notify.Event{Name: "OnTokenExpired", Call: func() { on(c, FileInfo{}) }})
	})
	if e == nil {
		c.opts.Logger.Warn("token expired")
		return
	}
	c.opts.Logger.Warn("token expired", c.attrs(e)...)
}

// canGetToken reports whether the user can be asked for a token of the file's own: the
// file is in the list, and its end was not reported yet.
func (c *Client) canGetToken(e *entry) bool {
	return c.is(func(l *filelist.List) bool {
		f, listed := l.Lookup(filelist.ID(e.id))
		return listed && f.Begun
	})
}
