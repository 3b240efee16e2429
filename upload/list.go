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

func (f *file) name() name4 { return nameOf(f.path, f.target) }

func (f *file) setTarget(t transfer.Target) {
	f.target, f.hasTarget = t, true
	f.info.Endpoint, f.info.Bucket, f.info.Object = t.Endpoint.String(), t.Bucket, t.Object
}

// AddFile puts a file at the end of the list and returns its ID. Everything about
// it is checked here: the error names the field, what was got and what was wanted.
// On a started or finished client it goes on by itself.
func (c *Client) AddFile(f File) (FileID, error) {
	added, err := c.newFile(f)
	if err != nil {
		return 0, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.enlist(added); err != nil {
		return 0, err
	}
	c.enqueue(added)
	return added.id, nil
}

// enqueue lets a file wait for its turn.
func (c *Client) enqueue(f *file) {
	q := &c.waiting
	if f.solo {
		q = &c.solos
	}
	q.add(f)
	if !f.solo {
		c.state, _ = c.state.next(doAdd)
	}
	c.pump()
	c.notify()
}

// newFile checks f.
func (c *Client) newFile(f File) (*file, error) {
	added := &file{spec: f, path: f.Path}
	size, err := added.look()
	if err != nil {
		return nil, err
	}
	if _, err := transfer.NewPlan(size, c.opts.PartSize); err != nil {
		return nil, fmt.Errorf("%w: File.Path: %s: %w", ErrInvalidArgument, added.path, err)
	}
	if err := f.check(); err != nil {
		return nil, err
	}
	added.info = FileInfo{Path: added.path, Size: size, Info: f.Info}
	if f.Endpoint == "" && f.Bucket == "" && f.Object == "" {
		return added, nil
	}
	target, err := c.parseTarget(f.Endpoint, f.Bucket, f.Object)
	if err != nil {
		return nil, err
	}
	added.setTarget(target)
	return added, nil
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

// enlist puts a checked file into the list.
func (c *Client) enlist(f *file) error {
	if c.state == Closed {
		return ErrClosed
	}
	if other, ok := c.names[f.name()]; ok {
		return fmt.Errorf("%w: %s to %s/%s, as file %v", ErrFileAlreadyExist, f.path, f.info.Bucket, f.info.Object, other)
	}
	c.lastID++
	f.id, f.info.ID = c.lastID, c.lastID
	c.files[f.id] = f
	c.names[f.name()] = f.id
	f.elem = c.order.PushBack(f)
	return nil
}

// delist takes a file out of the list. Its run, if it has one, goes on to its end.
func (c *Client) delist(f *file) {
	delete(c.files, f.id)
	delete(c.names, f.name())
	c.order.Remove(f.elem)
	f.deleted = true
}

// Files returns a snapshot of the list, in its order.
func (c *Client) Files() []FileInfo {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]FileInfo, 0, c.order.Len())
	for e := c.order.Front(); e != nil; e = e.Next() {
		all = append(all, e.Value.(*file).snapshot())
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

func (c *Client) find(id FileID) (*file, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.fileLocked(id)
}

func (c *Client) fileLocked(id FileID) (*file, error) {
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

// CancelFile ends a file: what is in flight is stopped, the upload aborted at the
// server, and the checkpoint deleted. It waits for that up to a second; what takes
// longer goes on until Options.CleanupTimeout. Then OnCanceled is called. A file
// that has ended cannot be canceled.
func (c *Client) CancelFile(id FileID) error {
	c.mu.Lock()
	f, err := c.fileLocked(id)
	if err == nil {
		_, err = f.snapshot().State.next(fileCancel)
	}
	if err != nil {
		c.mu.Unlock()
		return err
	}
	done := c.cancelLocked(f)
	c.mu.Unlock()
	waitShort(done)
	return nil
}

// DeleteFile takes a file out of the list. One that has not ended is canceled as by
// CancelFile; what a failed one left at the server and on disk is taken away. It
// waits up to a second for that.
func (c *Client) DeleteFile(id FileID) error {
	c.mu.Lock()
	f, err := c.fileLocked(id)
	if err != nil {
		c.mu.Unlock()
		return err
	}
	done := c.deleteLocked(f)
	c.notify()
	c.mu.Unlock()
	waitShort(done)
	return nil
}

// ClearFiles deletes all files of the list as DeleteFile does.
func (c *Client) ClearFiles() error {
	c.mu.Lock()
	if c.state == Closed {
		c.mu.Unlock()
		return ErrClosed
	}
	var waits []<-chan struct{}
	for e := c.order.Front(); e != nil; {
		f := e.Value.(*file)
		e = e.Next()
		if done := c.deleteLocked(f); done != nil {
			waits = append(waits, done)
		}
	}
	c.notify()
	c.mu.Unlock()
	waitShort(waits...)
	return nil
}

// deleteLocked takes a file out of the list and ends what is left of it.
func (c *Client) deleteLocked(f *file) <-chan struct{} {
	var done <-chan struct{}
	switch _, err := f.info.State.next(fileCancel); {
	case err == nil && (f.begun || f.running()):
		done = c.cancelLocked(f)
	case f.resumed:
		done = c.cleanUp(f)
	default:
		c.over(f)
	}
	c.delist(f)
	return done
}

// cancelLocked begins to cancel a file. The channel is closed when that has ended;
// it is nil where there is nothing to wait for.
func (c *Client) cancelLocked(f *file) <-chan struct{} {
	if c.interrupt(f, toCancel, transfer.ErrAbandon) {
		return f.done
	}
	_ = f.apply(fileCancel)
	if !f.resumed {
		c.canceled(f)
		return nil
	}
	return c.cleanUp(f)
}

// ResumeFile sets a failed or canceled file back to init, so that it is uploaded
// again: from where it was, if it failed.
func (c *Client) ResumeFile(id FileID) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	f, err := c.fileLocked(id)
	if err != nil {
		return err
	}
	if f.running() && f.intent == toCancel {
		return fmt.Errorf("%w: ResumeFile, the file is still being canceled", ErrState)
	}
	if f.stream != nil {
		return fmt.Errorf("%w: ResumeFile: %s comes from a Reader, which cannot be read again: add it anew", ErrState, f.path)
	}
	if err := f.apply(fileReset); err != nil {
		return err
	}
	i := &f.info
	*i = FileInfo{ID: i.ID, Path: i.Path, Endpoint: i.Endpoint, Bucket: i.Bucket, Object: i.Object, Size: i.Size, VideoID: i.VideoID, Info: i.Info}
	c.enqueue(f)
	return nil
}
