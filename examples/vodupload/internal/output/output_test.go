package output

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mattn/go-runewidth"

	"github.com/vodupload/vodupload/upload"
)

// figures returns the Stats of a run with two files, of which so many bytes are there.
func figures(uploaded *atomic.Int64) func() upload.Stats {
	return func() upload.Stats {
		return upload.Stats{
			Files: map[upload.FileState]int{upload.FileSucceeded: 1, upload.FileUploading: 1},
			Total: 4 << 20, Uploaded: uploaded.Load(), Speed: 1 << 20, Left: 3 * time.Second,
			Retries: map[string]int64{"RequestTimeout": 2},
		}
	}
}

func TestPlainIsALineForEachInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var people bytes.Buffer
		r := New(Options{People: &people, Now: time.Now, Interval: 10 * time.Second})
		var uploaded atomic.Int64
		uploaded.Store(1 << 20)
		r.Follow(figures(&uploaded))
		time.Sleep(11 * time.Second)
		uploaded.Store(512 << 10) // a file that begins again: nothing goes back
		time.Sleep(10 * time.Second)
		r.Close(0)
		want := "00:00:10 25%, 1.0 MiB of 4.0 MiB, 1.0 MiB/s, 3.0s left, 1 of 2 files, 2 retries\n"
		want += strings.Replace(want, "00:00:10", "00:00:20", 1)
		got, end, _ := strings.Cut(people.String(), "0 files uploaded")
		if got != want || end == "" {
			t.Errorf("got\n%s, want\n%s", people.String(), want)
		}
	})
}

func TestWhatIsShown(t *testing.T) {
	for _, test := range []struct {
		outcome string
		opts    Options
		want    []string
	}{
		{"as a rule", Options{}, []string{"note", "failed: ", "0 files uploaded", "time"}},
		{"quiet", Options{Quiet: true}, []string{"failed: "}},
		{"no progress", Options{Progress: None}, []string{"note", "failed: ", "0 files uploaded"}},
		{"verbose", Options{Verbose: true}, []string{"note", "detail", "failed: ", "0 files uploaded", "time"}},
	} {
		t.Run(test.outcome, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var people bytes.Buffer
				test.opts.People, test.opts.Now = &people, time.Now
				r := New(test.opts)
				r.Follow(figures(new(atomic.Int64)))
				r.Say("note")
				r.Detail("detail")
				time.Sleep(10*time.Second + time.Millisecond)
				r.Fail("a.mp4", errors.New("it is gone"))
				r.Close(1)
				text := strings.Replace(people.String(), "00:00:10", "time", 1)
				for _, line := range []string{"note", "detail", "failed: ", "0 files uploaded", "time"} {
					if got, want := strings.Contains(text, line), slices.Contains(test.want, line); got != want {
						t.Errorf("%q is shown: %v, want %v\n%s", line, got, want, text)
					}
				}
			})
		})
	}
}

