package upload_test

import (
	"encoding/json"
	"errors"
	"flag"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/vodupload/vodupload/upload"
)

const clockFormat = "Mon 2006-01-02 15:04:05 MST"

// changes writes down the limit at a moment and the next changes, until a later one.
func changes(t upload.Timetable, from, to time.Time) string {
	var all []string
	for at := from; !at.IsZero() && at.Before(to); {
		limit, until := t.At(at)
		all = append(all, at.Format("Mon 02 15:04 MST ")+upload.LimitText(limit))
		at = until
	}
	return strings.Join(all, "; ")
}

func TestTimetable(t *testing.T) {
	newYork := must(time.LoadLocation("America/New_York"))
	shanghai := must(time.LoadLocation("Asia/Shanghai"))
	for _, c := range []struct {
		name, table string
		from        time.Time
		days        int
		want        string
	}{
		{"by day and by night", "08:00,2M 19:00,off", time.Date(2026, 11, 25, 12, 0, 0, 0, shanghai), 2,
			"Wed 25 12:00 CST 2M; Wed 25 19:00 CST off; Thu 26 08:00 CST 2M; Thu 26 19:00 CST off; Fri 27 08:00 CST 2M"},
		{"over midnight", "22:00,off 06:00,1M", time.Date(2026, 11, 25, 23, 59, 59, 999_999_999, shanghai), 1,
			"Wed 25 23:59 CST off; Thu 26 06:00 CST 1M; Thu 26 22:00 CST off"},
		{"at the very moment", "00:00,1M 12:00,2M", time.Date(2026, 11, 25, 0, 0, 0, 0, shanghai), 1,
			"Wed 25 00:00 CST 1M; Wed 25 12:00 CST 2M"},
		{"in whatever order", "19:00,off 08:00,2M", time.Date(2026, 11, 25, 12, 0, 0, 0, shanghai), 1,
			"Wed 25 12:00 CST 2M; Wed 25 19:00 CST off; Thu 26 08:00 CST 2M"},
		{"by the week, over its end", "Mon-08:00,512K Fri-19:00,off", time.Date(2026, 11, 27, 12, 0, 0, 0, shanghai), 11,
			"Fri 27 12:00 CST 512K; Fri 27 19:00 CST off; Mon 30 08:00 CST 512K; Fri 04 19:00 CST off; Mon 07 08:00 CST 512K"},
		{"a day's own entry counts", "08:00,1M 20:00,off Sat-08:00,5M", time.Date(2026, 11, 27, 12, 0, 0, 0, shanghai), 3,
			"Fri 27 12:00 CST 1M; Fri 27 20:00 CST off; Sat 28 08:00 CST 5M; Sat 28 20:00 CST off; Sun 29 08:00 CST 1M; Sun 29 20:00 CST off; Mon 30 08:00 CST 1M"},
		{"entries that change nothing", "08:00,1M 12:00,1M 20:00,off 21:00,off", time.Date(2026, 11, 25, 9, 0, 0, 0, shanghai), 1,
			"Wed 25 09:00 CST 1M; Wed 25 20:00 CST off; Thu 26 08:00 CST 1M"},
		{"always the same", "2M", time.Date(2026, 11, 25, 9, 0, 0, 0, shanghai), 30, "Wed 25 09:00 CST 2M"},
		{"the units in full", "2Mi", time.Date(2026, 11, 25, 9, 0, 0, 0, shanghai), 30, "Wed 25 09:00 CST 2M"},
		{"always the same, by entries", "08:00,2M Sun-20:00,2M", time.Date(2026, 11, 25, 9, 0, 0, 0, shanghai), 30, "Wed 25 09:00 CST 2M"},
		{"never", "off", time.Date(2026, 11, 25, 9, 0, 0, 0, shanghai), 30, "Wed 25 09:00 CST off"},
		{"never, by entries", "08:00,off", time.Date(2026, 11, 25, 9, 0, 0, 0, shanghai), 30, "Wed 25 09:00 CST off"},

		{"a day of 23 hours", "08:00,2M 19:00,off", time.Date(2026, 3, 7, 20, 0, 0, 0, newYork), 2,
			"Sat 07 20:00 EST off; Sun 08 08:00 EDT 2M; Sun 08 19:00 EDT off; Mon 09 08:00 EDT 2M; Mon 09 19:00 EDT off"},
		{"a day of 25 hours", "08:00,2M 19:00,off", time.Date(2026, 10, 31, 20, 0, 0, 0, newYork), 2,
			"Sat 31 20:00 EDT off; Sun 01 08:00 EST 2M; Sun 01 19:00 EST off; Mon 02 08:00 EST 2M; Mon 02 19:00 EST off"},
		{"a time that is left out", "02:30,2M 04:00,off", time.Date(2026, 3, 8, 0, 0, 0, 0, newYork), 1,
			"Sun 08 00:00 EST off; Sun 08 03:00 EDT 2M; Sun 08 04:00 EDT off"},
		{"two times that are left out", "02:15,1M 02:45,2M 04:00,off", time.Date(2026, 3, 8, 0, 0, 0, 0, newYork), 1,
			"Sun 08 00:00 EST off; Sun 08 03:00 EDT 2M; Sun 08 04:00 EDT off"},
		{"a time that comes twice", "01:30,2M 04:00,off", time.Date(2026, 11, 1, 0, 0, 0, 0, newYork), 1,
			"Sun 01 00:00 EDT off; Sun 01 01:30 EDT 2M; Sun 01 01:00 EST off; Sun 01 01:30 EST 2M; Sun 01 04:00 EST off"},
	} {
		t.Run(c.name, func(t *testing.T) {
			table, err := upload.ParseTimetable(c.table)
			if err != nil {
				t.Fatal(err)
			}
			to := c.from.AddDate(0, 0, c.days)
			if got := changes(table, c.from, to); got != c.want {
				t.Errorf("\n got %s\nwant %s", got, c.want)
			}
			text, err := table.MarshalText()
			var again upload.Timetable
			if err := errors.Join(err, again.UnmarshalText(text)); err != nil {
				t.Fatal(err)
			}
			if got := changes(again, c.from, to); got != c.want {
				t.Errorf("read again from %q:\n got %s\nwant %s", text, got, c.want)
			}
		})
	}
}

