package upload

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"

	"github.com/vodupload/vodupload/upload/internal/filelist"
	"github.com/vodupload/vodupload/upload/internal/media"
	"github.com/vodupload/vodupload/upload/internal/target"
	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// AddFile puts a file at the end of the list and returns its ID. It checks all fields:
// the error names the field, what was got and what was wanted. On a started or finished
// client the file starts by itself.
//
// AddFile opens the source, and takes no context: if the file system hangs, so does
// AddFile. [Client.Upload] does not.
func (c *Client) AddFile(f File) (FileID, error) {
	e, size, err := c.newEntry(f)
	if err != nil {
		return 0, err
	}
	return c.add(e, addOptions(&f, e, size))
}

// newEntry checks f, and returns its entry and its size, -1 if that is not known. Names
// in its errors may have any characters, hence OneLine.
func (c *Client) newEntry(f File) (*entry, int64, error) {
	e, size, err := c.checked(f)
	return e, size, target.OneLine(err)
}

func (c *Client) checked(f File) (*entry, int64, error) {
	if err := f.Options.check(); err != nil {
		return nil, 0, err
	}
	if err := cmp.Or(f.checkIfExists(), f.checkGroup(c.list)); err != nil {
		return nil, 0, err
	}
	e := &entry{path: f.Path, info: f.Info, extras: extrasOf(f), options: f.Options, ifExists: f.IfExists, listing: f.listing}
	size, err := e.inspect(&f, &c.shared.names)
	if err != nil {
		return nil, 0, err
	}
	plan, err := transfer.NewPlan(size, c.opts.PartSize)
	if err != nil {
		field := "Path: " + e.path
		switch {
		case e.stream != nil:
			field = "Size"
		case f.Source != nil:
			field = "Source: " + e.path
		}
		return nil, 0, fmt.Errorf("%w: File.%s: %w", ErrInvalidArgument, field, err)
	}
	if e.stream != nil {
		if err := c.checkBuffers(plan); err != nil {
			return nil, 0, err
		}
	}
	if f.Info != nil {
		if err := f.Info.check(); err != nil {
			return nil, 0, err
		}
	}
	if f.Endpoint == "" && f.Bucket == "" && f.Object == "" {
		if f.Credentials != nil && c.opts.Authorizer != nil {
			return nil, 0, fmt.Errorf("%w: File.Credentials with Options.Authorizer, which gives a file without a destination its credentials: set Endpoint, Bucket and Object, or no Credentials", ErrInvalidArgument)
		}
		e.media = new(media.Memory)
		return e, size, nil
	}
	t, err := c.parseTarget("", f.Endpoint, f.Bucket, f.Object)
	if err != nil {
		return nil, 0, err
	}
	if err := checkFolderName(f.Object, size); err != nil {
		return nil, 0, err
	}
	e.setTarget(c.shared.sites.of(t), t)
	e.ownDestination = true
	return e, size, nil
}

// checkBuffers returns an error if the parts of a Reader that are in memory at the same
// time are more than the system can address.
func (c *Client) checkBuffers(plan transfer.Plan) error {
	size, parallel := plan.PartSize, c.service.Parallel()
	if plan.Size > 0 { // known: no more and no larger buffers than it has parts
		size, parallel = min(size, plan.Size), min(parallel, plan.Count-1)
	}
	if err := transfer.CheckBuffers(size, parallel, math.MaxInt); err != nil {
		return fmt.Errorf("%w: File.Reader, with Options.PartSize and Options.Parallel: %w", ErrInvalidArgument, err)
	}
	return nil
}

// addOptions says how f, whose entry is e, is added to the list.
func addOptions(f *File, e *entry, size int64) filelist.AddOptions {
	o := filelist.AddOptions{Size: size, Stream: e.stream != nil, Group: f.Group.ranks(), Rank: f.Rank}
	if e.direct != nil {
		o.Lane = filelist.Direct
	}
	return o
}

