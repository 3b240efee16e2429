package world

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

const (
	// longestPause is the most that a pause before a retry may take: 30 s, and a quarter.
	longestPause = 38 * time.Second

	// longestAsk is the most that passes before a Provider that failed is asked again.
	longestAsk = 31 * time.Second

	// longestSilence is the most that a started client with something to do says nothing:
	// the server has a whole request and does not answer, for the eighth time; and then
	// it looks for what came of it.
	longestSilence = 8*stallTimeout + 90*time.Second
)

// A span is a trouble that was, or is.
type span struct {
	ev       event
	from, to time.Time      // to is zero while it lasts
	fault    *osstest.Fault // that may strike until it has struck as often as it is to; may be nil
}

// note records troubles for the excuses of files that fail.
func (w *world) note(a action) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	if !a.end {
		s := span{ev: a.ev, from: now}
		if !traits[a.ev.Kind].longer {
			s.to = now
		}
		w.spans = append(w.spans, s)
		return
	}
	for i := range w.spans {
		if w.spans[i].ev == a.ev && w.spans[i].to.IsZero() {
			w.spans[i].to = now
			return
		}
	}
}

// settleLocked finds out which faults have struck, and until when.
func (w *world) settleLocked() {
	for i := range w.spans {
		s := &w.spans[i]
		if s.fault == nil || !s.to.IsZero() || s.fault.Count() < s.ev.Times && w.calm.IsZero() {
			continue
		}
		s.to = s.from
		for _, q := range w.server.Requests() {
			if end := q.Start.Add(q.Duration - w.s.Setup.Skew); q.Fault == s.fault && end.After(s.to) {
				s.to = end
			}
		}
	}
}

// until returns when the span was over, or now.
func (s span) until(now time.Time) time.Time {
	if s.to.IsZero() {
		return now
	}
	return s.to
}

// fileFailed holds a failure against the troubles before it.
func (w *world) fileFailed(p *process, info upload.FileInfo, err error) {
	f := w.fileOf(info)
	w.mu.Lock()
	f.failed = append(f.failed, failure{time.Now(), err})
	w.settleLocked()
	excused := w.excusedLocked(f, err)
	w.mu.Unlock()
	if !excused {
		p.violated("%s failed without a reason: %v", f.object(), err)
	}
}

// excusedLocked reports whether a file may fail with err now: what happened before has to
// be more than a client rides out, and of the kind that err speaks of.
func (w *world) excusedLocked(f *file, err error) bool {
	var e *upload.Error
	if !errors.As(err, &e) {
		return false
	}
	now := time.Now()
	switch {
	case errors.Is(err, upload.ErrIntegrity), errors.Is(err, upload.ErrFileChanged), errors.Is(err, upload.ErrInUse), errors.Is(err, upload.ErrCheckpoint):
		return false // nothing of the kind ever happens
	case errors.Is(err, upload.ErrTokenExpired), errors.Is(err, upload.ErrNoCredentials):
		return slices.ContainsFunc(w.spans, func(s span) bool {
			return s.ev.Kind == noTokens && s.until(now).Sub(s.from) >= tokenWait-time.Minute && now.Sub(s.until(now)) < time.Minute
		})
	case e.Code == "AccessDenied":
		return w.countLocked(denied) > 0
	case e.Code == "NoSuchUpload":
		// An upload starts over once, and that of a Reader never: its bytes are gone.
		return f.spec.Kind == reader || w.countLocked(loseUpload) > 1
	}
	strikes := 0
	for _, s := range w.spans {
		if now.Sub(s.until(now)) < budgetMemory {
			strikes += s.strikes(now)
		}
	}
	return strikes > retryCount
}

// budgetMemory is how long ago a trouble may be that has taken something from the budget
// of a request: a server that does not answer is waited for.
const budgetMemory = 10 * time.Minute

// strikes returns how many attempts in a row the span may have cost.
func (s span) strikes(now time.Time) int {
	switch k := s.ev.Kind; {
	case k == refuse, k == noNames, k == silence, k == slow, k == stuck:
		const shortest = 2 * time.Second // it may take all attempts of the shortest RetryInterval
		if s.until(now).Sub(s.from) < shortest {
			return 2
		}
		return retryCount + 1
	case k == cut, k == strand:
		return 1
	case k >= internalError && k <= otherClock:
		return s.ev.Times
	}
	return 0
}

