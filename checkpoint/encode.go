package checkpoint

import (
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"time"
)

const recordMagic = "VODC"

// Forms of an ETag.
const (
	etagVerbatim = iota
	etagUpperHex // 32 digits: what OSS gives for a part, the MD5 of its bytes
	etagLowerHex
)

const hexETagLen = 32

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func appendChecksum(b []byte, from int) []byte {
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b[from:], castagnoli))
}

// MarshalBinary returns the encoding that the package comment describes. The error
// is that of [Record.Validate].
func (r Record) MarshalBinary() ([]byte, error) { return r.AppendBinary(nil) }

// AppendBinary is MarshalBinary into the space of b.
func (r Record) AppendBinary(b []byte) ([]byte, error) {
	if err := r.Validate(); err != nil {
		return b, err
	}
	from := len(b)
	b = append(b, recordMagic...)
	b = append(b, Version)
	for _, s := range []string{r.Key.Source, r.Key.Endpoint, r.Key.Bucket, r.Key.Object} {
		b = appendText(b, s)
	}
	b = binary.BigEndian.AppendUint64(b, uint64(r.Source.Size))
	b = appendTime(b, r.Source.ModTime)
	b = binary.BigEndian.AppendUint64(b, r.Source.Inode)
	b = binary.BigEndian.AppendUint64(b, r.Source.Device)
	b = appendTime(b, r.Source.ChangeTime)
	b = appendText(b, r.Source.Fingerprint)
	b = appendText(b, r.UploadID)
	b = binary.BigEndian.AppendUint64(b, uint64(r.PartSize))
	b = appendTime(b, r.Started)
	b = appendText(b, r.VideoID)
	return appendChecksum(b, from), nil
}

func appendText(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

func appendTime(b []byte, t time.Time) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(t.Unix()))
	return binary.BigEndian.AppendUint32(b, uint32(t.Nanosecond()))
}

// MarshalBinary returns the encoding that the package comment describes. The error
// is that of [Part.Validate].
func (p Part) MarshalBinary() ([]byte, error) { return p.AppendBinary(nil) }

// AppendBinary is MarshalBinary into the space of b.
func (p Part) AppendBinary(b []byte) ([]byte, error) {
	if err := p.Validate(); err != nil {
		return b, err
	}
	from := len(b)
	form := etagForm(p.ETag)
	b = append(b, form)
	b = binary.BigEndian.AppendUint16(b, uint16(p.Number))
	b = binary.BigEndian.AppendUint64(b, uint64(p.Size))
	b = binary.BigEndian.AppendUint64(b, p.CRC64)
	if form == etagVerbatim {
		b = append(b, p.ETag...)
	} else {
		// etagForm has seen that all of it are digits.
		b, _ = hex.AppendDecode(b, []byte(p.ETag))
	}
	return appendChecksum(b, from), nil
}

// etagForm finds the form that brings back etag letter by letter.
func etagForm(etag string) byte {
	if len(etag) != hexETagLen {
		return etagVerbatim
	}
	upper, lower := true, true
	for _, c := range []byte(etag) {
		switch {
		case c >= '0' && c <= '9':
		case c >= 'A' && c <= 'F':
			lower = false
		case c >= 'a' && c <= 'f':
			upper = false
		default:
			return etagVerbatim
		}
	}
	switch {
	case upper:
		return etagUpperHex
	case lower:
		return etagLowerHex
	}
	return etagVerbatim
}
