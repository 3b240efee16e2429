package jetstream

import (
	"encoding/binary"
	"fmt"

	"github.com/vodupload/vodupload/checkpoint"
)

const (
	// sealAt is the size from which a message of parts is not written again with more.
	// An upload of 10,000 parts that come one by one is a hundred messages, which take as
	// many requests to read, and each part costs one write of 4 KiB at most.
	sealAt = 4 << 10

	// mostBatch is the size that a message of parts may grow to when many come at once.
	mostBatch = 128 << 10

	// smallestPayload is what the server has to take in one message.
	smallestPayload = 256 << 10
)

// A batch is the message of parts that is being filled. Each time that parts are added
// it is written as a whole, in place of what it was before.
type batch struct {
	number int // of the batch within the claim
	data   []byte
}

// next starts another batch.
func (b *batch) next() { b.number, b.data = b.number+1, nil }

// appendPart adds a part: its length as a varint, then its encoding.
func appendPart(data []byte, p checkpoint.Part) ([]byte, error) {
	enc, err := p.MarshalBinary()
	if err != nil {
		return data, err
	}
	return append(binary.AppendUvarint(data, uint64(len(enc))), enc...), nil
}

// fill appends parts to data until it is full, and returns how many it took.
func fill(data []byte, parts []checkpoint.Part) ([]byte, int, error) {
	for i, p := range parts {
		longer, err := appendPart(data, p)
		if err != nil {
			return data, i, err
		}
		if len(longer) > mostBatch && len(data) > 0 {
			return data, i, nil
		}
		data = longer
	}
	return data, len(parts), nil
}

// decodeParts calls put for each part of a batch.
func decodeParts(data []byte, put func(checkpoint.Part)) error {
	for len(data) > 0 {
		size, n := binary.Uvarint(data)
		if n <= 0 || size > uint64(len(data)-n) {
			return fmt.Errorf("%w: a batch of parts ends in the middle of one", checkpoint.ErrDamaged)
		}
		var p checkpoint.Part
		if err := p.UnmarshalBinary(data[n : n+int(size)]); err != nil {
			return err
		}
		put(p)
		data = data[n+int(size):]
	}
	return nil
}
