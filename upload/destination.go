package upload

import (
	"fmt"
	"sync/atomic"

	"github.com/vodupload/vodupload/upload/internal/target"
)

// A name4 is what no two files of a list have in common.
type name4 struct{ path, endpoint, bucket, object string }

// name leaves out a destination that the Authorizer gave: the same source twice has
// to be found before both have one.
func (f *file) name() name4 {
	if !f.named {
		return name4{path: f.source}
	}
	return name4{f.source, f.info.Endpoint, f.info.Bucket, f.info.Object}
}

// A site is what destinations at one endpoint have in common.
type site struct {
	endpoint target.Endpoint
	region   string
	text     string // of the endpoint
}

// sites keeps the last one, for a list is mostly made of files that go to the same.
type sites struct{ last atomic.Pointer[site] }

func (s *sites) of(t target.Target) *site {
	last := s.last.Load()
	if last == nil || last.endpoint != t.Endpoint || last.region != t.Region {
		last = &site{t.Endpoint, t.Region, t.Endpoint.String()}
		s.last.Store(last)
	}
	return last
}

func (c *Client) setTarget(f *file, t target.Target) {
	f.site = c.sites.of(t)
	f.info.Endpoint, f.info.Bucket, f.info.Object = f.site.text, t.Bucket, t.Object
}

// target is where the file goes; the zero Target while that is not known.
func (f *file) target() target.Target {
	if f.site == nil {
		return target.Target{}
	}
	return target.Target{Endpoint: f.site.endpoint, Region: f.site.region, Bucket: f.info.Bucket, Object: f.info.Object}
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
	to, err := c.parseTarget(region, endpoint, bucket, object)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	f, err := c.find(id)
	if err != nil {
		return err
	}
	if err := c.mayGo(f); err != nil {
		return fmt.Errorf("SetDestination: %w", err)
	}
	name := name4{f.source, to.Endpoint.String(), to.Bucket, to.Object}
	if err := c.taken(name); err != nil {
		return err
	}
	delete(c.names, f.name())
	c.setTarget(f, to)
	f.named = true
	c.names[name] = f.info.ID
	f.given.Broadcast()
	return nil
}

// taken returns an error if a file of the list has the name.
func (c *Client) taken(name name4) error {
	other, ok := c.names[name]
	if !ok {
		return nil
	}
	return target.OneLine(fmt.Errorf("%w: %s to %s/%s, as file %v", ErrFileAlreadyExist, name.path, name.bucket, name.object, other))
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
	c.warnV1.Do(func() {
		c.opts.Logger.Warn("no region is known, so requests are signed with V1, which OSS refuses to accounts and buckets that were made since 2025: "+setRegion, "endpoint", t.Endpoint)
	})
}
