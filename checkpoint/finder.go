package checkpoint

import (
	"context"
	"errors"
	"io/fs"
	"os"
)

// A Finder is a [Store] that says for less than a claim costs that it knows nothing
// of an upload. A file that fits into one part has no checkpoint, unless an earlier
// run with smaller parts left one: without a Finder, each such file costs a claim.
type Finder interface {
	Store

	// Has reports whether Open would find something, if only a claim or what it
	// would set aside. It claims nothing and disturbs no holder. After an error, Open
	// says more.
	Has(ctx context.Context, key Key) (bool, error)
}

var (
	_ Finder = (*Dir)(nil)
	_ Finder = (*Memory)(nil)
)

// Has implements [Finder].
func (d *Dir) Has(ctx context.Context, key Key) (bool, error) {
	if err := context.Cause(ctx); err != nil {
		return false, err
	}
	if d.isClosed() {
		return false, ErrClosed
	}
	path := d.file(key)
	switch _, err := os.Lstat(path); {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, fail("look at", path, err)
	}
	return true, nil
}

// Has implements [Finder].
func (m *Memory) Has(ctx context.Context, key Key) (bool, error) {
	if err := context.Cause(ctx); err != nil {
		return false, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return false, ErrClosed
	}
	return m.by[key] != nil, nil
}
