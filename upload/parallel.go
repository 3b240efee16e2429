package upload

import (
	"github.com/vodupload/vodupload/upload/internal/filelist"
	"github.com/vodupload/vodupload/upload/internal/slots"
)

// SetParallel changes Options.Parallel: how many requests are in flight at the same
// time, over all files, from 1 to 1,000, or [Auto]. More are started at once. Where it is
// less than before, requests in flight end first. How many files are started at a time
// follows it, and so does the memory that a Reader needs, with the parts that are
// acknowledged; an Options.HTTPClient has limits of its own. The error is
// [ErrInvalidArgument] or [ErrClosed].
func (c *Client) SetParallel(n int) error {
	most := n
	if n == Auto {
		most = slots.AutoMost
	}
	if err := inRange("SetParallel", most, 1, maxParallel, ", or Auto"); err != nil {
		return err
	}
	return c.decide(func(l *filelist.List) error {
		if l.State() == filelist.Closed {
			return ErrClosed
		}
		l.SetLimits(c.opts.limits(most))
		c.service.SetParallel(most)
		if n == Auto {
			c.setAuto()
		} else {
			c.slots.Set(n)
		}
		return nil
	})
}
