package upload

import (
	"fmt"
	"strings"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/filelist"
	"github.com/vodupload/vodupload/upload/internal/target"
)

// A site is the part of a destination that all objects at one endpoint share.
type site struct {
	endpoint target.Endpoint
	region   string
	text     string // of the endpoint
}

// site returns the site of t. It keeps the last one, since most files of a list go to
// the same.
func (s *sharedValues) site(t target.Target) *site {
	last := s.lastSite.Load()
	if last == nil || last.endpoint != t.Endpoint || last.region != t.Region {
		last = &site{t.Endpoint, t.Region, t.Endpoint.String()}
		s.lastSite.Store(last)
	}
	return last
}

// setTarget sets where the file goes. s is the site of t.
func (e *entry) setTarget(s *site, t target.Target) {
	e.site, e.bucket, e.object = s, t.Bucket, t.Object
}

// target is where the file goes; the zero Target while that is not known.
func (e *entry) target() target.Target {
	if e.site == nil {
		return target.Target{}
	}
	return target.Target{Endpoint: e.site.endpoint, Region: e.site.region, Bucket: e.bucket, Object: e.object}
}

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
		e.setTarget(c.shared.site(t), t)
		e.ownDestination, e.videoID = true, d.videoID
		e.waitIsOverLocked(WaitDestination)
		e.provided.Broadcast()
		return nil
	})
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

// parseTarget checks a destination. The region is used if neither the options nor the
// endpoint's name give one; that of an acceleration endpoint does not.
func (c *Client) parseTarget(region, endpoint, bucket, object string) (target.Target, error) {
	for _, arg := range []struct{ field, value string }{
		{"Endpoint", endpoint}, {"Bucket", bucket}, {"Object", object},
	} {
		if arg.value == "" {
			return target.Target{}, fmt.Errorf("%w: File.%s is empty", ErrMissingArgument, arg.field)
		}
	}
	t, err := c.opts.locator().Target(endpoint, bucket, object)
	if err != nil {
		return t, invalid("File", err)
	}
	if t.Region == "" && t.Endpoint.Region == "" && target.CheckRegion(region) == nil {
		t.Region = region
	}
	c.warnWithoutRegion(t)
	return t, nil
}

// checkFolderName returns an error for bytes whose object would have the name of a folder:
// OSS stores it, and its console, as most tools, shows a folder and not the bytes. size is
// -1 while it is not known.
func checkFolderName(object string, size int64) error {
	if size == 0 || !strings.HasSuffix(object, "/") {
		return nil
	}
	return fmt.Errorf("%w: File.Object: got %q, which ends in a slash, as only folders of 0 bytes do; want the name of the file after it", ErrInvalidArgument, object)
}

// warnWithoutRegion logs, once, that requests are signed with V1.
func (c *Client) warnWithoutRegion(t target.Target) {
	if !t.LacksRegion() {
		return
	}
	c.shared.warnV1.Do(func() {
		c.opts.Logger.Warn("no region is known, so requests are signed with V1, which OSS refuses to accounts and buckets that were made since 2025: "+setRegion, "endpoint", t.Endpoint)
	})
}
