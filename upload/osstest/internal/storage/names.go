package storage

import (
	"unicode/utf8"

	"github.com/vodupload/vodupload/upload/osstest/internal/osserr"
)

// Limits of the service (OSS documentation, Limits).
const (
	MaxParts     = 10000
	maxKeyLength = 1023
)

var (
	StorageClasses = []string{"Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive"}
	BucketACLs     = []string{"private", "public-read", "public-read-write"}
	ObjectACLs     = []string{"default", "private", "public-read", "public-read-write"}
)

const (
	VersioningEnabled   = "Enabled"
	VersioningSuspended = "Suspended"
)

// ValidBucketName reports whether OSS would take the name for a bucket.
func ValidBucketName(name string) bool {
	if len(name) < 3 || len(name) > 63 || name[0] == '-' || name[len(name)-1] == '-' {
		return false
	}
	for _, c := range []byte(name) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// CheckKey returns the error that OSS answers to an object name it refuses.
func CheckKey(key string) *osserr.Error {
	switch {
	case key == "":
		return osserr.InvalidObjectName("The Object name can not be empty", key)
	case len(key) > maxKeyLength:
		return osserr.InvalidObjectName("The Length of Object name must be less than 1024", key)
	case key[0] == '/' || key[0] == '\\' || !utf8.ValidString(key):
		return osserr.InvalidObjectName("The specified object is not valid.", key)
	}
	return nil
}