// countLocked returns how many requests troubles of the kind were for, so far.
func (w *world) countLocked(k eventKind) int {
	n := 0
	for _, s := range w.spans {
		if s.ev.Kind == k {
			n += s.ev.Times
		}
	}
	return n
}

// differs says how an object differs from its source; empty: it does not, or by no more
// than a bit that was flipped late.
func (w *world) differs(f *file) string {
	o, ok := w.server.Object(bucket, f.object())
	if !ok {
		return "there is no object " + f.object()
	}
	r, err := o.Open()
	if err != nil {
		return err.Error()
	}
	defer r.Close()
	got, err := io.ReadAll(r)
	if err != nil {
		return err.Error()
	}
	if w.lateFlips.has(f.object()) && len(got) > 0 {
		got[0] = f.data[0]
	}
	if !bytes.Equal(got, f.data) {
		return fmt.Sprintf("object %s has other bytes than its source (%d, want %d)", f.object(), len(got), len(f.data))
	}
	return ""
}

// mustHaveUpload looks, before a record is written, whether the server has begun its
// upload: nothing is recorded before it was acknowledged.
func (w *world) mustHaveUpload(rec checkpoint.Record) {
	if _, ok := w.tap.upload(rec.UploadID); !ok {
		w.violated("a checkpoint of %s has upload %s, which no server has acknowledged", rec.Key.Object, rec.UploadID)
	}
}

// mayBegin looks, when an upload was begun, whether its object is there already: an answer
// to Complete that was lost is no reason to send everything once more.
func (w *world) mayBegin(object string) {
	w.mu.Lock()
	f := w.files[slices.IndexFunc(w.files, func(f *file) bool { return f.object() == object })]
	harmless := !f.done && !slices.ContainsFunc(w.spans, func(s span) bool {
		lost := s.ev.Kind == loseAnswer || s.ev.Kind == hangAfterWork
		return !lost && s.ev.Kind != expire || s.ev.Op == osstest.OpHeadObject || s.ev.Op == osstest.OpListParts
	})
	w.mu.Unlock()
	if harmless && w.differs(f) == "" {
		w.violated("%s begins once more, although its object is there", object)
	}
}

// mustHavePart looks, before a part is recorded, whether the server has it.
func (w *world) mustHavePart(rec checkpoint.Record, part checkpoint.Part) {
	for _, u := range w.server.Uploads(bucket) {
		if u.UploadID != rec.UploadID {
			continue
		}
		for _, p := range u.Parts {
			if p.Number == part.Number {
				return
			}
		}
		w.violated("part %d of %s is recorded, and the server does not have it", part.Number, rec.Key.Object)
	}
}

// cancelBound is how long after CancelFile a file may take to end: clean-ups take turns
// where there are fewer slots than canceled files.
func (w *world) cancelBound() time.Duration {
	return time.Duration(len(w.files))*cleanupTimeout + 2*time.Second
}

// mustBeCanceled looks later whether a canceled file has ended.
func (w *world) mustBeCanceled(p *process, id upload.FileID, f *file) {
	called := time.Now()
	time.AfterFunc(w.cancelBound(), func() {
		if p.dead.Load() || p.closed.Load() {
			return
		}
		p.rec.mu.Lock()
		defer p.rec.mu.Unlock()
		if p.rec.underWay[id] != nil && f.endedBefore(w, called) {
			p.violated("%s was canceled %v ago, and OnCanceled was not called yet", f.object(), time.Since(called))
		}
	})
}

// endedBefore reports whether the file has not been ended or resumed since a time.
func (f *file) endedBefore(w *world, at time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return f.canceled && !f.ended[len(f.ended)-1].After(at)
}

