package main

import (
	"errors"
	"io"
	"sync"
	"syscall"

	"github.com/vodupload/vodupload/examples/vodupload/internal/output"
)

// A checkedWriter is standard output. Whoever writes to it need not look at errors: the
// end of the run does. That the reader has gone away is none.
type checkedWriter struct {
	to  io.Writer
	mu  sync.Mutex
	err error // the first
}

// Write implements io.Writer. It never fails.
func (w *checkedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		_, w.err = w.to.Write(p)
	}
	return len(p), nil
}

// columnsOf returns how wide the terminal is that standard output is; 0: it is none.
func columnsOf(w io.Writer) int {
	if checked, ok := w.(*checkedWriter); ok {
		w = checked.to
	}
	return output.Columns(w)
}

// failure returns why something is missing that should have been written, or nil.
func (w *checkedWriter) failure() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if errors.Is(w.err, syscall.EPIPE) || errors.Is(w.err, io.ErrClosedPipe) {
		return nil
	}
	return w.err
}
