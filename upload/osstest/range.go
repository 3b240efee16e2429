package osstest

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/vodupload/vodupload/upload/osstest/internal/osserr"
)

// A span is a piece of an object.
type span struct{ offset, length int64 }

func (sp span) contentRange(size int64) string {
	return fmt.Sprintf("bytes %d-%d/%d", sp.offset, sp.offset+sp.length-1, size)
}

// spanOf returns the piece that a Range header asks for. Unless the client asks
// for standard behaviour, a range that is not wholly inside the object is as
// good as none: the whole object comes, with 200 (OSS documentation, GetObject).
func spanOf(header string, size int64, standard bool) (sp span, partial bool, aerr *osserr.Error) {
	whole := span{0, size}
	first, last, ok := parseRange(header)
	if !ok {
		return whole, false, nil
	}
	if first < 0 { // the last bytes
		first, last = size-last, size-1
		if first < 0 && standard {
			first = 0
		}
	}
	if last < 0 || last >= size && standard {
		last = size - 1
	}
	switch {
	case first >= 0 && first <= last && last < size:
		return span{first, last - first + 1}, true, nil
	case standard:
		return span{}, false, osserr.InvalidRange(header, size)
	}
	return whole, false, nil
}

// parseRange reads "bytes=first-last". The last is -1 in "bytes=first-", and
// the first is -1 in "bytes=-count", whose count is returned as last.
func parseRange(header string) (first, last int64, ok bool) {
	spec, ok := strings.CutPrefix(header, "bytes=")
	if !ok {
		return 0, 0, false
	}
	from, to, ok := strings.Cut(spec, "-")
	if !ok || from == "" && to == "" {
		return 0, 0, false
	}
	first, last = -1, -1
	var err error
	if from != "" {
		if first, err = strconv.ParseInt(from, 10, 64); err != nil || first < 0 {
			return 0, 0, false
		}
	}
	if to != "" {
		if last, err = strconv.ParseInt(to, 10, 64); err != nil || last < 0 {
			return 0, 0, false
		}
	}
	return first, last, first < 0 || last < 0 || first <= last
}
