package boltfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// A walk goes once over the pages of a file.
type walk struct {
	r     io.ReaderAt
	pages uint64
	seen  []bool
	buf   []byte

	last  []byte // the key before this one
	floor []byte // no key below it is allowed here
}

// Walk calls each with the keys and values of the bucket of that name, which has to be
// the only one, in ascending order of the keys. Then it checks the list of free pages.
// Key and value may be used until each returns. The sequence is the bucket's number. An
// error says that the file of size bytes is damaged, or cannot be read.
func Walk(r io.ReaderAt, size int64, name []byte, each func(key, value []byte) error) (sequence uint64, err error) {
	m, err := ReadMeta(r)
	if err != nil {
		return 0, err
	}
	if have := uint64(size) / PageSize; m.Pages > have {
		return 0, fmt.Errorf("cut short: %d pages of %d are there", have, m.Pages)
	}
	w := &walk{r: r, pages: m.Pages, seen: make([]bool, m.Pages)}
	var bucket []byte
	err = w.tree(m.root, 0, func(flags uint32, key, value []byte) error {
		if bucket != nil || flags != bucketElement || !bytes.Equal(key, name) || len(value) < bucketHead {
			return fmt.Errorf("holds %q", key)
		}
		bucket = bytes.Clone(value)
		return nil
	})
	if err != nil {
		return 0, err
	}
	if bucket == nil {
		return 0, errors.New("holds no bucket: its last write was lost")
	}
	if err := w.bucket(bucket, each); err != nil {
		return 0, err
	}
	return nativeEndian.Uint64(bucket[8:]), w.freelist(m.freelist)
}

// bucket walks a bucket, whose only page stands in its head if it is small.
func (w *walk) bucket(head []byte, each func(key, value []byte) error) error {
	w.last, w.floor = nil, nil
	plain := func(flags uint32, key, value []byte) error {
		if flags != 0 {
			return fmt.Errorf("key %x has flags %x, want 0", key, flags)
		}
		return each(key, value)
	}
	if root := nativeEndian.Uint64(head); root != 0 {
		return w.tree(root, 0, plain)
	}
	page := head[bucketHead:]
	if len(page) < pageHead || nativeEndian.Uint16(page[8:]) != leafPage {
		return errors.New("bucket has neither a root page nor one of its own")
	}
	return w.leaf(page, plain)
}

// load reads a page with what overflows it, and marks both as seen.
func (w *walk) load(id uint64) ([]byte, error) {
	if id < 2 || id >= w.pages {
		return nil, fmt.Errorf("page %d is not one of %d", id, w.pages)
	}
	var head [pageHead]byte
	if _, err := w.r.ReadAt(head[:], int64(id)*PageSize); err != nil {
		return nil, fmt.Errorf("read page %d: %w", id, err)
	}
	overflow := uint64(nativeEndian.Uint32(head[12:]))
	if got := nativeEndian.Uint64(head[:]); got != id || overflow >= w.pages-id {
		return nil, fmt.Errorf("page %d says that it is page %d with %d more", id, got, overflow)
	}
	for i := id; i <= id+overflow; i++ {
		if w.seen[i] {
			return nil, fmt.Errorf("page %d is used twice", i)
		}
		w.seen[i] = true
	}
	n := int(overflow+1) * PageSize
	if cap(w.buf) < n {
		w.buf = make([]byte, n)
	}
	w.buf = w.buf[:n]
	if _, err := w.r.ReadAt(w.buf, int64(id)*PageSize); err != nil {
		return nil, fmt.Errorf("read page %d: %w", id, err)
	}
	return w.buf, nil
}

type element func(flags uint32, key, value []byte) error

// tree walks a page and what is below it.
func (w *walk) tree(id uint64, depth int, each element) error {
	page, err := w.load(id)
	if err != nil {
		return err
	}
	switch flags, count := nativeEndian.Uint16(page[8:]), nativeEndian.Uint16(page[10:]); {
	case flags == leafPage && (count > 0 || depth == 0):
		if err := w.leaf(page, each); err != nil {
			return fmt.Errorf("page %d: %w", id, err)
		}
		return nil
	case flags == branchPage && count > 0 && depth < maxDepth:
		return w.branch(id, page, depth, each)
	default:
		return fmt.Errorf("page %d has flags %x and %d elements at depth %d", id, flags, count, depth)
	}
}

