package checkpoint

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/vodupload/vodupload/checkpoint/internal/boltfile"
)

var bucketName = []byte("upload")

const (
	keyLen = 2
	tagLen = checksumLen

	// usualValueLen is that of a part with the MD5 of its bytes for an ETag.
	usualValueLen = tagLen + partHead + hexETagLen/2 + checksumLen
)

// partKey returns the key of a part, or of the record for 0.
func partKey(number int) []byte {
	return binary.BigEndian.AppendUint16(make([]byte, 0, keyLen), uint16(number))
}

// tag returns what ties parts to their record: its checksum. A page of an earlier
// upload in the same file is never taken for one of this.
func tag(record []byte) []byte { return record[len(record)-tagLen:] }

// A content is what a file holds.
type content struct {
	rec   Record
	parts []Part
	ok    bool // there is a record
	tag   []byte

	number uint64 // of the last frame of the journal that is in it
}

// readContent reads a file, without trusting any byte of it. An error says that it
// is damaged, or cannot be read.
func readContent(r io.ReaderAt, size int64) (content, error) {
	var c content
	if size == 0 {
		return c, nil
	}
	number, err := boltfile.Walk(r, size, bucketName, c.take)
	if errors.Is(err, io.EOF) {
		err = fmt.Errorf("cut short: %w", err)
	}
	if err != nil {
		return content{}, err
	}
	c.number = number
	return c, nil
}

func (c *content) take(key, value []byte) error {
	if len(key) != keyLen {
		return fmt.Errorf("key %x has %d bytes, want %d", key, len(key), keyLen)
	}
	number := int(binary.BigEndian.Uint16(key))
	switch {
	case number == 0:
		rec, err := decodeRecord(value)
		if err != nil {
			return err
		}
		c.rec, c.ok, c.tag = rec, true, bytes.Clone(tag(value))
		return nil
	case !c.ok:
		return fmt.Errorf("part %d has no record", number)
	case len(value) < tagLen || !bytes.Equal(value[:tagLen], c.tag):
		return fmt.Errorf("part %d is not of this record", number)
	}
	p, err := decodePart(value[tagLen:])
	if err != nil {
		return err
	}
	if p.Number != number {
		return fmt.Errorf("part %d stands under %d", p.Number, number)
	}
	c.parts = append(c.parts, p)
	return nil
}
