package osstest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// What the log keeps of one call, in bytes. OSS takes no longer names, and 8 KiB
// of metadata; a call that OSS refuses may have a megabyte of either.
const (
	maxLoggedText   = 2 << 10  // of one value
	maxLoggedValues = 16 << 10 // of the header, and of the query
)

// clip returns a text as the log keeps it: a copy, since a part of a long text, as
// the bucket is one of a URL, keeps all of it in memory.
func clip(s string) string {
	if len(s) <= maxLoggedText {
		return strings.Clone(s)
	}
	return fmt.Sprintf("%s... (%d bytes)", s[:maxLoggedText], len(s))
}

// clipValues returns a header or a query as the log keeps it: as it is where it is
// small, and else without the values that are too long or too many.
func clipValues[M ~map[string][]string](m M) M {
	if size(m) <= maxLoggedValues {
		return m
	}
	clipped, left := M{}, maxLoggedValues
	for _, name := range slices.Sorted(maps.Keys(m)) {
		for _, v := range m[name] {
			v := clip(v)
			if left -= len(name) + len(v); left < 0 {
				return clipped
			}
			clipped[strings.Clone(name)] = append(clipped[name], v)
		}
	}
	return clipped
}

func size(m map[string][]string) (bytes int) {
	for name, values := range m {
		bytes += len(name)
		for _, v := range values {
			bytes += len(v)
		}
	}
	return bytes
}
