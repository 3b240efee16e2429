package checkpoint

import "hash/fnv"

// emptyImage returns the bytes of a bbolt database without buckets: two meta pages,
// a list of no free pages, an empty root. bbolt would write the same into a new
// file, and sync it at once; this way, one sync at the end of Begin is enough.
func emptyImage() []byte {
	const freelistID, rootID, pages = 2, 3, 4
	b := make([]byte, pages*pageSize)
	for id := range uint64(2) {
		page := b[id*pageSize:]
		order.PutUint64(page, id)
		order.PutUint16(page[8:], metaPage)
		m := page[pageHead:metaEnd]
		order.PutUint32(m, boltMagic)
		order.PutUint32(m[4:], boltVersion)
		order.PutUint32(m[8:], pageSize)
		order.PutUint64(m[16:], rootID)
		order.PutUint64(m[32:], freelistID)
		order.PutUint64(m[40:], pages)
		order.PutUint64(m[48:], id) // the transaction
		sum := fnv.New64a()
		_, _ = sum.Write(m[:metaSummed])
		order.PutUint64(m[metaSummed:], sum.Sum64())
	}
	order.PutUint64(b[freelistID*pageSize:], freelistID)
	order.PutUint16(b[freelistID*pageSize+8:], freelistPage)
	order.PutUint64(b[rootID*pageSize:], rootID)
	order.PutUint16(b[rootID*pageSize+8:], leafPage)
	return b
}
