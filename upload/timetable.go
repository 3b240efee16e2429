package upload

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Timetable is a bandwidth limit that depends on the time of day, or of the week. Its
// zero value has no limit at any time. [ParseTimetable] makes others, and
// [Client.FollowTimetable] has a client keep to one.
//
// The clock on the wall decides, in the location of the time that [Timetable.At] is
// given: an entry of 02:30 begins when that clock shows 02:30 or later. Where it is set
// forward over 02:30, the entry begins at that moment; where it is set back, the hour that
// comes twice has the same limits both times.
type Timetable struct {
	slots []timeslot // one after another from Sunday 00:00; no two begin at the same time
}

// A timeslot is a limit and when it begins.
type timeslot struct {
	begin time.Duration // of the week by the clock on the wall, from Sunday 00:00
	limit int64         // bytes per second; 0: none
}

const (
	day  = 24 * time.Hour
	week = 7 * day
)

// ParseTimetable reads a timetable as rclone's --bwlimit has it: entries of a time and a
// limit, separated by spaces, as in
//
//	08:00,2M 19:00,off
//	Mon-08:00,512K Fri-19:00,10M Sat-10:00,1M Sun-20:00,off
//
// A limit holds until the next entry, over midnight and the end of the week as well. An
// entry with a day of the week (Mon, Tue, Wed, Thu, Fri, Sat, Sun) begins on that day
// only, one without on every day; where both begin at the same time, the one with a day
// counts. A limit is a number of B, K, M or G (or Ki, Mi, Gi, the same) bytes per second, in
// powers of 1024, at
// least 1K, or "off" for none. Unlike rclone, which takes a number without a unit for KiB,
// ParseTimetable wants the unit. A limit alone, without a time, always holds.
//
// The error is [ErrInvalidArgument], and says which entry is wrong and what was wanted.
func ParseTimetable(text string) (Timetable, error) {
	words := strings.Fields(text)
	if len(words) == 0 {
		return Timetable{}, fmt.Errorf(`%w: timetable: got no entries, want some like "08:00,2M 19:00,off", or "off"`, ErrInvalidArgument)
	}
	if len(words) == 1 && !strings.Contains(words[0], ",") {
		limit, err := parseLimit(words[0])
		if err != nil {
			return Timetable{}, badEntry(words[0], err)
		}
		return constantTimetable(limit), nil
	}
	var daily, weekly []timeslot
	for _, word := range words {
		slot, onDay, err := parseEntry(word)
		slots := &daily
		if onDay {
			slots = &weekly
		}
		if err == nil && begins(*slots, slot.begin) {
			err = fmt.Errorf("want one entry for each time: another one begins then")
		}
		if err != nil {
			return Timetable{}, badEntry(word, err)
		}
		*slots = append(*slots, slot)
	}
	return newTimetable(daily, weekly), nil
}

func badEntry(entry string, err error) error {
	return fmt.Errorf("%w: timetable: entry %q: %w", ErrInvalidArgument, entry, err)
}

// constantTimetable has the same limit at all times.
func constantTimetable(limit int64) Timetable {
	if limit == 0 {
		return Timetable{}
	}
	return Timetable{[]timeslot{{0, limit}}}
}

// newTimetable merges slots of every day with those of single days.
func newTimetable(daily, weekly []timeslot) Timetable {
	all := slices.Clone(weekly)
	for _, s := range daily {
		for range 7 {
			if !begins(weekly, s.begin) {
				all = append(all, s)
			}
			s.begin += day
		}
	}
	slices.SortFunc(all, func(a, b timeslot) int { return cmp.Compare(a.begin, b.begin) })
	if !slices.ContainsFunc(all, func(s timeslot) bool { return s.limit != 0 }) {
		return Timetable{}
	}
	return Timetable{all}
}

func begins(slots []timeslot, at time.Duration) bool {
	return slices.ContainsFunc(slots, func(s timeslot) bool { return s.begin == at })
}

// At returns the limit at a moment in bytes per second, 0 for none, and the moment of the
// next change; that is zero if the limit never changes.
func (t Timetable) At(now time.Time) (limit int64, until time.Time) {
	limit = t.limitAt(now)
	end := now.Add(week + 2*day) // the clock may have been set back since the last time
	for next := t.next(now); !next.IsZero() && next.Before(end); next = t.next(next) {
		if t.limitAt(next) != limit {
			return limit, next
		}
	}
	return limit, time.Time{}
}

// limitAt is the limit while the clock on the wall shows what it shows at now.
func (t Timetable) limitAt(now time.Time) int64 {
	if len(t.slots) == 0 {
		return 0
	}
	clock := wallClock(now)
	latest := t.slots[len(t.slots)-1] // of the week before
	for _, s := range t.slots {
		if s.begin <= clock {
			latest = s
		}
	}
	return latest.limit
}

// next is the next moment at which the limit may change: a slot begins, or the clock on
// the wall is set. It is zero if there is none.
func (t Timetable) next(now time.Time) time.Time {
	if len(t.slots) == 0 {
		return time.Time{}
	}
	clock := wallClock(now)
	begin := t.slots[0].begin + week
	for _, s := range t.slots {
		if s.begin > clock {
			begin = s.begin
			break
		}
	}
	next := now.Round(0).Add(begin - clock)
	if _, set := now.ZoneBounds(); !set.IsZero() && set.Before(next) {
		return set
	}
	return next
}

// wallClock is how much of the week has passed by the clock on the wall.
func wallClock(t time.Time) time.Duration {
	hour, minute, second := t.Clock()
	return time.Duration(t.Weekday())*day + time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute +
		time.Duration(second)*time.Second + time.Duration(t.Nanosecond())
}

// String returns the timetable as [ParseTimetable] reads it, with each day's entries.
func (t Timetable) String() string {
	if len(t.slots) == 0 {
		return "off"
	}
	if len(t.slots) == 1 {
		return limitText(t.slots[0].limit)
	}
	var words []string
	for _, s := range t.slots {
		at := s.begin % day
		words = append(words, fmt.Sprintf("%s-%02d:%02d,%s", time.Weekday(s.begin / day).String()[:3],
			at/time.Hour, at%time.Hour/time.Minute, limitText(s.limit)))
	}
	return strings.Join(words, " ")
}

// MarshalText returns what String does.
func (t Timetable) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads what [ParseTimetable] does, so that a Timetable may be a field of a
// configuration, or a flag (see [flag.TextVar]).
func (t *Timetable) UnmarshalText(text []byte) error {
	parsed, err := ParseTimetable(string(text))
	if err == nil {
		*t = parsed
	}
	return err
}
