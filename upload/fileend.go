package upload

import "fmt"

// A fileEnd is how a file came to rest, for the calls that wait for it.
type fileEnd struct {
	done chan struct{} // closed once nothing will happen to the file by itself
	info FileInfo      // as it was then
	mark uint64        // of the last callback about it
	err  error         // why it has not ended; nil: it has
}

func newFileEnd() *fileEnd { return &fileEnd{done: make(chan struct{})} }

// outcome is what these calls return.
func (d *fileEnd) outcome() (Result, error) {
	switch {
	case d.info.State == FileSucceeded:
		return *d.info.Result, nil
	case d.info.State == FileCanceled:
		return Result{}, newError(&d.info, ErrCanceled)
	case d.err != nil:
		return Result{}, fmt.Errorf("upload: WaitFile: %w", d.err)
	}
	return Result{}, d.info.Err
}
