package checkpoint

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"io"
)

// The layout of bbolt's files, version 2. Numbers are in the order of the machine.
const (
	pageSize    = 4096
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
	// maxPages bounds what is read of a file that is not one of ours: 1 GiB.
	maxPages = 1 << 18
	// maxDepth of the tree. With 10,000 parts it is 3.
	maxDepth = 16
)

var order = binary.NativeEndian

// A meta is the root of everything: there are two, written in turns.
type meta struct {
	pageSize uint32

	root, freelist, pages, txid uint64
}

// readMeta returns the last meta that was written completely: the one that bbolt
// will choose.
func readMeta(r io.ReaderAt) (meta, error) {
	var best meta
	var found bool
	var why [2]error
	for i := range why {
		m, err := parseMeta(r, int64(i))
		why[i] = err
		if err == nil && m.pageSize != pageSize {
			return meta{}, fmt.Errorf("meta page %d: pages have %d bytes, want %d", i, m.pageSize, pageSize)
		}
		if err == nil && (!found || m.txid > best.txid) {
			best, found = m, true
		}
	}
	switch {
	case !found:
		return meta{}, fmt.Errorf("not a checkpoint: %w; %w", why[0], why[1])
	case best.txid > maxTxID || best.pages > maxPages:
		return meta{}, fmt.Errorf("transaction %d, %d pages, want at most %d and %d", best.txid, best.pages, uint64(maxTxID), maxPages)
	}
	return best, nil
}

func parseMeta(r io.ReaderAt, page int64) (meta, error) {
	var buf [metaEnd]byte
	if _, err := r.ReadAt(buf[:], page*pageSize); err != nil {
		return meta{}, fmt.Errorf("read meta page %d: %w", page, err)
	}
	b := buf[pageHead:]
	sum := fnv.New64a()
	_, _ = sum.Write(b[:metaSummed])
	switch {
	case order.Uint32(b) != boltMagic:
		return meta{}, fmt.Errorf("meta page %d begins with %08x, want %08x", page, order.Uint32(b), uint32(boltMagic))
	case order.Uint32(b[4:]) != boltVersion:
		return meta{}, fmt.Errorf("meta page %d has version %d, want %d", page, order.Uint32(b[4:]), boltVersion)
	case order.Uint64(b[metaSummed:]) != sum.Sum64():
		return meta{}, fmt.Errorf("meta page %d has checksum %016x, want %016x", page, order.Uint64(b[metaSummed:]), sum.Sum64())
	}
	return meta{
		pageSize: order.Uint32(b[8:]), root: order.Uint64(b[16:]), freelist: order.Uint64(b[32:]),
		pages: order.Uint64(b[40:]), txid: order.Uint64(b[48:]),
	}, nil
}
