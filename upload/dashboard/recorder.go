package dashboard

import (
	"fmt"
	"slices"
	"sync"

	"github.com/vodupload/vodupload/upload"
)

// Limits of what a recorder remembers.
const (
	maxPart     = 10_000 // the highest part number there is
	maxProblems = 200    // requests that failed, the last ones
	maxPast     = 16     // files whose parts are known after their end, the last ones
)

// A Recorder remembers what an Observer sees and a client forgets: which parts of running
// files are in flight or have to be sent again, and the last 200 requests that failed. It
// takes a byte for each part of the files under way, and of the last 16 that have ended.
type Recorder struct {
	mu       sync.Mutex
	files    map[upload.FileID]*parts
	past     []upload.FileID // that have ended, the oldest first
	problems []problem       // the oldest first
	version  uint64          // of problems
	shown    []problem       // the latest first, of the version
	of       uint64
}

// Format writes the name of r's type and nothing else, whatever the verb: it takes no lock.
func (r *Recorder) Format(f fmt.State, _ rune) { fmt.Fprint(f, "dashboard.Recorder") }

// NewRecorder returns a recorder for one client: give its Observer to the client, and
// itself to New.
func NewRecorder() *Recorder { return &Recorder{files: make(map[upload.FileID]*parts)} }

// A problem is a request that failed.
type problem struct {
	N         uint64        `json:"n"` // no two have the same
	At        int64         `json:"at"`
	File      upload.FileID `json:"file"`
	Object    string        `json:"object"` // with its bucket
	Op        string        `json:"op"`
	Part      int           `json:"part,omitempty"`
	Status    int           `json:"status,omitempty"`
	Code      string        `json:"code,omitempty"`
	RequestID string        `json:"requestId,omitempty"`
	Error     string        `json:"error"`
	Took      int64         `json:"took"` // milliseconds
}

// began records that a file is under way.
func (r *Recorder) began(id upload.FileID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i := slices.Index(r.past, id); i >= 0 {
		r.past = slices.Delete(r.past, i, i+1)
	}
	p := r.files[id]
	if p == nil {
		p = new(parts)
		r.files[id] = p
	}
	p.running = true
}

// ended records that a file is not under way any more: paused, or for good.
func (r *Recorder) ended(id upload.FileID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.files[id]
	if p == nil || !p.running {
		return
	}
	p.running = false
	p.cutOff()
	if len(r.past) == maxPast {
		delete(r.files, r.past[0])
		r.past = slices.Delete(r.past, 0, 1)
	}
	r.past = append(r.past, id)
}

// initiated records that an upload in parts begins, or is resumed with some of its parts.
func (r *Recorder) initiated(id upload.FileID, resumed []int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p := r.files[id]; p != nil {
		p.states = p.states[:0]
		for _, n := range resumed {
			p.set(n, partResumed)
		}
	}
}

// part records the state of a part.
func (r *Recorder) part(id upload.FileID, n int, s partState) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p := r.files[id]; p != nil && p.running {
		p.set(n, s)
	}
}

// failed records a request that failed.
func (r *Recorder) failed(p problem) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.problems) == maxProblems {
		r.problems = slices.Delete(r.problems, 0, 1)
	}
	r.version++
	p.N = r.version
	r.problems = append(r.problems, p)
}

// problemsNow returns the requests that failed, the last one first.
func (r *Recorder) problemsNow() []problem {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.shown == nil || r.of != r.version {
		r.shown = append([]problem{}, r.problems...)
		slices.Reverse(r.shown)
		r.of = r.version
	}
	return r.shown
}

// running returns files that are under way, at most max. A nil recorder knows of none.
func (r *Recorder) running(max int) (ids []upload.FileID) {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, p := range r.files {
		if p.running && len(ids) < max {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// A partMap is what the page draws of one file.
type partMap struct {
	File     upload.FileID `json:"file"`
	State    string        `json:"state"`
	Path     string        `json:"path"`
	Object   string        `json:"object"` // with its bucket; empty: it has none yet
	Size     int64         `json:"size"`
	PartSize int64         `json:"partSize"`
	UploadID string        `json:"uploadId"`
	Count    int           `json:"count"`             // of parts; 0: not known
	Parts    string        `json:"parts"`             // runs of equal states, like "120a3f877m"
	Known    bool          `json:"known"`             // false: nothing was recorded of it
	Failure  string        `json:"failure,omitempty"` // of the file, in full
	Error    string        `json:"error,omitempty"`   // why there is no map
}

// partsOf returns the map of a file.
func (r *Recorder) partsOf(c client, id upload.FileID) partMap {
	m := partMap{File: id}
	f, err := c.File(id)
	if err != nil {
		m.Error = err.Error()
		return m
	}
	m.State, m.Path, m.Size, m.PartSize, m.UploadID = f.State.String(), f.Path, f.Size, f.PartSize, f.UploadID
	m.Object = objectOf(&f)
	if f.Err != nil {
		m.Failure = f.Err.Error()
	}
	m.Count = countOf(&f)
	if f.State == upload.FileSucceeded {
		m.Known = true
	}
	if r != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		if p := r.files[id]; p != nil {
			m.Known = true
			m.Count = max(m.Count, len(p.states))
			m.Parts = p.text(m.Count)
			return m
		}
	}
	m.Parts = new(parts).fill(m.Count, f.State == upload.FileSucceeded)
	return m
}

// countOf returns how many parts a file has; 0: that is not known.
func countOf(f *upload.FileInfo) int {
	switch {
	case f.Size < 0, f.Size > 0 && f.PartSize <= 0 && f.UploadID != "":
		return 0
	case f.Result != nil && f.Result.Parts > 0:
		return f.Result.Parts
	case f.PartSize <= 0:
		return 1
	}
	return int(min((f.Size+f.PartSize-1)/f.PartSize, maxPart))
}
