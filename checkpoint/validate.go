package checkpoint

import (
	"fmt"
	"time"
)

// Limits of what is kept. They are far above what the service gives out, and low
// enough that a damaged length cannot ask for much memory.
const (
	maxPartNumber = 10_000  // OSS documentation, UploadPart: partNumber
	maxText       = 1 << 20 // bytes, of each text in a record
	maxETag       = 1 << 16 // bytes
)

// Validate returns an error that wraps [ErrInvalid] if r is not a complete record
// of this version: an upload ID and a part size are needed, but for a record of a
// source that has no destination yet; sizes are not negative, and no text is longer
// than 1 MiB. Stores call it before they write a record and after they have read
// one.
func (r Record) Validate() error {
	bare := r.Key == Key{Source: r.Key.Source}
	switch {
	case r.Version != Version:
		return fmt.Errorf("%w record: version is %d, want %d", ErrInvalid, r.Version, Version)
	case r.UploadID == "" && !bare:
		return fmt.Errorf("%w record: no upload ID", ErrInvalid)
	case r.PartSize < 1 && !bare, r.PartSize < 0:
		return fmt.Errorf("%w record: part size is %d bytes, want at least 1", ErrInvalid, r.PartSize)
	case r.Source.Size < 0:
		return fmt.Errorf("%w record: source size is %d bytes, want at least 0", ErrInvalid, r.Source.Size)
	}
	for _, t := range r.texts() {
		if len(*t.value) > maxText {
			return fmt.Errorf("%w record: %s has %d bytes, want at most %d", ErrInvalid, t.name, len(*t.value), maxText)
		}
	}
	return nil
}

// Validate returns an error that wraps [ErrInvalid] if p cannot be a part: its
// number is from 1 to 10,000, its size is not negative, and its ETag has at most
// 64 KiB.
func (p Part) Validate() error {
	switch {
	case p.Number < 1 || p.Number > maxPartNumber:
		return fmt.Errorf("%w part: number is %d, want 1 to %d", ErrInvalid, p.Number, maxPartNumber)
	case p.Size < 0:
		return fmt.Errorf("%w part %d: size is %d bytes, want at least 0", ErrInvalid, p.Number, p.Size)
	case len(p.ETag) > maxETag:
		return fmt.Errorf("%w part %d: ETag has %d bytes, want at most %d", ErrInvalid, p.Number, len(p.ETag), maxETag)
	}
	return nil
}

type text struct {
	name  string
	value *string
}

func (r *Record) texts() []text {
	return []text{
		{"key source", &r.Key.Source},
		{"endpoint", &r.Key.Endpoint},
		{"bucket", &r.Key.Bucket},
		{"object", &r.Key.Object},
		{"fingerprint", &r.Source.Fingerprint},
		{"upload ID", &r.UploadID},
		{"video ID", &r.VideoID},
	}
}

// toWrite returns r as it will be read again, or why it cannot be written under key.
func (r Record) toWrite(key Key) (Record, error) {
	if r.Version == 0 {
		r.Version = Version
	}
	if err := r.Validate(); err != nil {
		return Record{}, err
	}
	if r.Key != key {
		return Record{}, fmt.Errorf("%w record: it is of %v, the upload was opened for %v", ErrInvalid, r.Key, key)
	}
	r.Source.ModTime = stored(r.Source.ModTime)
	r.Source.ChangeTime = stored(r.Source.ChangeTime)
	r.Started = stored(r.Started)
	return r, nil
}

// stored returns t as it is after having been written and read.
func stored(t time.Time) time.Time {
	return time.Unix(t.Unix(), int64(t.Nanosecond())).UTC()
}
