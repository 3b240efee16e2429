package dashboard

import (
	"context"
	"net/http"
	"time"

	"github.com/vodupload/vodupload/upload"
)

// sweepAge is how long what a sweep has found is answered to whoever asks next: each
// costs requests.
const sweepAge = 5 * time.Second

// maxLeftovers is how many are shown.
const maxLeftovers = 200

// A sweeper looks for leftovers, one at a time.
type sweeper struct {
	turn  turn
	found leftovers
	at    time.Time
}

// leftovers are what a sweep has found.
type leftovers struct {
	Count  int        `json:"count"`
	Bytes  int64      `json:"bytes"`
	Found  []leftover `json:"found"`
	Errors []string   `json:"errors"`
}

type leftover struct {
	Path     string `json:"path"`
	Object   string `json:"object"` // with its bucket
	UploadID string `json:"uploadId"`
	Started  int64  `json:"started"`
	Active   int64  `json:"active"`
	Parts    int    `json:"parts"`
	Bytes    int64  `json:"bytes"`
}

// serveLeftovers looks for unfinished uploads that nobody resumes. It aborts nothing.
func (d *Dashboard) serveLeftovers(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodHead {
		return // it is not worth the requests
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(d.ended, cancel)()
	found, err := d.sweep.look(ctx, d.client, d.opts.Sweeps)
	if err != nil {
		return // the viewer is gone
	}
	answer(w, found)
}

func (s *sweeper) look(ctx context.Context, c client, sweeps []upload.SweepOptions) (leftovers, error) {
	if err := s.turn.take(ctx); err != nil {
		return leftovers{}, err
	}
	defer s.turn.give()
	if !s.at.IsZero() && time.Since(s.at) < sweepAge {
		return s.found, nil
	}
	all := leftovers{Found: []leftover{}, Errors: []string{}}
	for _, o := range sweeps {
		o.DryRun = true
		found, err := c.Sweep(ctx, o)
		if ctx.Err() != nil {
			return leftovers{}, context.Cause(ctx)
		}
		if err != nil {
			all.Errors = append(all.Errors, err.Error())
		}
		all.add(found)
	}
	s.found, s.at = all, time.Now()
	return all, nil
}

func (l *leftovers) add(found []upload.Leftover) {
	for _, f := range found {
		l.Count++
		l.Bytes += f.Bytes
		if len(l.Found) < maxLeftovers {
			l.Found = append(l.Found, leftover{
				Path: f.Path, Object: f.Bucket + "/" + f.Object, UploadID: f.UploadID,
				Started: millis(f.Started), Active: millis(f.Active), Parts: f.Parts, Bytes: f.Bytes,
			})
		}
	}
}