// TestTimetableNextChange compares what At promises with what it says in each minute of
// weeks in which the clock is set.
func TestTimetableNextChange(t *testing.T) {
	for _, zone := range []string{"America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Africa/Casablanca", "UTC"} {
		loc := must(time.LoadLocation(zone))
		table := must(upload.ParseTimetable("01:45,1M 02:15,2M 03:00,3M 12:00,off Sun-02:30,4M Mon-00:00,5M"))
		for _, from := range []time.Time{time.Date(2026, 3, 1, 0, 0, 0, 0, loc), time.Date(2026, 10, 20, 0, 0, 0, 0, loc)} {
			limit, until := table.At(from)
			for at := from; at.Before(from.AddDate(0, 0, 35)); at = at.Add(time.Minute) {
				if !at.Before(until) {
					now, next := table.At(at)
					if now == limit || !at.Equal(until) {
						t.Fatalf("%s: at %s: limit %d after %d, the change was to be at %s", zone, at.Format(clockFormat), now, limit, until.Format(clockFormat))
					}
					limit, until = now, next
				}
				if now, _ := table.At(at); now != limit {
					t.Fatalf("%s: at %s: limit %d, want %d until %s", zone, at.Format(clockFormat), now, limit, until.Format(clockFormat))
				}
			}
		}
	}
}

func TestTimetableZeroValue(t *testing.T) {
	var table upload.Timetable
	limit, until := table.At(time.Now())
	if limit != 0 || !until.IsZero() || table.String() != "off" {
		t.Errorf("got %d until %v, %q; want no limit for ever", limit, until, table)
	}
}

func TestTimetableOfAConfiguration(t *testing.T) {
	var config struct{ Limits upload.Timetable }
	if err := json.Unmarshal([]byte(`{"Limits": "08:00,1.5M 19:00,off"}`), &config); err != nil {
		t.Fatal(err)
	}
	flags := flag.NewFlagSet("", flag.ContinueOnError)
	var fromFlag upload.Timetable
	flags.TextVar(&fromFlag, "bwlimit", upload.Timetable{}, "")
	if err := flags.Parse([]string{"-bwlimit", "08:00,1536k 19:00,OFF"}); err != nil {
		t.Fatal(err)
	}
	noon := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	for _, table := range []upload.Timetable{config.Limits, fromFlag} {
		if limit, until := table.At(noon); limit != 1536*kib || !until.Equal(noon.Add(7*time.Hour)) {
			t.Errorf("%s: got %d until %v, want 1.5 MiB/s until 19:00", table, limit, until)
		}
	}
}

func TestTimetableErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                           `got no entries, want some like "08:00,2M 19:00,off"`,
		"  ":                         `got no entries`,
		"08:00":                      `entry "08:00": got the limit "08:00", want a number of B, K, M or G`,
		"08:00,2M 19:00":             `entry "19:00": want a time and a limit, like "08:00,2M"`,
		"2M 08:00,off":               `entry "2M": want a time and a limit`,
		"8:00,2M":                    `entry "8:00,2M": got the time "8:00", want one from 00:00 to 23:59`,
		"24:00,2M":                   `got the time "24:00"`,
		"08:60,2M":                   `got the time "08:60"`,
		"+8:00,2M":                   `got the time "+8:00"`,
		"08:00,2":                    `entry "08:00,2": got the limit "2", want a number of B, K, M or G (bytes per second), or "off" for none`,
		"08:00,":                     `got the limit ""`,
		"08:00,K":                    `got the limit "K"`,
		"08:00,-2M":                  `got the limit "-2M"`,
		"08:00,infM":                 `got the limit "infM"`,
		"08:00,1e3M":                 `got the limit "1e3M"`,
		"08:00,0xFM":                 `got the limit "0xFM"`,
		"08:00,99999999999999G":      `got the limit "99999999999999G"`,
		"08:00,1023B":                `got the limit "1023B", want at least 1K, or "off" for none`,
		"08:00,0M":                   `got the limit "0M", want at least 1K`,
		"08:00,2M,3M":                `got the limit "2M,3M"`,
		"Foo-08:00,2M":               `entry "Foo-08:00,2M": got the day "Foo", want Mon, Tue, Wed, Thu, Fri, Sat or Sun`,
		"Mon-Fri-08:00,2M":           `got the time "Fri-08:00"`,
		"08:00,2M 08:00,3M":          `entry "08:00,3M": want one entry for each time: another one begins then`,
		"Mon-08:00,2M mon-08:00,off": `entry "mon-08:00,off": want one entry for each time`,
		"08:00,2M\n09:00,x":          `entry "09:00,x"`,
	} {
		_, err := upload.ParseTimetable(text)
		if !errors.Is(err, upload.ErrInvalidArgument) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: got %v, want ErrInvalidArgument with %s", text, err, want)
		}
	}
}
