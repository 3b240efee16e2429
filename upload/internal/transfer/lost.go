package transfer

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"syscall"
)

// A handle is a file that was opened, and what was said of it then.
type handle struct {
	openFile
	info  fs.FileInfo
	again bool // another one was lost before it
}

// isLost reports whether an error says that an open file will never work again: the file
// system that it is on was mounted anew, or its server does not know the file any more. A
// look at its path, and another open, may well succeed.
func isLost(err error) bool {
	var no syscall.Errno
	return errors.As(err, &no) && slices.Contains(losing, no)
}

// lost returns why the open file will never work again; nil: it may.
func (h *handle) lost() error {
	if _, err := h.Stat(); isLost(err) {
		return err
	}
	if err := systemError(h.openFile); isLost(err) { // the kernel may remember what Stat says
		return err
	}
	return nil
}

// ifLost returns err, which came of h, unless h is lost. Then the file is opened again, and
// the error says that what is under way has to be tried again. From then on its bytes are
// doubtful, so that they are read again before the object is made: what was mounted may be
// something else.
func (s *fileSource) ifLost(h *handle, err error) error {
	lost := h.lost()
	if lost == nil {
		return err
	}
	if err := s.renew(h); errors.Is(err, ErrChanged) {
		return err
	}
	return fmt.Errorf("the file system of %s went away: %w", s.path, lost)
}

// renew opens the file again, unless that was done meanwhile.
func (s *fileSource) renew(h *handle) error {
	s.renewing.Lock()
	defer s.renewing.Unlock()
	if s.open.Load() != h {
		return nil
	}
	f, err := s.do()
	if err != nil {
		return err
	}
	now, err := handleOf(f, s.path)
	if err == nil {
		err = s.compare(now.info)
	}
	if err != nil {
		_ = f.Close()
		return err
	}
	now.again = true
	s.open.Store(now)
	s.gone = append(s.gone, h)
	return nil
}
