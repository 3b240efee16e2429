package upload

import (
	"encoding/binary"
	"hash"

	"github.com/vodupload/vodupload/upload/internal/crc64"
)

// NewCRC64 returns the checksum that OSS computes of every object (CRC-64/ECMA,
// x-oss-hash-crc64ecma), and [Result] and [ObjectInfo] have as CRC64. It is that of
// hash/crc64 with the ECMA table, at up to 60 times the speed.
func NewCRC64() hash.Hash64 { return new(crc64Hash) }

type crc64Hash struct{ sum uint64 }

func (h *crc64Hash) Write(p []byte) (int, error) {
	h.sum = crc64.Update(h.sum, p)
	return len(p), nil
}

func (h *crc64Hash) Sum64() uint64       { return h.sum }
func (h *crc64Hash) Sum(b []byte) []byte { return binary.BigEndian.AppendUint64(b, h.sum) }
func (h *crc64Hash) Reset()              { h.sum = 0 }
func (h *crc64Hash) Size() int           { return 8 }
func (h *crc64Hash) BlockSize() int      { return 1 }
