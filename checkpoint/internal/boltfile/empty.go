package boltfile

import "hash/fnv"

// Empty returns the bytes of a bbolt database without buckets: two meta pages,
// a list of no free pages, an empty root. bbolt would write the same into a new
// file, and sync it at once; this way, one sync at the end of Begin is enough.
func Empty() []byte {
	const freelistID, rootID, pages = 2, 3, 4
	b := make([]byte, pages*PageSize)
	for id := range uint64(2) {
		page := b[id*PageSize:]
		nativeEndian.PutUint64(page, id)
		nativeEndian.PutUint16(page[8:], metaPage)
		m := page[pageHead:metaEnd]
		nativeEndian.PutUint32(m, boltMagic)
		nativeEndian.PutUint32(m[4:], boltVersion)
		nativeEndian.PutUint32(m[8:], PageSize)
		nativeEndian.PutUint64(m[16:], rootID)
		nativeEndian.PutUint64(m[32:], freelistID)
		nativeEndian.PutUint64(m[40:], pages)
		nativeEndian.PutUint64(m[48:], id) // the transaction
		sum := fnv.New64a()
		_, _ = sum.Write(m[:metaSummed])
		nativeEndian.PutUint64(m[metaSummed:], sum.Sum64())
	}
	nativeEndian.PutUint64(b[freelistID*PageSize:], freelistID)
	nativeEndian.PutUint16(b[freelistID*PageSize+8:], freelistPage)
	nativeEndian.PutUint64(b[rootID*PageSize:], rootID)
	nativeEndian.PutUint16(b[rootID*PageSize+8:], leafPage)
	return b
}
