package upload

import (
	"fmt"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload/internal/credentials"
	"github.com/vodupload/vodupload/upload/internal/filelist"
	"github.com/vodupload/vodupload/upload/internal/notify"
	"github.com/vodupload/vodupload/upload/internal/target"
)

// Init gives the client its first credentials, as Options.Credentials would: a
// long-lived key, or a token; when the token expires, OnTokenExpired is called. Init
// replaces credentials that were given before.
func (c *Client) Init(creds sts.Credentials) error { return c.setToken("Init", creds) }

// ResumeWithToken gives the client a new token, and resumes the files that wait for it:
// on the same uploads, and without sending again what was acknowledged. It is the answer
// to OnTokenExpired, and may be called at any other time as well. It returns
// [ErrInvalidArgument] for the credentials that the server has just refused. A paused
// client stays paused.
func (c *Client) ResumeWithToken(creds sts.Credentials) error {
	return c.setToken("ResumeWithToken", creds)
}

func (c *Client) setToken(call string, creds sts.Credentials) error {
	if c.Status() == StateClosed {
		return ErrClosed
	}
	if err := c.gate.Set(creds); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrInvalidArgument, call, err)
	}
	return nil
}

// SetToken gives one file its own credentials, which replace the client's from the
// file's next request on. Call it before Start, in OnStarted, or in answer to
// OnTokenExpired. If the client has credentials, a file that is started does not wait
// for its own. SetToken returns [ErrState] for a file that has succeeded.
func (c *Client) SetToken(id FileID, creds sts.Credentials) error {
	return c.decideOn(id, "SetToken", func(l *filelist.List) error {
		f, err := l.Listed(filelist.ID(id))
		if err != nil {
			return err
		}
		if f.State == filelist.FileSucceeded {
			return fmt.Errorf("%w: SetToken, the file is %s", ErrState, f.State)
		}
		e := c.entries[id]
		own := e.own.Load()
		if own == nil {
			own = c.newGate(nil)
		}
		if err := own.Set(creds); err != nil {
			return fmt.Errorf("%w: SetToken: %w", ErrInvalidArgument, err)
		}
		e.own.Store(own)
		e.waitIsOverLocked(WaitCredentials)
		e.provided.Broadcast()
		return nil
	})
}

// hasNoCredentials reports whether e has no credentials, and nobody can be asked for them.
// A program that gets its first token while files wait for it has a callback that says so.
func (c *Client) hasNoCredentials(e *entry) bool {
	on := &c.opts.Callbacks
	return !c.gate.Provided() && !c.gate.Given() && e.own.Load() == nil && !e.extras.hasProvider() &&
		on.OnStarted == nil && on.OnWaiting == nil && on.OnTokenExpired == nil
}

// checkCredentialsLocked returns [ErrNoCredentials] if a file that Start would start
// would only wait for credentials. Who gives a file its destination may give it its
// credentials, too.
func (c *Client) checkCredentialsLocked(l *filelist.List) error {
	if c.gate.Provided() || c.gate.Given() {
		return nil
	}
	for f := range l.All() {
		e := c.entries[FileID(f.ID)]
		if f.Lane == filelist.Queue && !f.State.Terminal() && e.ownDestination && c.hasNoCredentials(e) {
			return fmt.Errorf("%w: Start, %s has none, and nobody to ask for them: call Init or SetToken before, or set Options.Credentials or File.Credentials", ErrNoCredentials, target.Line(e.path))
		}
	}
	return nil
}

// newGate returns a gate without credentials; p may be nil.
func (c *Client) newGate(p sts.Provider) *credentials.Gate {
	return credentials.New(credentials.Options{
		Provider: p, Wait: c.opts.TokenWait, Go: c.goDo, Logger: c.opts.Logger, Counts: &c.shared.counters.tokens,
	})
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
func (c *Client) canGetToken(e *entry) (can bool) {
	c.view(func(l *filelist.List) {
		f, listed := l.Lookup(filelist.ID(e.id))
		can = listed && f.Begun
	})
	return can
}
