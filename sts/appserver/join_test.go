package appserver

import (
	"errors"
	"io"
	"testing"
)

func TestJoinIsOneLine(t *testing.T) {
	err := join(nil, io.EOF, nil, io.ErrClosedPipe)
	if want := "EOF; io: read/write on closed pipe"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
	if !errors.Is(err, io.EOF) || !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("%v has lost a cause", err)
	}
	if err := join(nil, nil); err != nil {
		t.Errorf("got %v of no errors", err)
	}
	if err := join(nil, io.EOF); err != io.EOF {
		t.Errorf("got %v, want the only error as it is", err)
	}
}