// add puts a checked file into the list.
func (c *Client) add(e *entry, o filelist.AddOptions) (FileID, error) {
	var added FileID
	warn := func() {}
	err := c.decide(func(l *filelist.List) error {
		if err := c.readers.check(e.stream.Reader()); err != nil {
			return err
		}
		if l.State() != filelist.Closed {
			if err := c.shared.shelf.unique(e.key()); err != nil {
				return err
			}
		}
		id, err := l.Add(e.key(), o)
		if err != nil {
			return err
		}
		added = FileID(id)
		e.id = added
		c.entries[added] = e
		c.readers.take(e.stream.Reader(), added)
		c.takeProvider(e)
		if e.ownDestination {
			warn = c.takeDestinationLocked(l, e)
		}
		return nil
	})
	warn()
	return added, duplicate(err)
}

// duplicate returns a *filelist.DuplicateError as an [ErrFileAlreadyExist], and any other
// error as it is.
func duplicate(err error) error {
	if err == nil {
		return nil
	}
	var d *filelist.DuplicateError
	if errors.As(err, &d) {
		return target.OneLine(fmt.Errorf("%w: %w", ErrFileAlreadyExist, d))
	}
	return err
}

// Files returns a snapshot of the list, in its order.
func (c *Client) Files() []FileInfo {
	var all []FileInfo
	c.view(func(l *filelist.List) {
		shelved := c.shared.shelf.ids()
		all = make([]FileInfo, 0, len(shelved)+l.Len())
		for f := range l.All() {
			for len(shelved) > 0 && shelved[0] < FileID(f.ID) {
				all = c.appendShelvedLocked(all, shelved[:1])
				shelved = shelved[1:]
			}
			all = append(all, c.entries[FileID(f.ID)].snapshot(f))
		}
		all = c.appendShelvedLocked(all, shelved)
	})
	return all
}

func (c *Client) appendShelvedLocked(all []FileInfo, ids []FileID) []FileInfo {
	for _, id := range ids {
		info, _ := c.shared.shelf.get(id)
		all = append(all, info)
	}
	return all
}

// All returns the files of the list, in its order. Unlike the snapshot of [Client.Files],
// it takes 8 bytes of memory for each file, not the size of a FileInfo. It yields the
// files that are in the list when the iteration begins, each as it is when its turn comes;
// those that were deleted by then are left out. No lock is held meanwhile: the loop may
// call any method of the client, and may take its time.
func (c *Client) All() iter.Seq[FileInfo] {
	return func(yield func(FileInfo) bool) {
		var ids []FileID
		c.view(func(l *filelist.List) {
			ids = c.shared.shelf.ids()
			for f := range l.All() {
				ids = append(ids, FileID(f.ID))
			}
			slices.Sort(ids)
		})
		for _, id := range ids {
			if info, err := c.File(id); err == nil && !yield(info) {
				return
			}
		}
	}
}

// File returns a snapshot of one file, or [ErrFileNotExist] for one that is not in the
// list, or not any more.
func (c *Client) File(id FileID) (info FileInfo, err error) {
	c.view(func(l *filelist.List) {
		var shelved bool
		if info, shelved = c.shared.shelf.get(id); shelved {
			return
		}
		f, ok := l.Lookup(filelist.ID(id))
		if !ok {
			err = l.NotListed(filelist.ID(id))
			return
		}
		info = c.entries[id].snapshot(&f)
	})
	return info, err
}

// ResumeFile sets a failed or canceled file back to init, so that it is uploaded again;
// one that failed resumes. It returns [ErrState] for a file in another state, for one
// that is still being canceled, for one of Upload, and for a Reader, which cannot be
// read again.
func (c *Client) ResumeFile(id FileID) error {
	return c.decideOn(id, "ResumeFile", func(l *filelist.List) error {
		if err := l.Retry(filelist.ID(id)); err != nil {
			return target.OneLine(err)
		}
		e := c.entries[id]
		e.uploadID, e.partSize, e.mediaID, e.mediaURL, e.err, e.result = "", 0, "", "", nil, nil
		return nil
	})
}
