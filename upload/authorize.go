package upload

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// authorize sees to it that the file has a destination and credentials for it. While
// the service is asked the file has no slot.
func (m *claim) authorize(ctx context.Context) error {
	m.c.mu.Lock()
	good := m.e.media.good
	m.c.mu.Unlock()
	if good {
		return nil
	}
	m.slots.putDown()
	a, err := m.ask(ctx)
	if errors.Is(err, ErrNotRenewable) && m.id != "" && ctx.Err() == nil {
		m.warn("what was made before is not gone on with", err)
		m.renounce(ctx)
		a, err = m.ask(ctx)
	}
	if err != nil {
		return err
	}
	if err := m.keep(ctx, a); err != nil {
		return err
	}
	if err := m.take(a); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// ask asks the Authorizer. Before it makes a video, a mark is put down that it will:
// if the process is killed before the video's ID is known, the next one must not just
// make another.
func (m *claim) ask(ctx context.Context) (Authorization, error) {
	c := m.c
	info := m.info()
	info.VideoID = m.id
	repeatable, _ := c.opts.Authorizer.(RepeatableAuthorizer)
	marked := m.id == "" && (repeatable == nil || !repeatable.Repeatable(info))
	if marked {
		if err := m.keep(ctx, Authorization{}); err != nil {
			return Authorization{}, err
		}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, c.opts.TokenWait,
		fmt.Errorf("%w: the Authorizer gave none within %v", ErrNoDestination, c.opts.TokenWait))
	defer cancel()
	a, err := c.opts.Authorizer.Authorize(ctx, info)
	if err == nil && a.id() == "" {
		err = errors.New("the Authorizer gave neither VideoID nor MediaID")
	}
	if err != nil {
		if marked && m.cp != nil {
			// Either nothing was made, or the user is about to be told that it is not known.
			_ = m.cp.Remove()
		}
		return Authorization{}, fmt.Errorf("authorize: %w", err)
	}
	return a, nil
}

// keep makes what was made durable, before anything of the file is sent there. It is
// not interrupted: the ID would be lost.
func (m *claim) keep(ctx context.Context, a Authorization) error {
	if a.id() != "" {
		m.c.mu.Lock()
		m.e.videoID, m.e.mediaID, m.e.mediaURL = a.VideoID, a.MediaID, a.MediaURL
		m.e.media.source = m.source
		m.c.mu.Unlock()
		m.id = a.id()
		ctx = context.WithoutCancel(ctx)
	}
	if m.cp == nil {
		return nil
	}
	err := m.cp.Begin(ctx, checkpoint.Record{
		Key: sourceKey(m.e.source), Source: m.source, Started: time.Now(), VideoID: a.id(),
	})
	switch {
	case err == nil, ctx.Err() != nil:
		return err
	case m.c.opts.CheckpointsOptional:
		m.warn("the video will not be known after the end of this process", err)
		return nil
	}
	return transfer.Unkept(err)
}

// take gives the file what it was authorized for.
func (m *claim) take(a Authorization) error {
	c, e := m.c, m.e
	target, err := c.parseTarget(a.Region, a.Endpoint, a.Bucket, a.Object)
	if err != nil {
		return fmt.Errorf("the Authorizer's destination: %w", err)
	}
	own := c.newGate(sts.ProviderFunc(m.renew))
	if err := own.Set(a.Credentials); err != nil {
		return fmt.Errorf("the Authorizer's credentials: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.setTarget(e, target)
	e.own.Store(own)
	e.media.good = true
	e.provided.Broadcast()
	return nil
}

// renew is the Provider of the file's own credentials.
func (m *claim) renew(ctx context.Context) (sts.Credentials, error) {
	info := m.info()
	return m.c.opts.Authorizer.Renew(ctx, info)
}
