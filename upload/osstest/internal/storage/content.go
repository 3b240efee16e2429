package storage

import (
	"errors"
	"io"
	"io/fs"
	"sort"
	"sync/atomic"
)

// A Content is the bytes of one object: the blobs of its parts, in order. It
// counts its users, so that its files outlast the object while someone reads
// it: not every system can delete an open file.
type Content struct {
	store *BlobStore
	blobs []*Blob
	ends  []int64 // ends[i] is the offset at which blob i ends
	users atomic.Int64
}

// NewContent returns a content with one user: the object that it is for.
func NewContent(store *BlobStore, blobs []*Blob) *Content {
	c := &Content{store: store, blobs: blobs, ends: make([]int64, len(blobs))}
	var end int64
	for i, b := range blobs {
		end += b.Size
		c.ends[i] = end
	}
	c.users.Store(1)
	return c
}

func (c *Content) Size() int64 {
	if len(c.ends) == 0 {
		return 0
	}
	return c.ends[len(c.ends)-1]
}

// Acquire adds a user, unless the last one has gone.
func (c *Content) Acquire() bool {
	for {
		n := c.users.Load()
		if n == 0 {
			return false
		}
		if c.users.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// Release takes away a user. The last one takes the files away.
func (c *Content) Release() {
	if c == nil || c.users.Add(-1) > 0 {
		return
	}
	for _, b := range c.blobs {
		c.store.Remove(b)
	}
}

// Open returns the n bytes from an offset on. The caller must close it.
func (c *Content) Open(offset, n int64) (io.ReadCloser, error) {
	if !c.Acquire() {
		return nil, &fs.PathError{Op: "open", Path: "object", Err: errDeleted}
	}
	return &contentReader{c: c, offset: offset, end: offset + n}, nil
}

var errDeleted = errors.New("its content was deleted from the server")

// A contentReader reads one blob after the other.
type contentReader struct {
	c           *Content
	offset, end int64
	blob        io.ReadCloser // the one that offset is in; nil between two
	blobEnd     int64
}

func (r *contentReader) Read(p []byte) (int, error) {
	for {
		if r.offset >= r.end {
			return 0, io.EOF
		}
		if err := r.seek(); err != nil {
			return 0, err
		}
		n, err := r.blob.Read(p[:min(int64(len(p)), r.end-r.offset)])
		r.offset += int64(n)
		if err == io.EOF {
			err = r.next()
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// seek opens the blob that the offset is in.
func (r *contentReader) seek() error {
	if r.blob != nil {
		return nil
	}
	i := sort.Search(len(r.c.ends), func(i int) bool { return r.c.ends[i] > r.offset })
	begin := r.c.ends[i] - r.c.blobs[i].Size
	b, err := r.c.store.Open(r.c.blobs[i], r.offset-begin)
	if err != nil {
		return err
	}
	r.blob, r.blobEnd = b, r.c.ends[i]
	return nil
}

// next leaves a blob that has ended. A file that ended early was cut by
// somebody else.
func (r *contentReader) next() error {
	r.blob.Close()
	r.blob = nil
	if r.offset < r.blobEnd {
		return io.ErrUnexpectedEOF
	}
	return nil
}

func (r *contentReader) Close() error {
	if r.c == nil {
		return nil
	}
	if r.blob != nil {
		r.blob.Close()
	}
	r.c.Release()
	r.c = nil
	return nil
}
