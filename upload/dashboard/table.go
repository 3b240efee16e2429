package dashboard

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vodupload/vodupload/upload"
)

// maxRows is how many files are shown. The figures count all.
const maxRows = 200

// A row is what the table shows of a file.
type row struct {
	ID        upload.FileID `json:"id"`
	Path      string        `json:"path"`
	Object    string        `json:"object"` // with its bucket; empty: it has none yet
	State     string        `json:"state"`
	Size      int64         `json:"size"` // -1: not known
	Uploaded  int64         `json:"uploaded"`
	InFlight  int64         `json:"inFlight,omitempty"`
	Waiting   *waiting      `json:"waiting,omitempty"`
	Skipped   bool          `json:"skipped,omitempty"`
	Error     string        `json:"error,omitempty"`
	Code      string        `json:"code,omitempty"`
	RequestID string        `json:"requestId,omitempty"`
	Started   int64         `json:"started,omitempty"` // Unix time in milliseconds, as all times here
	Ended     int64         `json:"ended,omitempty"`
}

// waiting is what a file waits for.
type waiting struct {
	For   string `json:"for"`
	Since int64  `json:"since"`
	Error string `json:"error,omitempty"`
	Files int    `json:"files,omitempty"` // how many, where it is about several
}

func rowOf(f *upload.FileInfo) row {
	r := row{
		ID: f.ID, Path: f.Path, State: f.State.String(), Size: f.Size, Uploaded: f.Uploaded, InFlight: f.InFlight,
		Object: objectOf(f), Waiting: waitingOf(f.Waiting), Started: millis(f.Started), Ended: millis(f.Ended),
	}
	if f.Err != nil {
		r.Error, r.Code, r.RequestID = f.Err.Error(), f.Err.Code, f.Err.RequestID
	}
	r.Skipped = f.Result != nil && f.Result.Skipped
	return r
}

// objectOf is the object of a file with its bucket; empty: it has none yet.
func objectOf(f *upload.FileInfo) string {
	if f.Bucket == "" {
		return ""
	}
	return f.Bucket + "/" + f.Object
}

func waitingOf(w *upload.Waiting) *waiting {
	if w == nil {
		return nil
	}
	shown := &waiting{For: w.For.String(), Since: millis(w.Since)}
	if w.Err != nil {
		shown.Error = w.Err.Error()
	}
	return shown
}

// millis is a time as JavaScript has it; 0: none.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// order says which states are of more interest.
var order = [...]upload.FileState{
	upload.FileUploading, upload.FilePaused, upload.FileFailed, upload.FileInit, upload.FileCanceled, upload.FileSucceeded,
}

// A selection chooses the files to show from a list of any length, in memory for some
// hundreds of them: by state, of those that are still to be done the first, and of those
// that have ended the last.
type selection struct {
	count  int
	states [len(order)][]upload.FileInfo
}

// add adds a file of the list, in its order.
func (s *selection) add(f *upload.FileInfo) {
	s.count++
	of := &s.states[f.State]
	switch {
	case f.Ended.IsZero() && len(*of) >= maxRows:
	case len(*of) < 2*maxRows:
		*of = append(*of, *f)
	default: // full of those that have ended: half of them are old
		*of = append(latest(*of), *f)
	}
}

// latest returns those that have ended last, the last one first.
func latest(files []upload.FileInfo) []upload.FileInfo {
	slices.SortStableFunc(files, func(a, b upload.FileInfo) int { return b.Ended.Compare(a.Ended) })
	return files[:min(len(files), maxRows)]
}

// files returns what to show.
func (s *selection) files() (all []upload.FileInfo) {
	for _, state := range order {
		of := s.states[state]
		if len(of) > 0 && !of[0].Ended.IsZero() {
			of = latest(of)
		}
		all = append(all, of[:min(len(of), maxRows-len(all))]...)
	}
	return all
}

// A query says which files are looked for. The zero value finds all.
type query struct {
	text  string // in the path, the bucket and object, or the ID; case does not count
	state string
}

// matcher returns a function that reports whether a file is looked for.
func (q query) matcher() func(*upload.FileInfo) bool {
	text := strings.ToLower(strings.TrimSpace(q.text))
	return func(f *upload.FileInfo) bool {
		return (q.state == "" || q.state == f.State.String()) && (text == "" ||
			strings.Contains(strings.ToLower(f.Path), text) ||
			strings.Contains(strings.ToLower(f.Bucket+"/"+f.Object), text) ||
			text == strconv.FormatInt(int64(f.ID), 10))
	}
}
