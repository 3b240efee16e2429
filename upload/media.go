package upload

import (
	"context"
	"errors"
	"fmt"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload/internal/filelist"
	"github.com/vodupload/vodupload/upload/internal/media"
	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// An authorizedRun is a run of a file whose destination the Authorizer gives.
type authorizedRun struct {
	*run
	claim *media.Claim
	state checkpoint.Source // of the bytes, as they are now
}

func (r *run) uploadAuthorized(ctx context.Context) (transfer.Result, error) {
	if err := r.awaitNamesake(ctx); err != nil {
		return transfer.Result{}, err
	}
	a := &authorizedRun{run: r}
	if r.e.stream == nil {
		src, err := r.openSource(ctx)
		if err != nil {
			return transfer.Result{}, err
		}
		a.state = src.State()
		_ = transfer.Guard(src).Close()
	}
	if err := a.open(ctx); err != nil {
		return transfer.Result{}, err
	}
	res, err := a.upload(ctx)
	if err != nil && ctx.Err() == nil {
		a.forgetAuthorization() // the run may have failed because of what it was given
	}
	a.claim.Release(err == nil)
	return res, err
}

// open claims the source, and recalls what was made of it before.
func (a *authorizedRun) open(ctx context.Context) error {
	o := a.c.mediaOptions(a.e)
	o.Store = waitingStore{transfer.GuardStore(a.c.store, &a.steps), a.openClaim}
	o.State = a.state
	claim, err := media.Open(ctx, o)
	if err != nil {
		return claimError(err)
	}
	a.claim = claim
	var known media.Memory
	var id, made string
	a.c.view(func(*filelist.List) {
		known, id, made = *a.e.media, a.e.videoID, a.e.made()
		a.leaves = true
	})
	known, err = claim.Recall(ctx, known, id, made)
	a.c.view(func(*filelist.List) { *a.e.media = known })
	return err
}

func (c *Client) mediaOptions(e *entry) media.Options {
	return media.Options{
		Source: e.source, Volatile: e.stream != nil || e.unfingerprinted,
		Optional: c.opts.CheckpointsOptional && !transfer.IsShared(c.store), // else two machines make two videos
		Warn:     func(msg string, err error) { c.opts.Logger.Warn(msg, c.attrs(e, "error", err)...) },
	}
}

// claimError returns the error of a file that could not claim its source.
func claimError(err error) error {
	var unkept *media.UnkeptError
	switch {
	case errors.As(err, &unkept):
		return transfer.Unkept(unkept.Err)
	case errors.Is(err, checkpoint.ErrInUse):
		return transfer.Used(err)
	}
	return err
}

// upload uploads the file to where the service wants it. If what the service made turns
// out to be gone, the upload starts over, once; a stream does not, since it cannot be
// read again.
func (a *authorizedRun) upload(ctx context.Context) (transfer.Result, error) {
	for again := false; ; again = true {
		if err := a.authorize(ctx); err != nil {
			return transfer.Result{}, err
		}
		res, err := a.send(ctx)
		if again || a.e.stream != nil || ctx.Err() != nil || !errors.Is(err, ErrNotRenewable) {
			return res, err
		}
		a.warn("the upload starts over", err)
		a.discardMedia(ctx)
	}
}

func (a *authorizedRun) warn(msg string, err error) {
	a.c.opts.Logger.Warn(msg, a.c.attrs(a.e, "error", err)...)
}

// discardMedia forgets what was made, because the service does not resume it.
func (a *authorizedRun) discardMedia(ctx context.Context) {
	a.claim.Discard(ctx)
	a.forgetAuthorization()
}

// forgetAuthorization makes the next attempt ask again.
func (a *authorizedRun) forgetAuthorization() {
	a.c.view(func(*filelist.List) { a.e.media.Good = false })
}

// authorize gets a destination for the file and credentials for it. The file has no slot
// while the service is being asked.
func (a *authorizedRun) authorize(ctx context.Context) error {
	if a.c.is(func(*filelist.List) bool { return a.e.media.Good }) {
		return nil
	}
	a.slots.putDown()
	given, err := a.ask(ctx)
	if errors.Is(err, ErrNotRenewable) && a.claim.ID() != "" && ctx.Err() == nil {
		a.warn("what was made before is not resumed", err)
		a.discardMedia(ctx)
		given, err = a.ask(ctx)
	}
	if err != nil {
		return err
	}
	a.c.view(func(*filelist.List) {
		a.e.videoID, a.e.mediaID, a.e.mediaURL = given.VideoID, given.MediaID, given.MediaURL
		a.e.media.State = a.state
	})
	if err := a.claim.Keep(ctx, given.id()); err != nil {
		return claimError(err)
	}
	if err := a.apply(given); err != nil {
		return err
	}
	return context.Cause(ctx)
}

// ask asks the Authorizer. If that may create something that must not be created twice,
// it first records that it asks.
func (a *authorizedRun) ask(ctx context.Context) (Authorization, error) {
	c := a.c
	info := a.info()
	info.VideoID = a.claim.ID()
	repeatable := false
	if r, ok := c.opts.Authorizer.(RepeatableAuthorizer); ok && info.VideoID == "" {
		err := a.callAuthorizer("Repeatable", func() error {
			repeatable = r.Repeatable(info)
			return nil
		})
		if err != nil {
			return Authorization{}, err
		}
	}
	marked := info.VideoID == "" && !repeatable
	if marked {
		if err := a.claim.Mark(ctx); err != nil {
			return Authorization{}, claimError(err)
		}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, c.opts.TokenWait,
		fmt.Errorf("%w: the Authorizer gave none within %v", ErrNoDestination, c.opts.TokenWait))
	defer cancel()
	var given Authorization
	returned := false
	w := c.wait(a.e, WaitDestination)
	err := a.callAuthorizer("Authorize", func() (err error) {
		given, err = c.opts.Authorizer.Authorize(ctx, info)
		returned = true
		return err
	})
	err = w.end(err)
	if !returned && marked { // it may have created something before it panicked
		err = fmt.Errorf("%w: %w", ErrAnswerLost, err)
	}
	if err == nil && given.id() == "" {
		err = errors.New("the Authorizer gave neither VideoID nor MediaID")
	}
	if err != nil {
		if marked {
			a.claim.Unmark()
		}
		return Authorization{}, fmt.Errorf("authorize: %w", err)
	}
	return given, nil
}

// callAuthorizer makes a call of the Authorizer, which is the user's code.
func (a *authorizedRun) callAuthorizer(method string, fn func() error) error {
	what := "the Authorizer's " + method
	return a.steps.During(what, func() error { return transfer.Isolate(what, fn) })
}

// apply sets the destination and the credentials of an Authorization.
func (a *authorizedRun) apply(given Authorization) error {
	c, e := a.c, a.e
	t, err := c.parseTarget(given.Region, given.Endpoint, given.Bucket, given.Object)
	if err != nil {
		return fmt.Errorf("the Authorizer's destination: %w", err)
	}
	own := c.newGate(sts.ProviderFunc(func(ctx context.Context) (sts.Credentials, error) {
		return c.opts.Authorizer.Renew(ctx, a.info())
	}))
	if err := own.Set(given.Credentials); err != nil {
		return fmt.Errorf("the Authorizer's credentials: %w", err)
	}
	c.view(func(*filelist.List) {
		e.setTarget(c.shared.sites.of(t), t)
		e.own.Store(own)
		e.media.Good = true
	})
	e.provided.Broadcast()
	return nil
}

// abandon removes what a file has left at the server and on disk.
func (c *Client) abandon(ctx context.Context, up *cleanup) error {
	if !c.asksAuthorizer(up.e) {
		return up.session.Abandon(ctx, up.job)
	}
	var abandon func(context.Context) error
	if up.job.Target.Bucket != "" {
		abandon = func(ctx context.Context) error {
			err := up.session.Abandon(ctx, up.job)
			if errors.Is(err, ErrNotRenewable) {
				err = media.Forget(ctx, transfer.GuardStore(c.store, &up.steps), up.job.Name, up.job.VideoID)
			}
			return err
		}
	}
	o := c.mediaOptions(up.e)
	o.Store = waitingStore{transfer.GuardStore(c.store, &up.steps), func(ctx context.Context, store checkpoint.Store, key checkpoint.Key) (checkpoint.Claim, error) {
		return transfer.OpenCheckpoint(ctx, store, key, nil)
	}}
	o.Volatile = up.job.Volatile
	return media.Remove(ctx, o, abandon)
}

// asksAuthorizer reports whether the file gets its destination from the Authorizer.
func (c *Client) asksAuthorizer(e *entry) bool {
	return c.is(func(*filelist.List) bool { return c.opts.Authorizer != nil && !e.ownDestination })
}
