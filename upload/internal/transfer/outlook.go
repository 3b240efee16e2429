package transfer

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"

	"github.com/vodupload/vodupload/upload/internal/tasks"
)

// final are errors of a source that do not pass by themselves.
var final = []error{
	ErrChanged, ErrNoReadAt, ErrNotRegular,
	fs.ErrNotExist, fs.ErrPermission, fs.ErrClosed, fs.ErrInvalid, errors.ErrUnsupported,
	io.ErrClosedPipe, io.ErrNoProgress, net.ErrClosed, context.Canceled,
	errPanic, tasks.ErrGoexit, errBadCount, errLongSection,
}

// outlook reports whether an error of a source may pass by itself, and so is worth
// another try. That is so for one that nothing is known about: only its owner could
// say, and a read that is repeated does no harm; known is false then.
func outlook(err error) (passes, known bool) {
	for _, f := range final {
		if errors.Is(err, f) {
			return false, true
		}
	}
	switch {
	case err == io.EOF:
		return false, true
	case isTemporary(err), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return true, true // of a server that hung up
	}
	if passes, known := errnoOutlook(err); known {
		return passes, true
	}
	return true, false
}

// isTemporary reports whether err says so itself, as those of package net do.
func isTemporary(err error) bool {
	var timeout interface{ Timeout() bool }
	var temporary interface{ Temporary() bool }
	return errors.As(err, &timeout) && timeout.Timeout() || errors.As(err, &temporary) && temporary.Temporary()
}
