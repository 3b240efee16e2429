package output

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vodupload/vodupload/upload"
)

// A row is a file that is being uploaded.
type row struct {
	name     string
	once     bool  // standard input, of which the next run knows nothing
	size     int64 // -1: not known
	uploaded int64
	started  time.Time
	reported time.Time // the last progress event
	waits    *upload.Waiting
}

// kept returns how many bytes the next run need not send.
func (r *row) kept() int64 {
	if r.once {
		return 0
	}
	return r.uploaded
}

// A view is what there is to be shown at one moment.
type view struct {
	rows  []row // the longest-running first
	more  int   // files that run beside them
	total totals
}

// maxRows is how many bars there are at most.
const maxRows = 10

// totals are the figures of the whole run.
type totals struct {
	uploaded, size int64
	ended, files   int
	listing        bool // there may be more files
	failed         int
	speed          float64 // bytes per second
	compares       bool    // and sends nothing: speed is of what was the same
	left           time.Duration
	retries        int64
	waits          string // what for; empty: nothing
	since          time.Duration
}

func (r *Reporter) viewLocked() view {
	var v view
	now := r.opts.Now()
	all := make([]*row, 0, len(r.running))
	for _, one := range r.running {
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b *row) int {
		return cmp.Or(a.started.Compare(b.started), cmp.Compare(a.name, b.name))
	})
	for i, one := range all {
		if i < maxRows {
			v.rows = append(v.rows, *one)
		}
	}
	v.more = len(all) - len(v.rows)
	s := r.figures()
	r.uploaded = max(r.uploaded, s.Uploaded)
	v.total = totals{
		uploaded: min(r.uploaded, s.Total), size: s.Total, speed: s.Speed, left: s.Left, failed: r.sum.Failed, listing: r.listing,
		ended: s.Files[upload.FileSucceeded] + s.Files[upload.FileFailed] + s.Files[upload.FileCanceled],
	}
	for _, n := range s.Files {
		v.total.files += n
	}
	v.total.ended = max(v.total.ended, r.sum.ended()) // files of Upload are in no list any more
	v.total.files = max(v.total.files, v.total.ended)
	if s.Speed == 0 && r.compared > 0 {
		v.total.speed, v.total.left = rate(r.compared, s.Total-r.uploaded, now.Sub(r.begun))
		v.total.compares = true
	}
	for _, n := range s.Retries {
		v.total.retries += n
	}
	v.total.waits, v.total.since = waitsFor(all, s.Speed > 0, now)
	return v
}

// rate returns the speed of what took so long, and how long the rest will take. Negative:
// that is not known.
func rate(done, rest int64, took time.Duration) (speed float64, left time.Duration) {
	if done <= 0 || took <= 0 {
		return 0, -1
	}
	speed = float64(done) / took.Seconds()
	return speed, time.Duration(float64(max(0, rest)) / speed * float64(time.Second))
}

// waitsFor returns what the files wait for, if all of them wait, or some while nothing gets
// through: otherwise nobody needs to know. Of several things it is the one that was waited
// for longest.
func waitsFor(all []*row, moving bool, now time.Time) (what string, since time.Duration) {
	for _, one := range all {
		if one.waits == nil {
			if moving {
				return "", 0
			}
			continue
		}
		if d := now.Sub(one.waits.Since); what == "" || d > since {
			what, since = waitWord(one.waits.For), d
		}
	}
	return what, since
}

func waitWord(w upload.WaitReason) string {
	switch w {
	case upload.WaitCredentials:
		return "a token"
	case upload.WaitNetwork:
		return "the network"
	case upload.WaitThrottle:
		return "OSS, which throttles"
	case upload.WaitDestination:
		return "a destination"
	case upload.WaitGroup:
		return "files of its group"
	}
	return w.String()
}

// line returns the totals in one line.
func (t totals) line() string { return strings.Join(t.words(), ", ") }

// words returns the totals, the most important first.
func (t totals) words() []string {
	words := []string{fmt.Sprintf("%s of %s", Bytes(t.uploaded), Bytes(t.size))}
	idle := t.size == 0 && t.ended == t.files && t.waits == ""
	switch {
	case idle:
		words[0] = "nothing under way"
	case t.size > 0 && !t.listing:
		words[0] = fmt.Sprintf("%d%%, %s", percent(t.uploaded, t.size), words[0])
	}
	switch {
	case idle:
	case t.waits != "":
		words = append(words, fmt.Sprintf("waits for %s (%s)", t.waits, Duration(t.since)))
	default:
		words = append(words, Bytes(int64(t.speed))+"/s")
		if t.compares {
			words[len(words)-1] += " compared"
		}
		if t.left >= 0 && t.uploaded < t.size && !t.listing {
			words = append(words, Duration(t.left)+" left")
		}
	}
	files := Count(t.files, "file")
	if t.listing {
		files = fmt.Sprintf("%d+ files", t.files)
	}
	words = append(words, fmt.Sprintf("%d of %s", t.ended, files))
	if t.failed > 0 {
		words = append(words, fmt.Sprintf("%d failed", t.failed))
	}
	if t.retries > 0 {
		words = append(words, Count(int(t.retries), "retry"))
	}
	return words
}

// percent is rounded down: 100 is all.
func percent(part, whole int64) int {
	if whole <= 0 {
		return 100
	}
	return int(float64(part) / float64(whole) * 100)
}

// ended returns how many files have ended.
func (s Summary) ended() int { return s.Uploaded + s.Skipped + s.Failed + s.Canceled + s.Planned }

// line returns the summary in one line.
func (s Summary) line() string {
	d := time.Duration(s.Duration * float64(time.Second))
	words := []string{fmt.Sprintf("%s uploaded, %s in %s", Count(s.Uploaded, "file"), Bytes(s.Bytes), Duration(d))}
	if s.Skipped > 0 && s.Uploaded+s.Failed+s.Canceled+s.Left+s.Planned == 0 && !s.Unlisted {
		return fmt.Sprintf("nothing to upload: %s there already (%s)", Count(s.Skipped, "file"), Duration(d))
	}
	if s.Planned > 0 {
		return fmt.Sprintf("dry run: %s would be uploaded, %s; %d skipped, %d failed", Count(s.Planned, "file"), Bytes(s.Bytes), s.Skipped, s.Failed)
	}
	if d > 0 && s.Bytes > s.Resumed {
		words[0] += fmt.Sprintf(" (%s/s)", Bytes(int64(float64(s.Bytes-s.Resumed)/d.Seconds())))
	}
	for _, w := range []struct {
		n    int
		what string
	}{{s.Skipped, "skipped"}, {s.Failed, "failed"}, {s.Canceled, "canceled"}, {s.Left, "left"}} {
		if w.n > 0 {
			words = append(words, fmt.Sprintf("%d %s", w.n, w.what))
		}
	}
	if s.Left > 0 && s.Kept > 0 {
		words[len(words)-1] += ", of which " + Bytes(s.Kept) + " are kept"
	}
	if s.Unlisted {
		words = append(words, "not all were listed")
	}
	if s.Resumed > 0 {
		words = append(words, Bytes(s.Resumed)+" of an earlier run")
	}
	if s.Retries > 0 {
		words = append(words, Count(int(s.Retries), "retry"))
	}
	return strings.Join(words, ", ")
}
