package transfer

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/vodupload/vodupload/upload/internal/crc64"
	"github.com/vodupload/vodupload/upload/internal/wire"
)

// hash returns the CRC64 of a section of the source, and writes the section to others that
// want it.
func (u *upload) hash(ctx context.Context, off, size int64, others ...io.Writer) (uint64, error) {
	src, section := sectioned(ctx, u.job.Source, off, size)
	defer section.close()
	r := io.NewSectionReader(src, off, size)
	b := hashBuffers.Get().(*[hashBuffer]byte)
	defer hashBuffers.Put(b)
	buf := b[:]
	var crc uint64
	for left := size; left > 0; {
		if ctx.Err() != nil {
			return 0, context.Cause(ctx)
		}
		n, err := r.Read(buf[:min(left, int64(len(buf)))])
		crc = crc64.Update(crc, buf[:n])
		for _, w := range others {
			_, _ = w.Write(buf[:n]) // a hash has no errors
		}
		left -= int64(n)
		if err != nil && (err != io.EOF || left > 0) {
			return 0, fmt.Errorf("read source at byte %d: %w", off+size-left, err)
		}
	}
	return crc, nil
}

// hashBuffer is how much of a source is read at a time. The buffers are used again: of
// thousands of small files, making them would cost more than the CRC64s.
const hashBuffer = 256 << 10

var hashBuffers = sync.Pool{New: func() any { return new([hashBuffer]byte) }}

// matching returns those of the parts that have the CRC64 of the local bytes.
func (u *upload) matching(ctx context.Context, parts []wire.Part) ([]wire.Part, error) {
	same := make([]bool, len(parts))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, p := range parts {
		if gctx.Err() != nil {
			break
		}
		g.Go(func() error {
			off, size := u.plan.Section(p.Number)
			return u.local(gctx, p.Number, func() error {
				crc, err := u.hash(gctx, off, size)
				same[i] = crc == p.CRC64
				return err
			})
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	if ctx.Err() != nil { // not all were looked at
		return nil, context.Cause(ctx)
	}
	var kept []wire.Part
	for i, p := range parts {
		if same[i] {
			kept = append(kept, p)
		}
	}
	return kept, nil
}

// stillSame is the last look at the source before the object is made. If it was
// touched in a way that leaves size and time as they were, the parts are read
// again: they must be what they were when they were sent.
func (u *upload) stillSame(ctx context.Context, parts []wire.Part) error {
	var touched bool
	err := u.local(ctx, 0, func() (err error) {
		if err := u.job.Source.Check(); err != nil {
			return err
		}
		touched, err = u.job.Source.Touched()
		return err
	})
	if err != nil || !touched {
		return err
	}
	same, err := u.matching(ctx, parts)
	if err != nil {
		return err
	}
	if len(same) < len(parts) {
		return fmt.Errorf("%w: %d of %d parts have other bytes now, though size and time are the same", ErrChanged, len(parts)-len(same), len(parts))
	}
	return nil
}

// combined returns the CRC64 of the parts in their order.
func combined(parts []wire.Part) uint64 {
	var crc uint64
	for _, p := range parts {
		crc = crc64.Combine(crc, p.CRC64, p.Size)
	}
	return crc
}
