package upload

import (
	"fmt"
	"math"

	"github.com/vodupload/vodupload/upload/internal/target"
	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// AddFile puts a file at the end of the list and returns its ID. Everything about
// it is checked here: the error names the field, what was got and what was wanted.
// On a started or finished client it goes on by itself.
func (c *Client) AddFile(f File) (FileID, error) {
	added, err := c.newFile(f)
	if err != nil {
		return 0, err
	}
	return c.enlist(added)
}

// newFile checks f. Its errors may quote what the user or the system calls the file.
func (c *Client) newFile(f File) (*file, error) {
	added, err := c.checked(f)
	return added, target.OneLine(err)
}

func (c *Client) checked(f File) (*file, error) {
	spec, err := c.specs.of(f)
	if err != nil {
		return nil, err
	}
	added := &file{spec: spec, info: FileInfo{Path: f.Path, Info: f.Info}}
	size, err := added.look(&c.links)
	if err != nil {
		return nil, err
	}
	if _, err := transfer.NewPlan(size, c.opts.PartSize); err != nil {
		return nil, fmt.Errorf("%w: File.Path: %s: %w", ErrInvalidArgument, added.info.Path, err)
	}
	if added.stream != nil {
		if err := transfer.CheckBuffers(c.opts.PartSize, c.opts.Parallel, math.MaxInt); err != nil {
			return nil, fmt.Errorf("%w: File.Reader, with Options.PartSize and Options.Parallel: %w", ErrInvalidArgument, err)
		}
	}
	if f.Info != nil {
		if err := f.Info.check(); err != nil {
			return nil, err
		}
	}
	added.info.Size = size
	if f.Endpoint == "" && f.Bucket == "" && f.Object == "" {
		added.media = new(media)
		return added, nil
	}
	to, err := c.parseTarget("", f.Endpoint, f.Bucket, f.Object)
	if err != nil {
		return nil, err
	}
	c.setTarget(added, to)
	added.named = true
	return added, nil
}

// enlist puts a checked file into the list, and lets it wait for its turn.
func (c *Client) enlist(f *file) (FileID, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state == Closed {
		return 0, ErrClosed
	}
	if err := c.taken(f.name()); err != nil {
		return 0, err
	}
	c.lastID++
	f.info.ID = c.lastID
	c.files[f.info.ID] = f
	c.names[f.name()] = f.info.ID
	c.order.add(f)
	c.account(f)
	c.enqueue(f)
	return f.info.ID, nil
}

// enqueue lets a file wait for its turn that has something to do again.
func (c *Client) enqueue(f *file) {
	c.queueUp(f)
	if !f.solo {
		c.state, _ = c.state.next(doAdd)
	}
	c.settle()
}

// delist takes a file out of the list. Its run, if it has one, goes on to its end.
func (c *Client) delist(f *file) {
	delete(c.files, f.info.ID)
	delete(c.names, f.name())
	c.order.remove(f)
	f.deleted = true
	c.queueUp(f)
	c.account(f)
	if f.busy {
		c.leave(f, 1)
	}
}

// Files returns a snapshot of the list, in its order.
func (c *Client) Files() []FileInfo {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]FileInfo, 0, len(c.files))
	for f := c.order.first; f != nil; f = f.next {
		all = append(all, f.snapshot())
	}
	return all
}

// File returns a snapshot of one file, or [ErrFileNotExist].
func (c *Client) File(id FileID) (FileInfo, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f, ok := c.files[id]
	if !ok {
		return FileInfo{}, noFile(id)
	}
	return f.snapshot(), nil
}

// find returns the file of that ID for a call that changes it. It is called with the
// lock held.
func (c *Client) find(id FileID) (*file, error) {
	if c.state == Closed {
		return nil, ErrClosed
	}
	f, ok := c.files[id]
	if !ok {
		return nil, noFile(id)
	}
	return f, nil
}

func noFile(id FileID) error {
	return fmt.Errorf("%w: no file %v in the list", ErrFileNotExist, id)
}

// ResumeFile sets a failed or canceled file back to init, so that it is uploaded
// again: from where it was, if it failed. It returns [ErrState] for a file in another
// state, for one that is still being canceled, for one of Upload, and for a Reader,
// which cannot be read again.
func (c *Client) ResumeFile(id FileID) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	f, err := c.find(id)
	if err != nil {
		return err
	}
	switch {
	case f.stream != nil:
		return fmt.Errorf("%w: ResumeFile: %s comes from a Reader, which cannot be read again: add it again", ErrState, target.Line(f.info.Path))
	case f.solo:
		return fmt.Errorf("%w: ResumeFile: %s belongs to a call of Upload: call it again", ErrState, target.Line(f.info.Path))
	case f.busy && f.snapshot().State == FileCanceled:
		return fmt.Errorf("%w: ResumeFile, the file is still being canceled", ErrState)
	}
	if err := c.apply(f, fileReset); err != nil {
		return err
	}
	i := &f.info
	*i = FileInfo{ID: i.ID, Path: i.Path, Endpoint: i.Endpoint, Bucket: i.Bucket, Object: i.Object, Size: i.Size, VideoID: i.VideoID, Info: i.Info}
	c.account(f)
	c.enqueue(f)
	return nil
}