func TestJSON(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out, people bytes.Buffer
		r := New(Options{JSON: &out, People: &people, Now: time.Now})
		r.Follow(figures(new(atomic.Int64)))
		c := r.Callbacks(0)
		f := upload.FileInfo{ID: 1, Path: "/a\n\x1b.mp4", Bucket: "media", Object: "a<b>.mp4", Size: 10}
		c.OnStarted(nil, f)
		for i := range 30 { // within three seconds
			f.Uploaded = int64(i) / 3
			c.OnProgress(nil, f, f.Uploaded, f.Size)
			time.Sleep(100 * time.Millisecond)
		}
		c.OnRetry(nil, f, upload.Retry{Part: 3, Attempt: 1, Delay: 2 * time.Second, Err: &upload.Error{Op: "UploadPart", Code: "RequestTimeout", Status: 400, RequestID: "R"}})
		c.OnWaiting(nil, f, upload.Waiting{For: upload.WaitNetwork, Since: time.Now()})
		c.OnSucceeded(nil, f, upload.Result{Bucket: "media", Object: "a<b>.mp4", CRC64: 1 << 63, Size: 10, Parts: 1})
		c.OnFailed(nil, upload.FileInfo{ID: 2, Path: "b", Size: -1}, &upload.Error{Code: "AccessDenied", Err: errors.New("no")})
		c.OnFailed(nil, upload.FileInfo{ID: 3, Path: "c", Size: -1}, &upload.Error{Code: upload.CodeStopped, Err: upload.ErrStopped})
		r.Close(1)
		r.Emit(Event{Type: "late"})
		var types []string
		for line := range strings.Lines(out.String()) {
			var e Event
			if err := json.Unmarshal([]byte(line), &e); err != nil {
				t.Fatalf("%v: %s", err, line)
			}
			types = append(types, e.Type)
			switch e.Type {
			case "done":
				if *e.CRC64 != 1<<63 || !strings.Contains(line, `"crc64":"9223372036854775808"`) || !strings.Contains(line, "a<b>") {
					t.Errorf("got %s", line)
				}
			case "retry":
				if e.Part != 3 || e.Delay != 2 || e.Code != "RequestTimeout" || e.RequestID != "R" {
					t.Errorf("got %s", line)
				}
			case "summary":
				if s := e.Summary; s.Uploaded != 1 || s.Failed != 1 || s.ExitCode != 1 || s.Retries != 2 || s.Bytes != 10 {
					t.Errorf("got %s", line)
				}
			}
		}
		if got, want := fmt.Sprint(types), "[start progress progress progress retry waiting done failed summary]"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

func TestFrame(t *testing.T) {
	rows := func(n int) (rows []row) {
		for i := range n {
			rows = append(rows, row{name: fmt.Sprintf("录像 %02d with a name that is rather long, and then some.mp4", i), size: 1 << 30, uploaded: int64(i) << 26})
		}
		return rows
	}
	for _, columns := range []int{1, 10, 20, 40, 60, 80, 120, 300} {
		for _, height := range []int{1, 3, 5, 24} {
			v := view{rows: rows(10), more: 7, total: totals{size: 10 << 30, uploaded: 3 << 30, files: 17, left: -1, retries: 5, speed: 1e6}}
			lines := frame(v, columns, height)
			if len(lines) > max(1, height-1) {
				t.Errorf("%d × %d: %d lines", columns, height, len(lines))
			}
			for _, line := range lines {
				if runewidth.StringWidth(line) >= columns && columns > 1 {
					t.Errorf("%d × %d: %q has %d columns", columns, height, line, runewidth.StringWidth(line))
				}
			}
		}
	}
	t.Run("a file of unknown size", func(t *testing.T) {
		lines := frame(view{rows: []row{{name: "-", size: -1, uploaded: 5 << 20}}}, 80, 24)
		if !strings.HasSuffix(lines[0], " 5.0 MiB") || strings.Contains(lines[0], "%") {
			t.Errorf("got %q", lines[0])
		}
	})
	t.Run("the total keeps what counts", func(t *testing.T) {
		total := totals{size: 10, uploaded: 3, files: 5, waits: "a token", since: 90 * time.Second}
		if got := totalLine(total, 60); got != "Total 30%, 3 B of 10 B, waits for a token (1m30s)" {
			t.Errorf("got %q", got)
		}
	})
}

func TestSafe(t *testing.T) {
	for in, want := range map[string]string{
		"film.mp4": "film.mp4", "会议 録画.mp4": "会议 録画.mp4", "a\x1b[2J": `a\x1b[2J`, "a\nb": `a\nb`,
		"a\u202eb": `a\u202eb`, "\xff": `\xff`, "\u009b31m": `\u009b31m`, "a\u200bb": `a\u200bb`,
	} {
		if got := Safe(in); got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
}

func TestWords(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1 << 10: "1.0 KiB", 10 << 10: "10 KiB", 1000 << 10: "1.0 MiB", 5 << 40: "5.0 TiB"} {
		if got := Bytes(n); got != want {
			t.Errorf("%d: got %s, want %s", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		-time.Second: "0.0s", 1500 * time.Millisecond: "1.5s", 59 * time.Second: "59s", 61 * time.Second: "1m01s",
		25 * time.Hour: "25h00m", 101 * time.Hour: "4d05h",
	} {
		if got := Duration(d); got != want {
			t.Errorf("%v: got %s, want %s", d, got, want)
		}
	}
}

func TestSpeedOfWhatIsTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var people bytes.Buffer
		r := New(Options{People: &people, Now: time.Now, Interval: 10 * time.Second})
		r.Follow(func() upload.Stats {
			return upload.Stats{
				Files: map[upload.FileState]int{upload.FileSucceeded: 1, upload.FileUploading: 3},
				Total: 400 << 20, Uploaded: 100 << 20, Left: -1,
			}
		})
		r.Callbacks(0).OnSucceeded(nil, upload.FileInfo{ID: 1}, upload.Result{Skipped: true, Size: 100 << 20})
		time.Sleep(10*time.Second + time.Millisecond)
		r.Close(0)
		if want := "00:00:10 25%, 100 MiB of 400 MiB, 10 MiB/s compared, 30s left, 1 of 4 files\n"; !strings.HasPrefix(people.String(), want) {
			t.Errorf("got\n%s, want\n%s", people.String(), want)
		}
	})
}

// While files are looked for, nobody knows how much is left.
func TestNothingIsLeftOfAListThatIsNotWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var people bytes.Buffer
		r := New(Options{People: &people, Now: time.Now, Interval: 10 * time.Second})
		var uploaded atomic.Int64
		uploaded.Store(1 << 20)
		r.Listing(true)
		r.Follow(figures(&uploaded))
		time.Sleep(11 * time.Second)
		r.Callbacks(0).OnSucceeded(nil, upload.FileInfo{ID: 1}, upload.Result{Skipped: true})
		r.Close(0)
		want := "00:00:10 1.0 MiB of 4.0 MiB, 1.0 MiB/s, 1 of 2+ files, 2 retries\n" +
			"0 files uploaded, 0 B in 11s, 1 skipped, 1 left, not all were listed, 2 retries\n"
		if people.String() != want {
			t.Errorf("got\n%s, want\n%s", people.String(), want)
		}
	})
}

// What becomes of a failed attempt is its caller's to report.
func TestAttemptIsCountedAndNotPrinted(t *testing.T) {
	var people bytes.Buffer
	r := New(Options{People: &people, Now: func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }})
	r.Attempt(upload.FileInfo{ID: 1}, fmt.Errorf("%w: held by another", upload.ErrInUse))
	r.Attempt(upload.FileInfo{ID: 2}, errors.New("disk"))
	r.Attempt(upload.FileInfo{ID: 3}, &upload.Error{Code: upload.CodeStopped})
	r.Log(false, "tried again")
	r.Log(true, "dead; Requeue brings it back\x1b[2J")
	if r.sum.Failed != 1 {
		t.Errorf("%d failed, want the one that no other process has", r.sum.Failed)
	}
	r.Close(0)
	want := "03:04:05 tried again\n03:04:05 dead; vodupload jobs retry brings it back\\x1b[2J\n"
	if got := people.String(); got != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
}

func TestTextOfJoinedErrors(t *testing.T) {
	err := errors.Join(errors.New("name a\nb"), errors.Join(errors.New("Options.PartSize is 3"), errors.New("full")))
	if got, want := Text(err), `name a\nb; --part-size is 3; full`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
