package vod

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// eventFields are those of a JSON object. What cannot be read is as good as missing: VOD's
// documentation and its notifications differ in which numbers are text, and the event is
// of use without them.
type eventFields map[string]json.RawMessage

// text returns the first of the fields that is there.
func (f eventFields) text(names ...string) string {
	for _, name := range names {
		if s := scalar(f[name]); s != "" {
			return s
		}
	}
	return ""
}

// scalar returns a string, a number or a truth value as text, and nothing else.
func scalar(value json.RawMessage) string {
	var s string
	if json.Unmarshal(value, &s) == nil {
		return s
	}
	if text := strings.TrimSpace(string(value)); text != "" && text != "null" && text[0] != '{' && text[0] != '[' {
		return text
	}
	return ""
}

// maxNumber is as far as a float64 has all whole numbers: 8 PiB.
const maxNumber = 1 << 53

// number returns a number that is not negative, or 0.
func (f eventFields) number(name string) float64 {
	n, err := strconv.ParseFloat(f.text(name), 64)
	if err != nil || !(n >= 0 && n <= maxNumber) {
		return 0
	}
	return n
}

// duration reads a number of seconds.
func (f eventFields) duration(name string) time.Duration {
	const longest = 1 << 33 // seconds: what a Duration holds
	return time.Duration(min(f.number(name), longest)*1e6) * time.Microsecond
}

func (f eventFields) truth(name string) bool {
	b, _ := strconv.ParseBool(strings.ToLower(f.text(name)))
	return b
}

// time reads what the documentation shows: "2017-03-20T07:49:17Z" for most events, and
// "2024-04-10T01:37:14:627Z" for images.
func (f eventFields) time(name string) time.Time {
	text := f.text(name)
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05Z0700"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC()
		}
	}
	if i := strings.LastIndexByte(text, ':'); i > 0 {
		if t, err := time.Parse(time.RFC3339, text[:i]+"."+text[i+1:]); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// list returns the objects of an array.
func (f eventFields) list(name string) []eventFields {
	var all []eventFields
	if json.Unmarshal(f[name], &all) != nil {
		return nil
	}
	return all
}
