//go:build !gc || purego || !(amd64 || arm64)

package crc64

const lastKernel = tableOnly

func (k kernel) update(crc uint64, p []byte) uint64 {
	return updateTable(crc, p)
}

func (k kernel) available() bool {
	return k == tableOnly
}

func (k kernel) String() string {
	return "table"
}
