package sts

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The forms in which the end of a token was met. Without a zone they are in UTC, as
// the times of STS are. Fractions of a second are read in all of them.
var timeForms = []string{
	time.RFC3339,
	"2006-01-02T15:04:05",
	"2006-01-02 15:04:05",
	"2006-01-02T15:04:05Z0700",
	"2006-01-02 15:04:05Z07:00",
	"2006-01-02 15:04:05 Z0700",
	"2006-01-02 15:04:05 Z07:00",
	"2006-01-02 15:04:05 -0700 MST", // a time.Time of Go, printed
	"2006-01-02 15:04:05 UTC",
	"2006/01/02 15:04:05",
	"20060102T150405Z",
	"2006-01-02T15:04Z07:00",
	http.TimeFormat,
	time.RFC1123Z,
	"Mon Jan 02 2006 15:04:05 GMT-0700", // a Date of JavaScript, printed
}

const (
	maxLife   = 1e7  // seconds: no token lives for months, so that more is a date
	minMillis = 1e11 // as seconds since 1970, the year 5138
	maxMillis = 1e13 // the year 2286
)

// readExpiration reads a time, a number of seconds from now on, or a number of seconds
// or milliseconds since 1970. It returns the zero time for what it cannot read.
func readExpiration(text string, now time.Time) time.Time {
	text, _, _ = strings.Cut(text, " (") // JavaScript's name of the zone
	for _, form := range timeForms {
		if t, err := time.Parse(form, text); err == nil {
			return t.UTC()
		}
	}
	n, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil || !(n > 0 && n < maxMillis): // not a number is not in the range, either
		return time.Time{}
	case n < maxLife:
		return now.Add(time.Duration(n * float64(time.Second))).UTC()
	case n < minMillis:
		return time.Unix(int64(n), 0).UTC()
	}
	return time.UnixMilli(int64(n)).UTC()
}
