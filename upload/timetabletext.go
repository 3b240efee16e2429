package upload

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// MinBandwidthLimit is the least bandwidth limit, in bytes per second.
const MinBandwidthLimit = 1 << 10

// limitUnits are the units of limits in a timetable, the largest first.
var limitUnits = []struct {
	name string
	size float64
}{{"G", 1 << 30}, {"M", 1 << 20}, {"K", 1 << 10}, {"B", 1}}

// parseEntry reads an entry like "Mon-08:00,2M" or "08:00,off"; onDay is false for the
// latter, which begins on every day.
func parseEntry(word string) (slot timeslot, onDay bool, err error) {
	at, limit, found := strings.Cut(word, ",")
	if !found {
		return slot, false, errors.New(`want a time and a limit, like "08:00,2M" or "Mon-08:00,off"`)
	}
	weekday, clock, onDay := strings.Cut(at, "-")
	if !onDay {
		clock = at
	} else if slot.begin, err = parseWeekday(weekday); err != nil {
		return slot, onDay, err
	}
	begin, err := time.Parse("15:04", clock)
	if err != nil || len(clock) != len("15:04") {
		return slot, onDay, fmt.Errorf("got the time %q, want one from 00:00 to 23:59", clock)
	}
	slot.begin += time.Duration(begin.Hour())*time.Hour + time.Duration(begin.Minute())*time.Minute
	slot.limit, err = parseLimit(limit)
	return slot, onDay, err
}

func parseWeekday(name string) (time.Duration, error) {
	for d := time.Sunday; d <= time.Saturday; d++ {
		if strings.EqualFold(name, d.String()[:3]) {
			return time.Duration(d) * day, nil
		}
	}
	return 0, fmt.Errorf("got the day %q, want Mon, Tue, Wed, Thu, Fri, Sat or Sun", name)
}

// parseLimit reads a limit like "2M", "1.5M" or "off".
func parseLimit(text string) (int64, error) {
	if strings.EqualFold(text, "off") {
		return 0, nil
	}
	for _, unit := range limitUnits {
		number, found := strings.CutSuffix(strings.ToUpper(text), unit.name)
		if !found && unit.size > 1 {
			number, found = strings.CutSuffix(strings.ToUpper(text), unit.name+"I")
		}
		if !found {
			continue
		}
		n, err := strconv.ParseFloat(number, 64)
		if err != nil || strings.Trim(number, "0123456789.") != "" || n*unit.size >= math.MaxInt64 {
			break
		}
		limit := int64(n * unit.size)
		if limit < MinBandwidthLimit {
			return 0, fmt.Errorf(`got the limit %q, want at least 1K, or "off" for none`, text)
		}
		return limit, nil
	}
	return 0, fmt.Errorf(`got the limit %q, want a number of B, K, M or G (bytes per second), or "off" for none`, text)
}

// limitText is the limit in the largest unit of which it is a whole number.
func limitText(limit int64) string {
	if limit == 0 {
		return "off"
	}
	for _, unit := range limitUnits {
		if n := limit / int64(unit.size); n*int64(unit.size) == limit {
			return strconv.FormatInt(n, 10) + unit.name
		}
	}
	panic("every number is one of bytes")
}
