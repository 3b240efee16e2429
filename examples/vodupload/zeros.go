package main

import "io"

// zeros are bytes that cost nothing to make.
type zeros struct{}

// Read implements io.Reader.
func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func (z zeros) reader(n int64) io.Reader { return io.LimitReader(z, n) }
