package dashboard

import (
	"context"
	"time"

	"github.com/vodupload/vodupload/upload"
)

// The topics of a stream. A viewer gets each when it changes.
const (
	topicFigures  = "figures"
	topicFiles    = "files"
	topicProblems = "problems"
	topicFleet    = "fleet"
	topicParts    = "parts"
)

// A producer makes the values of topics, for as long as somebody looks. It is used by one
// goroutine.
type producer interface {
	values() map[string]any
	parts(upload.FileID) any
}

// views is the producer of a client's topics.
type views struct {
	client client
	opts   *Options
	fleet  *fleetView

	shown  []upload.FileInfo // by the last walk through the list
	waits  waits             // of all files, by that walk
	walked time.Time
	cost   time.Duration // of that walk
}

func newViews(c client, o *Options, run func(func(context.Context))) *views {
	v := &views{client: c, opts: o}
	if o.Fleet != nil {
		v.fleet = &fleetView{ask: o.Fleet, run: run}
	}
	return v
}

func (v *views) values() map[string]any {
	v.refresh()
	f := figuresOf(v.client, v.opts.Control)
	rows := make([]row, len(v.shown))
	for i := range v.shown {
		f.Waiting.add(v.shown[i].Waiting)
		rows[i] = rowOf(&v.shown[i])
	}
	for i := range f.Waiting { // in a long list not all of those that wait are shown
		if all := v.waits.find(f.Waiting[i].For); all != nil {
			f.Waiting[i].Files = max(f.Waiting[i].Files, all.Files)
		}
	}
	all := map[string]any{topicFigures: f, topicFiles: rows}
	if v.opts.Recorder != nil {
		all[topicProblems] = v.opts.Recorder.problemsNow()
	}
	if v.fleet != nil {
		all[topicFleet] = v.fleet.now()
	}
	return all
}

func (v *views) parts(id upload.FileID) any {
	return v.opts.Recorder.partsOf(v.client, id)
}

// refresh brings what is shown up to date. A long list is not walked through each time;
// meanwhile the files that are shown, and those that the recorder knows to be under way,
// are looked at one by one.
func (v *views) refresh() {
	began := time.Now()
	if v.walked.IsZero() || began.Sub(v.walked) >= share*v.cost {
		var chosen selection
		v.waits = nil
		for f := range v.client.All() {
			chosen.add(&f)
			v.waits.add(f.Waiting)
		}
		v.shown, v.walked = chosen.files(), time.Now()
		v.cost = v.walked.Sub(began)
		return
	}
	ids := make([]upload.FileID, 0, len(v.shown))
	known := make(map[upload.FileID]bool, len(v.shown))
	for _, id := range v.opts.Recorder.running(maxRows) {
		known[id] = true
		ids = append(ids, id)
	}
	for i := range v.shown {
		if id := v.shown[i].ID; !known[id] {
			ids = append(ids, id)
		}
	}
	var chosen selection
	for _, id := range ids {
		if f, err := v.client.File(id); err == nil {
			chosen.add(&f)
		}
	}
	v.shown = chosen.files()
}
