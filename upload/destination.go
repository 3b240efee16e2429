package upload

import (
	"fmt"

	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// A name4 is what no two files of a list have in common.
type name4 struct{ path, endpoint, bucket, object string }

func nameOf(path string, t transfer.Target) name4 {
	if t.Bucket == "" {
		return name4{path: path}
	}
	return name4{path, t.Endpoint.String(), t.Bucket, t.Object}
}

// name leaves out a destination that the Authorizer gave: the same source twice has
// to be found before both have one.
func (f *file) name() name4 {
	if !f.named {
		return name4{path: f.path}
	}
	return nameOf(f.path, f.target)
}

func (f *file) setTarget(t transfer.Target) {
	f.target, f.hasTarget = t, true
	f.info.Endpoint, f.info.Bucket, f.info.Object = t.Endpoint.String(), t.Bucket, t.Object
}

// SetDestination gives a file that was added without a destination where to go. It
// returns [ErrState] for a file that has one, or that was started and gets one from
// Options.Authorizer, and [ErrFileAlreadyExist] where another file of the list brings
// the same source there.
func (c *Client) SetDestination(id FileID, endpoint, bucket, object string) error {
	target, err := c.parseTarget(endpoint, bucket, object)
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
	name := nameOf(f.path, target)
	if err := c.taken(name); err != nil {
		return err
	}
	delete(c.names, f.name())
	f.setTarget(target)
	f.named = true
	c.names[name] = f.id
	f.given.give()
	return nil
}

// taken returns an error if a file of the list has the name.
func (c *Client) taken(name name4) error {
	other, ok := c.names[name]
	if !ok {
		return nil
	}
	return fmt.Errorf("%w: %s to %s/%s, as file %v", ErrFileAlreadyExist, name.path, name.bucket, name.object, other)
}

// parseTarget checks a destination.
func (c *Client) parseTarget(endpoint, bucket, object string) (transfer.Target, error) {
	for _, arg := range []struct{ field, value string }{
		{"Endpoint", endpoint}, {"Bucket", bucket}, {"Object", object},
	} {
		if arg.value == "" {
			return transfer.Target{}, fmt.Errorf("%w: File.%s is empty", ErrMissingArgument, arg.field)
		}
	}
	target, err := transfer.ParseTarget(endpoint, c.opts.Region, bucket, object)
	if err != nil {
		return target, fmt.Errorf("%w: File.%w", ErrInvalidArgument, err)
	}
	return target, nil
}
