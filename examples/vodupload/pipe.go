package main

import (
	"errors"
	"io"
)

// errEmptyPipe is the error of a standard input that has nothing: the program before it has
// failed, most likely, and an object that is there would be replaced by an empty one.
var errEmptyPipe = errors.New("standard input is empty: nothing is uploaded")

// A pipe is standard input. That it ends after its first byte does not say whether the
// program before it has succeeded: --size does.
type pipe struct {
	from io.Reader
	some bool // a byte was read
}

// Read implements io.Reader.
func (p *pipe) Read(b []byte) (int, error) {
	n, err := p.from.Read(b)
	p.some = p.some || n > 0
	if err == io.EOF && !p.some {
		err = errEmptyPipe
	}
	return n, err
}
