package checkpoint

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"strings"
	"time"
)

const (
	checksumLen = 4
	timeLen     = 12
	partHead    = 19 // form, number, size, CRC-64
)

// UnmarshalBinary sets r to what [Record.MarshalBinary] encoded. Anything else
// leaves r as it was and is an error that wraps [ErrDamaged].
func (r *Record) UnmarshalBinary(data []byte) error {
	got, err := decodeRecord(data)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	*r = got
	return nil
}

// UnmarshalBinary sets p to what [Part.MarshalBinary] encoded. Anything else
// leaves p as it was and is an error that wraps [ErrDamaged].
func (p *Part) UnmarshalBinary(data []byte) error {
	got, err := decodePart(data)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	*p = got
	return nil
}

func decodeRecord(data []byte) (Record, error) {
	head := len(recordMagic) + 1
	if len(data) < head+checksumLen || string(data[:len(recordMagic)]) != recordMagic {
		return Record{}, fmt.Errorf("%d bytes are not a record: they do not begin with %q", len(data), recordMagic)
	}
	// The version stands before the checksum: a later one may do it another way.
	if v := data[head-1]; v != Version {
		return Record{}, fmt.Errorf("record has version %d, want %d", v, Version)
	}
	body, err := checked(data)
	if err != nil {
		return Record{}, fmt.Errorf("record: %w", err)
	}
	d := decoder{rest: body[head:]}
	r := Record{Version: Version}
	for _, s := range []*string{&r.Key.Source, &r.Key.Endpoint, &r.Key.Bucket, &r.Key.Object} {
		*s = d.text()
	}
	r.Source.Size = int64(d.number())
	r.Source.ModTime = d.time()
	r.Source.Inode = d.number()
	r.Source.Device = d.number()
	r.Source.ChangeTime = d.time()
	r.Source.Fingerprint = d.text()
	r.UploadID = d.text()
	r.PartSize = int64(d.number())
	r.Started = d.time()
	r.VideoID = d.text()
	if d.bad || len(d.rest) > 0 {
		return Record{}, fmt.Errorf("record of %d bytes does not hold its fields (%d bytes left)", len(data), len(d.rest))
	}
	return r, r.Validate()
}

func decodePart(data []byte) (Part, error) {
	if len(data) < partHead+checksumLen {
		return Part{}, fmt.Errorf("part has %d bytes, want at least %d", len(data), partHead+checksumLen)
	}
	body, err := checked(data)
	if err != nil {
		return Part{}, fmt.Errorf("part: %w", err)
	}
	form, etag := body[0], body[partHead:]
	p := Part{
		Number: int(binary.BigEndian.Uint16(body[1:])),
		Size:   int64(binary.BigEndian.Uint64(body[3:])),
		CRC64:  binary.BigEndian.Uint64(body[11:]),
	}
	switch {
	case form == etagVerbatim:
		p.ETag = string(etag)
	case form > etagLowerHex || len(etag) != hexETagLen/2:
		return Part{}, fmt.Errorf("part %d: ETag of form %d has %d bytes", p.Number, form, len(etag))
	default:
		p.ETag = hexETag(etag, form == etagUpperHex)
	}
	return p, p.Validate()
}

func hexETag(sum []byte, upper bool) string {
	digits := hex.EncodeToString(sum)
	if upper {
		return strings.ToUpper(digits)
	}
	return digits
}

// checked returns data without the checksum at its end, which it has compared.
func checked(data []byte) ([]byte, error) {
	body, sum := data[:len(data)-checksumLen], binary.BigEndian.Uint32(data[len(data)-checksumLen:])
	if got := crc32.Checksum(body, castagnoli); got != sum {
		return nil, fmt.Errorf("checksum of %d bytes is %08x, want %08x", len(body), got, sum)
	}
	return body, nil
}

// A decoder takes fields off rest. After one that is not there it gives zeros, and
// bad is set.
type decoder struct {
	rest []byte
	bad  bool
}

func (d *decoder) take(n uint64) []byte {
	if d.bad || n > uint64(len(d.rest)) {
		d.bad = true
		return nil
	}
	b := d.rest[:n]
	d.rest = d.rest[n:]
	return b
}

func (d *decoder) number() uint64 {
	b := d.take(8)
	if d.bad {
		return 0
	}
	return binary.BigEndian.Uint64(b)
}

func (d *decoder) time() time.Time {
	b := d.take(timeLen)
	if d.bad {
		return time.Time{}
	}
	nanos := binary.BigEndian.Uint32(b[8:])
	if nanos >= uint32(time.Second) {
		d.bad = true
		return time.Time{}
	}
	return time.Unix(int64(binary.BigEndian.Uint64(b)), int64(nanos)).UTC()
}

func (d *decoder) text() string {
	n, used := binary.Uvarint(d.rest)
	if used <= 0 {
		d.bad = true
		return ""
	}
	d.take(uint64(used))
	return string(d.take(n))
}
