package wire

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestClock(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	day := 24 * time.Hour
	for name, c := range map[string]struct {
		served time.Time
		used   time.Duration
		learns bool
	}{
		"a day ahead":                 {now.Add(day), 0, true},
		"a day behind":                {now.Add(-day), 0, true},
		"right again after a day off": {now, day, true},
		"as it was used already":      {now.Add(day + 30*time.Second), day, false},
		"as the machine's":            {now.Add(-30 * time.Second), 0, false},
		"two days ahead":              {now.Add(2 * day), 0, false},
		"two days behind":             {now.Add(-2 * day), 0, false},
		"ten years ahead":             {now.AddDate(10, 0, 0), 0, false},
		"the year 1":                  {time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC), 0, false},
		"the year 9999":               {time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), day, false},
	} {
		t.Run(name, func(t *testing.T) {
			var k clock
			got, err := k.learn([]time.Time{c.served}, now, c.used)
			if far := c.served.Sub(now).Abs() > 25*time.Hour; got != c.learns || (err != nil) != far {
				t.Fatalf("got %t and %v, want %t, and an error: %t", got, err, c.learns, far)
			}
			if err != nil && !strings.Contains(err.Error(), "the server's clock says "+c.served.Format(time.RFC3339)) {
				t.Errorf("got %v, want the server's word in it", err)
			}
			want := time.Duration(0)
			if c.learns {
				want = c.served.Sub(now)
			}
			if _, got := k.now(); got != want {
				t.Errorf("got an offset of %v, want %v", got, want)
			}
		})
	}
}

// The first word that can be believed counts.
func TestClockOfSeveralWords(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	hour, year := now.Add(time.Hour), now.AddDate(1, 0, 0)
	for name, c := range map[string]struct {
		times  []time.Time
		offset time.Duration
		learns bool
	}{
		"none":                        {nil, 0, false},
		"a proxy's Date comes second": {[]time.Time{hour, now}, time.Hour, true},
		"the first is absurd":         {[]time.Time{year, hour}, time.Hour, true},
		"the second is absurd":        {[]time.Time{hour, year}, time.Hour, true},
		"both are absurd":             {[]time.Time{year, year}, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			var k clock
			got, err := k.learn(c.times, now, 0)
			if _, offset := k.now(); got != c.learns || offset != c.offset || (err != nil) != (len(c.times) > 0 && !c.learns) {
				t.Errorf("got %t, %v and an offset of %v, want %t and %v", got, err, offset, c.learns, c.offset)
			}
		})
	}
}

// A request is never signed for a time that is years away because an answer said so.
func TestAbsurdDateIsNotBelieved(t *testing.T) {
	then := time.Now().AddDate(10, 0, 0).UTC()
	var dates []string
	o := newObject(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		dates = append(dates, r.Header.Get("Date"))
		w.Header().Set("Date", then.Format(http.TimeFormat))
		refuse(w, http.StatusForbidden, "RequestTimeTooSkewed", "too large")
	}), nil)
	for range 2 {
		_, err := putPart(t.Context(), o, bodyOf("x"))
		if e := wantError(t, err, Permanent); !strings.Contains(e.Error(), then.Format(time.RFC3339)) {
			t.Errorf("got %v, want the server's date in it", e)
		}
	}
	for _, d := range dates {
		if at, err := http.ParseTime(d); err != nil || time.Since(at).Abs() > time.Minute {
			t.Errorf("a request was dated %q", d)
		}
	}
}

// The Date of an answer of success is not believed either, where it would say how old
// an upload is.
func TestAbsurdDateOfAList(t *testing.T) {
	for name, c := range map[string]struct {
		date  time.Time
		known bool
	}{
		"of today":        {time.Now(), true},
		"in ten years":    {time.Now().AddDate(10, 0, 0), false},
		"in the year 1":   {time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), false},
		"of half a day":   {time.Now().Add(-12 * time.Hour), true},
		"of a week hence": {time.Now().AddDate(0, 0, 7), false},
	} {
		t.Run(name, func(t *testing.T) {
			o := newObject(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Date", c.date.UTC().Format(http.TimeFormat))
				if r.Method == http.MethodPost {
					_, _ = io.WriteString(w, "<InitiateMultipartUploadResult><UploadId>U</UploadId></InitiateMultipartUploadResult>")
					return
				}
				_, _ = io.WriteString(w, "<ListMultipartUploadsResult></ListMultipartUploadsResult>")
			}), nil)
			begun, err := o.Initiate(t.Context(), testKey, nil)
			page, err2 := Bucket{o}.ListUploads(t.Context(), testKey, "", UploadMarker{})
			if err != nil || err2 != nil {
				t.Fatal(err, err2)
			}
			if begun.ServerTime.IsZero() == c.known || page.ServerTime.IsZero() == c.known {
				t.Errorf("got %v and %v, want a time: %t", begun.ServerTime, page.ServerTime, c.known)
			}
		})
	}
}

// Without a Date header, the error's own field has the time.
func TestSkewWithoutADate(t *testing.T) {
	skew := 24 * time.Hour
	o := newObject(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		server := time.Now().Add(skew)
		if d, err := http.ParseTime(r.Header.Get("Date")); err == nil && server.Sub(d).Abs() < time.Minute {
			accept(w, r)
			w.Header().Set("ETag", `"A"`)
			w.Header().Del("x-oss-hash-crc64ecma")
			return
		}
		w.Header()["Date"] = nil
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, "<Error><Code>RequestTimeTooSkewed</Code><ServerTime>%s</ServerTime></Error>",
			server.UTC().Format("2006-01-02T15:04:05.000Z"))
	}), nil)
	_, err := putPart(t.Context(), o, bodyOf("x"))
	wantError(t, err, Skew)
	if _, err := putPart(t.Context(), o, bodyOf("x")); err != nil {
		t.Errorf("corrected: %v", err)
	}
}
