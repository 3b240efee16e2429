package storage

import (
	"crypto/rand"
	"encoding/hex"
	"strings"
)

// NewID returns n random bytes in upper-case hexadecimal digits. OSS has 24
// digits in a request ID and 32 in an upload ID.
func NewID(n int) string {
	b := make([]byte, n)
	rand.Read(b) // never fails, by its documentation
	return strings.ToUpper(hex.EncodeToString(b))
}

// NewVersionID looks like the version IDs of OSS, which are 64 characters.
func NewVersionID() string { return versionPrefix + NewID(30) }

const versionPrefix = "CAEQ"

// isID reports whether a text can be an upload ID, or the name of a body.
func isID(s string) bool { return len(s) == 32 && isUpperHex(s) }

func isVersionID(s string) bool {
	digits, ok := strings.CutPrefix(s, versionPrefix)
	return ok && len(digits) == 60 && isUpperHex(digits)
}

func isUpperHex(s string) bool { return strings.Trim(s, "0123456789ABCDEF") == "" }
