package upload

import (
	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/filelist"
)

// destinations finds, by its destination, the last file of the list that has it and has
// not left yet. The client's lock guards it.
type destinations struct {
	ids  map[keyHash]FileID
	peak int // see filelist.Shrink
}

// of is what e's destination is found by.
func (destinations) of(e *entry) keyHash {
	return hashOf(checkpoint.Key{Endpoint: e.site.text, Bucket: e.bucket, Object: e.object})
}

// take records that e has its destination, and returns the file that had it before, or 0.
func (d *destinations) take(e *entry) FileID {
	if d.ids == nil {
		d.ids = make(map[keyHash]FileID)
	}
	to := d.of(e)
	before := d.ids[to]
	d.ids[to] = e.id
	return before
}

// release forgets the destination of a file that leaves the list.
func (d *destinations) release(e *entry) {
	if e.site == nil {
		return
	}
	if to := d.of(e); d.ids[to] == e.id {
		delete(d.ids, to)
		d.ids = filelist.Shrink(d.ids, &d.peak)
	}
}

// takeDestinationLocked returns what to call without the lock when a file has been given
// its destination: it warns if another file that has not ended has the same, since the
// object will be one of the two.
func (c *Client) takeDestinationLocked(l *filelist.List, e *entry) (warn func()) {
	before := c.shared.destinations.take(e)
	f, listed := l.Get(filelist.ID(before))
	if !listed || f.Deleted || f.State.Terminal() || e.ifExists == Fail || e.ifExists == Skip {
		return func() {}
	}
	path := c.entries[before].path
	return func() {
		c.opts.Logger.Warn("two files of the list have one destination: the object will be the one that is stored last",
			c.attrs(e, "other", before, "other_path", path)...)
	}
}
