package main

import (
	"hash/crc64"
	"io"
	"math/rand/v2"
	"os"
	"sync"

	"github.com/aliyun/aliyun-oss-go-sdk/oss"
)

// block is what all files are made of, over and over. So every body that begins at
// a multiple of its size has a CRC64 that depends on its length only, and the sink
// need not compute one for each.
var block = func() []byte {
	b := make([]byte, 4*kib)
	rng := rand.NewChaCha8([32]byte{1})
	_, _ = rng.Read(b)
	return b
}()

// writePattern makes a file of size bytes. A large one is written to disk, so that no
// contender shares the machine with that, or waits for it: the library has what is
// younger than a minute written back before it reads it.
func writePattern(path string, size int64) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	for left := size; left > 0 && err == nil; left -= int64(len(block)) {
		_, err = f.Write(block[:min(left, int64(len(block)))])
	}
	if err == nil && size >= mib {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

// A checksums knows the CRC64 of the pattern, for every length that was asked for.
type checksums struct {
	mu    sync.Mutex
	known map[int64]uint64
}

var table = crc64.MakeTable(crc64.ECMA)

// of returns the CRC64 of the pattern's first n bytes.
func (c *checksums) of(n int64) uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil {
		c.known = make(map[int64]uint64)
	}
	sum, ok := c.known[n]
	if !ok {
		sum = patternCRC(n)
		c.known[n] = sum
	}
	return sum
}

// patternCRC doubles its way up: the CRC64 of twice as many blocks is that of both
// halves combined.
func patternCRC(n int64) uint64 {
	var sum uint64
	unit, size := crc64.Checksum(block, table), int64(len(block))
	for blocks := n / size; blocks > 0; blocks >>= 1 {
		if blocks&1 == 1 {
			sum = oss.CRC64Combine(sum, unit, uint64(size))
		}
		unit, size = oss.CRC64Combine(unit, unit, uint64(size)), 2*size
	}
	rest := block[:n%int64(len(block))]
	return oss.CRC64Combine(sum, crc64.Checksum(rest, table), uint64(len(rest)))
}

// discard reads r to its end, and returns how much that was.
func discard(r io.Reader, buf []byte) (int64, error) {
	var n int64
	for {
		k, err := r.Read(buf)
		n += int64(k)
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}
