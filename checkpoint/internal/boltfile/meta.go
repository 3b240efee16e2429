package boltfile

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"io"
)

// PageSize is the size of the pages that are read and written, in bytes.
const PageSize = 4096

// The layout of bbolt's files, version 2. Numbers are in the byte order of the machine.
const (
	boltMagic   = 0xED0CDAED
	boltVersion = 2

	metaEnd     = 80 // page head and meta
	metaSummed  = 56 // bytes of the meta that its checksum covers
	pageHead    = 16 // id 8, flags 2, count 2, overflow 4
	elementSize = 16 // of a leaf page: flags 4, position 4, key 4, value 4
	bucketHead  = 16 // root page 8, sequence 8

	branchPage   = 0x01
	leafPage     = 0x02
	metaPage     = 0x04
	freelistPage = 0x10

	bucketElement = 0x01
	longFreelist  = 0xFFFF // the count stands in the first element

	// maxTxID keeps a transaction's number from overflowing: at 20 commits a
	// second it takes 400,000 years.
	maxTxID = 1 << 48
	// maxPages bounds what is read of any file: 1 GiB.
	maxPages = 1 << 18
	// maxDepth of the tree. With 10,000 parts it is 3.
	maxDepth = 16
)

var nativeEndian = binary.NativeEndian

// A Meta is the root of everything: there are two, written in turns.
type Meta struct {
	Pages, TxID uint64 // how many pages there are, and the number of the transaction

	pageSize       uint32
	root, freelist uint64
}

// ReadMeta returns the last meta that was written completely: the one that bbolt
// will choose.
func ReadMeta(r io.ReaderAt) (Meta, error) {
	var best Meta
	var found bool
	var why [2]error
	for i := range why {
		m, err := parseMeta(r, int64(i))
		why[i] = err
		if err == nil && m.pageSize != PageSize {
			return Meta{}, fmt.Errorf("meta page %d: pages have %d bytes, want %d", i, m.pageSize, PageSize)
		}
		if err == nil && (!found || m.TxID > best.TxID) {
			best, found = m, true
		}
	}
	switch {
	case !found:
		return Meta{}, fmt.Errorf("no database: %w; %w", why[0], why[1])
	case best.TxID > maxTxID || best.Pages > maxPages:
		return Meta{}, fmt.Errorf("transaction %d, %d pages, want at most %d and %d", best.TxID, best.Pages, uint64(maxTxID), maxPages)
	}
	return best, nil
}

func parseMeta(r io.ReaderAt, page int64) (Meta, error) {
	var buf [metaEnd]byte
	if _, err := r.ReadAt(buf[:], page*PageSize); err != nil {
		return Meta{}, fmt.Errorf("read meta page %d: %w", page, err)
	}
	b := buf[pageHead:]
	sum := fnv.New64a()
	_, _ = sum.Write(b[:metaSummed])
	switch {
	case nativeEndian.Uint32(b) != boltMagic:
		return Meta{}, fmt.Errorf("meta page %d begins with %08x, want %08x", page, nativeEndian.Uint32(b), uint32(boltMagic))
	case nativeEndian.Uint32(b[4:]) != boltVersion:
		return Meta{}, fmt.Errorf("meta page %d has version %d, want %d", page, nativeEndian.Uint32(b[4:]), boltVersion)
	case nativeEndian.Uint64(b[metaSummed:]) != sum.Sum64():
		return Meta{}, fmt.Errorf("meta page %d has checksum %016x, want %016x", page, nativeEndian.Uint64(b[metaSummed:]), sum.Sum64())
	}
	return Meta{
		pageSize: nativeEndian.Uint32(b[8:]), root: nativeEndian.Uint64(b[16:]), freelist: nativeEndian.Uint64(b[32:]),
		Pages: nativeEndian.Uint64(b[40:]), TxID: nativeEndian.Uint64(b[48:]),
	}, nil
}
