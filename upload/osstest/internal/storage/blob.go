package storage

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// A Blob is one body that was received: in memory, or in a file. It does not
// change. It belongs to one part or to one object at a time.
type Blob struct {
	Size   int64
	name   string   // of the file; "" in memory
	chunks [][]byte // in memory: all of chunkSize but the last
}

// ChunkSize bounds what a body in memory costs before its bytes are there.
const ChunkSize = 256 << 10

// A BlobStore receives and keeps blobs: in files where it has a directory.
type BlobStore struct{ Dir string }

// A DiskError is a failure of the server's own disk, unlike one of the
// client's connection.
type DiskError struct{ error }

func (e DiskError) Unwrap() error { return e.error }

// Receive reads r to its end into a new blob and writes the same bytes to sum.
// The size is what r is expected to have, or -1. When r fails nothing is kept.
func (b *BlobStore) Receive(r io.Reader, size int64, sum io.Writer) (*Blob, error) {
	if b.Dir == "" {
		return receiveMemory(r, size, sum)
	}
	return b.receiveFile(r, sum)
}

func receiveMemory(r io.Reader, size int64, sum io.Writer) (*Blob, error) {
	bl := &Blob{}
	for {
		room := int64(ChunkSize)
		if size >= 0 {
			// One byte more than is left finds out whether r has more.
			room = min(room, max(size-bl.Size, 1))
		}
		chunk := make([]byte, room)
		n, err := fill(r, chunk)
		if n > 0 {
			if n < len(chunk)/2 {
				chunk = slices.Clone(chunk[:n])
			}
			bl.chunks = append(bl.chunks, chunk[:n])
			bl.Size += int64(n)
			sum.Write(chunk[:n])
		}
		if err == io.EOF {
			return bl, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// fill reads until buf is full or r fails. Unlike [io.ReadFull] it keeps a
// clean end apart from a broken one.
func fill(r io.Reader, buf []byte) (n int, err error) {
	for n < len(buf) && err == nil {
		var m int
		m, err = r.Read(buf[n:])
		n += m
	}
	return n, err
}

func (b *BlobStore) receiveFile(r io.Reader, sum io.Writer) (_ *Blob, err error) {
	f, err := os.CreateTemp(filepath.Join(b.Dir, layout.incoming), incomingBody+"*")
	if err != nil {
		return nil, DiskError{err}
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	size, err := copyBody(f, r, sum)
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, DiskError{err}
	}
	bl := &Blob{Size: size, name: NewID(16)}
	if err := rename(f.Name(), b.path(bl.name)); err != nil {
		return nil, DiskError{err}
	}
	return bl, nil
}

func copyBody(f *os.File, r io.Reader, sum io.Writer) (size int64, err error) {
	buf := make([]byte, 64<<10)
	for {
		n, rerr := fill(r, buf)
		if _, err := f.Write(buf[:n]); err != nil {
			return size, DiskError{err}
		}
		sum.Write(buf[:n])
		size += int64(n)
		if rerr == io.EOF {
			return size, nil
		}
		if rerr != nil {
			return size, rerr
		}
	}
}

// rename moves a file into a directory that may not exist yet.
func rename(from, to string) error {
	err := os.Rename(from, to)
	if os.IsNotExist(err) {
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return err
		}
		err = os.Rename(from, to)
	}
	return err
}

// Prefixes of the names in incoming; a number follows.
const (
	incomingBody = "body-"
	incomingMeta = "meta-"
)

// path spreads the files over 256 directories.
func (b *BlobStore) path(name string) string {
	return filepath.Join(b.Dir, layout.blobs, name[:2], name)
}

// Remove deletes a blob for good. No reader may have it open.
func (b *BlobStore) Remove(bl *Blob) {
	if bl != nil && bl.name != "" {
		os.Remove(b.path(bl.name))
	}
}

// Open returns the bytes of a blob from an offset on.
func (b *BlobStore) Open(bl *Blob, offset int64) (io.ReadCloser, error) {
	if bl.name == "" {
		return &memoryReader{bl: bl, offset: offset}, nil
	}
	f, err := os.Open(b.path(bl.name))
	if err != nil {
		return nil, fmt.Errorf("open a stored body: %w", err)
	}
	if _, err := f.Seek(offset, io.SeekStart); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// A memoryReader reads a blob in memory.
type memoryReader struct {
	bl     *Blob
	offset int64
}

func (m *memoryReader) Read(p []byte) (int, error) {
	if m.offset >= m.bl.Size {
		return 0, io.EOF
	}
	// The chunks of one blob have one length, but for the last.
	length := int64(len(m.bl.chunks[0]))
	n := copy(p, m.bl.chunks[m.offset/length][m.offset%length:])
	m.offset += int64(n)
	return n, nil
}

func (m *memoryReader) Close() error { return nil }
