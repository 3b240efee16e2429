package upload

import (
	"fmt"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/filelist"
	"github.com/vodupload/vodupload/upload/internal/target"
)

// A site is what destinations at one endpoint have in common.
type site struct {
	endpoint target.Endpoint
	region   string
	text     string // of the endpoint
}

// site keeps the last one, for a list is mostly made of files that go to the same.
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

// SetDestination gives a file that was added without a destination where to go. It
// returns [ErrState] for a file that has one, or that was started and gets one from
// Options.Authorizer, and [ErrFileAlreadyExist] where another file of the list brings
// the same source there.
func (c *Client) SetDestination(id FileID, endpoint, bucket, object string) error {
	return c.setDestination(id, "", endpoint, bucket, object)
}

// setDestination is SetDestination with a region for where neither the options nor the
// endpoint's name tell one.
func (c *Client) setDestination(id FileID, region, endpoint, bucket, object string) error {
	t, err := c.parseTarget(region, endpoint, bucket, object)
	if err != nil {
		return err
	}
	err = c.decide(func(l *filelist.List) error {
		if err := c.checkNoDestination(l, id); err != nil {
			return fmt.Errorf("SetDestination: %w", err)
		}
		e := c.entries[id]
		key := checkpoint.Key{Source: e.source, Endpoint: t.Endpoint.String(), Bucket: t.Bucket, Object: t.Object}
		if err := l.Rename(filelist.ID(id), key); err != nil {
			return err
		}
		e.setTarget(c.shared.site(t), t)
		e.ownDestination = true
		e.provided.Broadcast()
		return nil
	})
	return duplicate(err)
}

// checkNoDestination returns an error for a file that cannot be given a destination: it
// has one, or is given one by the Authorizer. That is so from the file's start on, and
// not only while the service is asked: OnStarted must not find it one way or the other.
func (c *Client) checkNoDestination(l *filelist.List, id FileID) error {
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

// parseTarget checks a destination. The region is for where neither the options nor the
// endpoint's name tell one, as that of an acceleration endpoint does not.
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

// warnWithoutRegion logs, once, that requests are signed with V1.
func (c *Client) warnWithoutRegion(t target.Target) {
	if !t.LacksRegion() {
		return
	}
	c.shared.warnV1.Do(func() {
		c.opts.Logger.Warn("no region is known, so requests are signed with V1, which OSS refuses to accounts and buckets that were made since 2025: "+setRegion, "endpoint", t.Endpoint)
	})
}