// watch looks now and then whether the client is silent for too long.
func (w *world) watch() (stop func()) {
	ctx, cancel := context.WithCancel(w.ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(20 * time.Second)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				w.lookForLife()
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

func (w *world) lookForLife() {
	w.mu.Lock()
	var p *process
	if n := len(w.processes); n > 0 {
		p = w.processes[n-1]
	}
	w.mu.Unlock()
	if p == nil || p.dead.Load() || p.closed.Load() {
		return
	}
	silent := time.Since(time.Unix(0, p.sign.Load()))
	if s := p.client.Status(); silent < longestSilence || s != upload.StateStarted && s != upload.StateExpired {
		return
	}
	for _, f := range p.client.Files() {
		if f.State == upload.FileUploading {
			p.violated("nothing was heard for %v, and %s is %s", silent, f.Path, f.State)
			p.signOfLife()
			return
		}
	}
}

// quietTime is how long everything may take without trouble: what is still being waited
// for, and then the bytes.
func (w *world) quietTime() time.Duration {
	total := 0
	for _, f := range w.files {
		total += f.spec.Size
	}
	return 15*time.Minute + 3*time.Duration(total/w.s.Setup.Rate)*time.Second
}

// checkLeftovers looks at what is left when all files are there, and lets a Sweep take
// what may be.
func (w *world) checkLeftovers() {
	for _, u := range w.server.Uploads(bucket) {
		if !w.isExplained(u) {
			w.violated("upload %s of %s, of %d parts, is left at the server", u.UploadID, u.Key, len(u.Parts))
		}
	}
	ctx, cancel := context.WithTimeout(w.ctx, 5*time.Minute)
	defer cancel()
	found, err := w.p.client.Sweep(ctx, upload.SweepOptions{Endpoint: endpoint, Bucket: bucket, OlderThan: -1, OnlyThisMachine: true})
	if err != nil {
		w.violated("the last Sweep: %v", err)
	}
	for _, l := range found {
		w.trace("swept: %s of %s: aborted %t, %v", l.UploadID, l.Object, l.Aborted, l.Err)
	}
	for _, u := range w.server.Uploads(bucket) {
		w.violated("upload %s of %s is left at the server after a Sweep", u.UploadID, u.Key)
	}
	entries, err := w.store.List(ctx)
	if err != nil {
		w.violated("List: %v", err)
	}
	for _, e := range entries {
		w.violated("the checkpoint of %s is left (in use: %t)", e.Record.Key.Object, e.InUse)
	}
}

// isExplained reports whether an upload may be left: because its answer was lost and it
// could not be looked for, because it could not be aborted, or because its process ended
// before it could do that.
func (w *world) isExplained(u osstest.Upload) bool {
	have, ok := w.tap.upload(u.UploadID)
	if ok && have.failed > 0 {
		return true
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.settleLocked()
	f := w.files[slices.IndexFunc(w.files, func(f *file) bool { return f.object() == u.Key })]
	if !ok {
		return w.mayBeLostLocked(f, u.Initiated.Add(-w.s.Setup.Skew))
	}
	resumable := f.spec.Kind != reader && f.spec.Kind != nameless
	for _, s := range w.spans {
		if ends := s.ev.Kind == kill || s.ev.Kind == restart; ends && (!resumable || s.from.Sub(have.at).Abs() < time.Second) {
			return true
		}
		for _, at := range f.ended {
			before := time.Second
			if s.ev.Kind == noTokens {
				before = longestAsk // nobody knows yet that there are tokens again
			}
			if s.ev.Kind < pause && s.overlaps(at.Add(-before), at.Add(cleanupTimeout)) {
				return true
			}
		}
	}
	return false
}

// mayBeLostLocked reports whether an upload of which nobody knows may be left: something
// was in the way when its file ended, and the client looked for it.
func (w *world) mayBeLostLocked(f *file, begun time.Time) bool {
	const around = 15 * time.Second
	i := slices.IndexFunc(f.ended, func(at time.Time) bool { return at.After(begun) })
	if i < 0 {
		return false
	}
	at := f.ended[i]
	return slices.ContainsFunc(w.spans, func(s span) bool {
		if s.ev.Kind >= pause {
			return s.overlaps(begun.Add(-time.Second), at.Add(around))
		}
		return s.overlaps(at.Add(-around), at.Add(around))
	})
}

// disturbedSince reports whether there was a trouble within so much time: clean-ups that
// it holds up may be given up.
func (w *world) disturbedSince(ago time.Duration) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.settleLocked()
	return slices.ContainsFunc(w.spans, func(s span) bool {
		return s.ev.Kind < pause && s.overlaps(time.Now().Add(-ago), time.Now())
	})
}

// overlaps reports whether the trouble was there at some time between two.
func (s span) overlaps(from, to time.Time) bool {
	return s.from.Before(to) && !s.until(time.Now()).Before(from)
}