func (w *walk) branch(id uint64, page []byte, depth int, each element) error {
	type child struct {
		key []byte
		id  uint64
	}
	children := make([]child, nativeEndian.Uint16(page[10:]))
	for i := range children {
		e, err := w.at(page, i, len(children))
		if err != nil {
			return fmt.Errorf("page %d: %w", id, err)
		}
		// Of a branch page: position 4, key 4, page 8.
		key, err := slice(e, nativeEndian.Uint32(e), nativeEndian.Uint32(e[4:]))
		if err != nil || len(key) == 0 {
			return fmt.Errorf("page %d: key %d is outside of it", id, i)
		}
		children[i] = child{bytes.Clone(key), nativeEndian.Uint64(e[8:])}
	}
	for _, c := range children {
		if w.last != nil && bytes.Compare(c.key, w.last) <= 0 || bytes.Compare(c.key, w.floor) < 0 {
			return fmt.Errorf("page %d: key %x is out of order", id, c.key)
		}
		w.floor = c.key
		if err := w.tree(c.id, depth+1, each); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) leaf(page []byte, each element) error {
	count := int(nativeEndian.Uint16(page[10:]))
	for i := range count {
		e, err := w.at(page, i, count)
		if err != nil {
			return err
		}
		position, keyLen, valueLen := nativeEndian.Uint32(e[4:]), nativeEndian.Uint32(e[8:]), nativeEndian.Uint32(e[12:])
		key, err1 := slice(e, position, keyLen)
		value, err2 := slice(e, position+keyLen, valueLen)
		if err1 != nil || err2 != nil || len(key) == 0 || position+keyLen < position {
			return fmt.Errorf("element %d is outside of the page", i)
		}
		if w.last != nil && bytes.Compare(key, w.last) <= 0 || bytes.Compare(key, w.floor) < 0 {
			return fmt.Errorf("key %x is out of order", key)
		}
		w.last = append(w.last[:0], key...)
		if err := each(nativeEndian.Uint32(e), key, value); err != nil {
			return err
		}
	}
	return nil
}

// at returns the page from element i on: positions count from there.
func (w *walk) at(page []byte, i, count int) ([]byte, error) {
	if pageHead+count*elementSize > len(page) {
		return nil, fmt.Errorf("%d elements do not fit into %d bytes", count, len(page))
	}
	return page[pageHead+i*elementSize:], nil
}

func slice(b []byte, from, n uint32) ([]byte, error) {
	if end := uint64(from) + uint64(n); end > uint64(len(b)) {
		return nil, fmt.Errorf("ends at byte %d of %d", end, len(b))
	}
	return b[from : uint64(from)+uint64(n)], nil
}

// freelist checks the list of free pages: bbolt writes to those that are in it.
func (w *walk) freelist(id uint64) error {
	page, err := w.load(id)
	if err != nil {
		return fmt.Errorf("list of free pages: %w", err)
	}
	if flags := nativeEndian.Uint16(page[8:]); flags != freelistPage {
		return fmt.Errorf("page %d has flags %x, want %x", id, flags, freelistPage)
	}
	ids, count := page[pageHead:], uint64(nativeEndian.Uint16(page[10:]))
	if count == longFreelist {
		count, ids = nativeEndian.Uint64(ids), ids[8:]
	}
	if count > uint64(len(ids))/8 {
		return fmt.Errorf("page %d lists %d free pages in %d bytes", id, count, len(ids))
	}
	for i := range count {
		free := nativeEndian.Uint64(ids[i*8:])
		if free < 2 || free >= w.pages || w.seen[free] {
			return fmt.Errorf("page %d lists page %d of %d, which is in use, as free", id, free, w.pages)
		}
		w.seen[free] = true
	}
	return nil
}
