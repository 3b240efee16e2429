package upload

import (
	"fmt"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload/internal/filelist"
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
