package target

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

const (
	minBucketName = 3
	maxBucketName = 63
	maxObjectName = 1023    // bytes
	maxUploadID   = 1 << 10 // bytes; OSS makes 32
)

// CheckBucket returns an error if name cannot be the name of a bucket: it must be 3
// to 63 characters long, of lower-case letters, digits and hyphens, and begin and
// end with a letter or digit (OSS documentation, Bucket naming conventions).
func CheckBucket(name string) error {
	if n := len(name); n < minBucketName || n > maxBucketName {
		return fmt.Errorf("bucket name %q has %d characters: want %d to %d", Clip(name), n, minBucketName, maxBucketName)
	}
	for _, c := range name {
		if !isLower(c) && !isDigit(c) && c != '-' {
			return fmt.Errorf("bucket name %q has %q in it: want lower-case letters, digits and hyphens", name, c)
		}
	}
	if name[0] == '-' || name[len(name)-1] == '-' {
		return fmt.Errorf("bucket name %q: want a letter or digit at both ends, not a hyphen", name)
	}
	return nil
}

// CheckObject returns an error if key cannot be the name of an object: it must be 1
// to 1,023 bytes of UTF-8 that do not begin with / or \ (OSS documentation, Object
// naming conventions).
func CheckObject(key string) error {
	switch {
	case key == "":
		return fmt.Errorf("object name is empty: want 1 to %d bytes", maxObjectName)
	case len(key) > maxObjectName:
		return fmt.Errorf("object name %q has %d bytes: want at most %d", Clip(key), len(key), maxObjectName)
	case key[0] == '/' || key[0] == '\\':
		return fmt.Errorf("object name %q begins with %q: OSS does not allow that", Clip(key), key[0])
	case !utf8.ValidString(key):
		return fmt.Errorf("object name %q is not valid UTF-8", Clip(key))
	}
	return nil
}

// CheckUploadID returns an error if id cannot be the ID of an upload: it must be 1 to
// 1,024 bytes, and be fit for a line of text.
func CheckUploadID(id string) error {
	switch {
	case id == "":
		return errors.New("upload ID is empty")
	case len(id) > maxUploadID:
		return fmt.Errorf("upload ID has %d bytes: want at most %d", len(id), maxUploadID)
	case !fit(id):
		return fmt.Errorf("upload ID %q has characters that cannot be printed", Clip(id))
	}
	return nil
}

func isLower(c rune) bool { return 'a' <= c && c <= 'z' }

func isDigit(c rune) bool { return '0' <= c && c <= '9' }
