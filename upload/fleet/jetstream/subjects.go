package jetstream

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/vodupload/vodupload/checkpoint"
)

// subjects are the names of one upload's messages. All of them begin alike, so that one
// filter reads them in the order in which they were written.
type subjects struct{ base string }

// subjectsOf hashes the key, whose fields may have any length and any characters.
func subjectsOf(stream string, key checkpoint.Key) subjects {
	h := sha256.New()
	for _, field := range []string{key.Source, key.Endpoint, key.Bucket, key.Object} {
		h.Write([]byte(strconv.Itoa(len(field)) + ":" + field))
	}
	return subjects{stream + "." + hex.EncodeToString(h.Sum(nil))}
}

func (s subjects) all() string    { return s.base + ".>" }
func (s subjects) lease() string  { return s.base + ".l" }
func (s subjects) record() string { return s.base + ".r" }
func (s subjects) aside() string  { return s.base + ".d" }
func (s subjects) parts() string  { return s.base + ".p.>" }

// part is the subject of one message of parts that belong to the record with the given
// begin.
func (s subjects) part(begin, name string) string { return s.base + ".p." + begin + "." + name }

// beginOf returns which begin a message of parts belongs to; ok is false for all other
// messages.
func (s subjects) beginOf(subject string) (begin string, ok bool) {
	rest, ok := strings.CutPrefix(subject, s.base+".p.")
	if !ok {
		return "", false
	}
	begin, _, _ = strings.Cut(rest, ".")
	return begin, true
}

// Filters of one kind of message of all uploads, and the way back from what they find.
func recordsOf(stream string) string { return stream + ".*.r" }
func leasesOf(stream string) string  { return stream + ".*.l" }

func subjectsIn(subject string) subjects {
	return subjects{subject[:strings.LastIndexByte(subject, '.')]}
}
