package transfer

import (
	"errors"
	"fmt"
	"io"
	"math"
	"sync"

	"github.com/vodupload/vodupload/upload/internal/wire"
)

// ErrTooManyParts is returned for a stream that does not end within 10,000 parts.
var ErrTooManyParts = errors.New("stream does not fit into 10,000 parts")

// A Stream is a reader on its way to an object; its length need not be known. Its parts are
// read into buffers, one more than there are requests in flight, and a part stays
// in its buffer until the server has it. So a run can be interrupted and another
// resume it, as long as the process lives.
type Stream struct {
	r      io.Reader // what the user gave
	from   io.Reader // what is read: r, or r checked against its length
	total  int64     // bytes that r has to have; -1 if that is not known
	size   int64     // of each part but the last
	read   chan chunk
	closed chan struct{}
	asked  bool  // a part was asked for and not taken yet
	ended  bool  // the reader has said so
	err    error // of the reader: it is not asked again
	bytes  int64

	mu      sync.Mutex
	reading bool // a goroutine reads
	closing bool
	parts   []wire.Part    // by number-1
	unsent  map[int][]byte // parts that were read and are not acknowledged
	free    [][]byte
}

// NewStream returns a stream of the bytes of r.
func NewStream(r io.Reader) *Stream {
	return &Stream{r: r, from: r, total: -1, read: make(chan chunk, 1), closed: make(chan struct{}), unsent: make(map[int][]byte)}
}

// NewSizedStream returns a stream of the bytes of r, which has to have size of them: if it
// has fewer or more, the stream fails with [ErrSizeMismatch].
func NewSizedStream(r io.Reader, size int64) *Stream {
	st := NewStream(r)
	st.from, st.total = &exactly{r: r, size: size}, size
	return st
}

// setPartSize sets the size of the parts. One that is alone needs no larger buffer than
// the stream is long.
func (st *Stream) setPartSize(plan Plan) {
	size := plan.PartSize
	if st.total >= 0 {
		size = min(size, st.total)
	}
	if st.size != size { // a Read of an earlier run may be under way
		st.size = size
	}
}

// Reader returns what s reads; nil if s is nil.
func (s *Stream) Reader() io.Reader {
	if s == nil {
		return nil
	}
	return s.r
}

// CheckBuffers returns an error that wraps [ErrTooLarge] if the parts of a stream that
// are in memory at the same time, one more than there are requests in flight, are
// more than a system whose largest int is maxInt can address.
func CheckBuffers(partSize int64, parallel int, maxInt int64) error {
	if buffers := int64(parallel) + 1; partSize > maxInt/buffers {
		return fmt.Errorf("%w: %d parts of %d bytes have to be in memory, this system can address %d bytes", ErrTooLarge, buffers, partSize, maxInt)
	}
	return nil
}

// addressable is how many parts of a stream may be in flight on a system whose largest
// int is maxInt.
func addressable(partSize, maxInt int64) int {
	return int(max(1, min(maxInt/max(partSize, 1), math.MaxInt32)-1))
}

func (st *Stream) bufferLocked() []byte {
	if n := len(st.free); n > 0 {
		buf := st.free[n-1]
		st.free = st.free[:n-1]
		return buf[:min(int64(cap(buf)), st.size)]
	}
	return make([]byte, min(st.size, firstBuffer))
}

// hold keeps a part until it is acknowledged, and returns its number.
func (st *Stream) hold(buf []byte) int {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.parts = append(st.parts, wire.Part{})
	st.unsent[len(st.parts)] = buf
	return len(st.parts)
}

// acknowledge records that the server has a part. Its buffer is used again, unless there
// are more than it takes for that many requests in flight.
func (st *Stream) acknowledge(p wire.Part, parallel int) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.parts[p.Number-1] = p
	if len(st.unsent)+len(st.free) <= parallel+1 {
		st.free = append(st.free, st.unsent[p.Number])
	}
	delete(st.unsent, p.Number)
}

func (st *Stream) pending() map[int][]byte {
	st.mu.Lock()
	defer st.mu.Unlock()
	m := make(map[int][]byte, len(st.unsent))
	for n, buf := range st.unsent {
		m[n] = buf
	}
	return m
}
