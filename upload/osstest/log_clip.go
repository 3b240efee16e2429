package osstest

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// Limits of the log, in bytes. OSS takes no longer names, and 8 KiB of metadata;
// a call that OSS refuses may have a megabyte of either.
const (
	maxLoggedText   = 2 << 10   // of one value
	maxLoggedValues = 16 << 10  // of the header, and of the query
	maxLoggedBytes  = 256 << 20 // of all calls; room for 100,000 of some 2.5 KiB

	// About what an entry and each of its values take besides their text: a
	// header can have half a million values that are empty.
	entryOverhead = 512
	valueOverhead = 32
)

// callSize returns about what a call takes in the log, in bytes.
func callSize(r *Request) int {
	return entryOverhead + size(r.Header) + size(r.Query) +
		len(r.Method) + len(r.Bucket) + len(r.Key) + len(r.UploadID) + len(r.AccessKeyID) + len(r.RemoteAddr)
}

// clip returns a text as the log keeps it: a copy, since a part of a long text, as
// the bucket is one of a URL, keeps all of it in memory.
func clip(s string) string {
	if len(s) <= maxLoggedText {
		return strings.Clone(s)
	}
	return fmt.Sprintf("%s... (%d bytes)", s[:maxLoggedText], len(s))
}

// clipHeader returns a header as the log keeps it: as it is where it is small,
// since net/http makes each of its texts by itself.
func clipHeader(h http.Header) http.Header {
	if size(h) <= maxLoggedValues {
		return h
	}
	return clipValues(h)
}

// clipValues returns a copy of a header or a query without the values that are too
// long or too many.
func clipValues[M ~map[string][]string](m M) M {
	clipped, left := M{}, maxLoggedValues
	for _, name := range slices.Sorted(maps.Keys(m)) {
		for _, v := range m[name] {
			v := clip(v)
			if left -= valueSize(name, v); left < 0 {
				return clipped
			}
			clipped[strings.Clone(name)] = append(clipped[name], v)
		}
	}
	return clipped
}

func valueSize(name, value string) int { return len(name) + len(value) + valueOverhead }

func size(m map[string][]string) (bytes int) {
	for name, values := range m {
		for _, v := range values {
			bytes += valueSize(name, v)
		}
	}
	return bytes
}
