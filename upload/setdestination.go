package upload

import (
	"fmt"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/filelist"
	"github.com/vodupload/vodupload/upload/internal/target"
)

// SetDestination sets the destination of a file that was added without one. It returns
// [ErrState] for a file that has one, or that was started and gets one from
// Options.Authorizer, and [ErrFileAlreadyExist] if another file of the list has the same
// source and destination.
func (c *Client) SetDestination(id FileID, endpoint, bucket, object string) error {
	return c.setDestination(id, destination{endpoint: endpoint, bucket: bucket, object: object})
}

// A destination is where a file goes. The region is used if neither the options nor the
// endpoint's name give one. The video ID is empty for a file that VOD knows nothing of.
type destination struct{ region, endpoint, bucket, object, videoID string }

func (c *Client) setDestination(id FileID, d destination) error {
	t, err := c.parseTarget(d.region, d.endpoint, d.bucket, d.object)
	if err != nil {
		return err
	}
	warn := func() {}
	err = c.decide(func(l *filelist.List) error {
		if err := c.checkNoDestinationLocked(l, id); err != nil {
			return fmt.Errorf("SetDestination: %w", err)
		}
		if _, shelved := c.shared.shelf.state(id); shelved {
			c.takeDownLocked(id)
			defer l.LeaveAgain(filelist.ID(id))
		}
		f, _ := l.Get(filelist.ID(id))
		if err := checkFolderName(d.object, f.Size); err != nil {
			return err
		}
		e := c.entries[id]
		key := checkpoint.Key{Source: e.source, Endpoint: t.Endpoint.String(), Bucket: t.Bucket, Object: t.Object}
		if err := c.shared.shelf.unique(key); err != nil {
			return err
		}
		if err := l.Rename(filelist.ID(id), key); err != nil {
			return err
		}
		e.setTarget(c.shared.sites.of(t), t)
		e.ownDestination, e.videoID = true, d.videoID
		e.waitIsOverLocked(WaitDestination)
		e.provided.Broadcast()
		warn = c.takeDestinationLocked(l, e)
		return nil
	})
	warn()
	return duplicate(err)
}

// checkNoDestinationLocked returns an error for a file that cannot be given a
// destination: it has one, or the Authorizer gives it one. The latter holds from the
// file's start on, not only while the service is being asked: otherwise what OnStarted
// may do would depend on chance.
func (c *Client) checkNoDestinationLocked(l *filelist.List, id FileID) error {
	if info, ok := c.shared.shelf.get(id); ok && l.State() != filelist.Closed {
		if info.Endpoint == "" {
			return nil
		}
		return fmt.Errorf("%w: the file goes to %s/%s already", ErrState, info.Bucket, target.Line(info.Object))
	}
	f, err := l.Listed(filelist.ID(id))
	if err != nil {
		return err
	}
	e := c.entries[id]
	switch {
	case e.site != nil:
		return fmt.Errorf("%w: the file goes to %s/%s already", ErrState, e.bucket, target.Line(e.object))
	case f.Begun && c.opts.Authorizer != nil:
		return fmt.Errorf("%w: the file was started, and Options.Authorizer gives it its destination", ErrState)
	}
	return nil
}
