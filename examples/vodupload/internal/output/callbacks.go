package output

import (
	"errors"
	"time"

	"github.com/vodupload/vodupload/upload"
)

// Callbacks returns those that a client needs in order to be reported. The numbers of its
// files are raised by before, so that those of several clients differ.
func (r *Reporter) Callbacks(before int64) upload.Callbacks {
	of := func(f upload.FileInfo) upload.FileInfo {
		f.ID += upload.FileID(before)
		return f
	}
	return upload.Callbacks{
		OnStarted:  func(_ *upload.Client, f upload.FileInfo) { r.fileStarted(of(f)) },
		OnProgress: func(_ *upload.Client, f upload.FileInfo, _, _ int64) { r.fileProgress(of(f)) },
		OnSucceeded: func(_ *upload.Client, f upload.FileInfo, result upload.Result) {
			r.fileDone(of(f), result)
		},
		OnFailed:   func(_ *upload.Client, f upload.FileInfo, err error) { r.fileFailed(of(f), err) },
		OnCanceled: func(_ *upload.Client, f upload.FileInfo) { r.fileCanceled(of(f)) },
		OnRetry:    func(_ *upload.Client, f upload.FileInfo, retry upload.Retry) { r.fileRetry(of(f), retry) },
		OnWaiting:  func(_ *upload.Client, f upload.FileInfo, w upload.Waiting) { r.fileWaits(of(f), w) },
	}
}

func (r *Reporter) fileStarted(f upload.FileInfo) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running[f.ID] = &row{name: r.nameLocked(f), once: f.Path == "-", size: f.Size, uploaded: f.Uploaded, started: r.opts.Now()}
	r.emitLocked(of("start", f))
}

// pace is the least time between two progress events of a file.
const pace = time.Second

func (r *Reporter) fileProgress(f upload.FileInfo) {
	r.mu.Lock()
	defer r.mu.Unlock()
	one := r.running[f.ID]
	if one == nil {
		return
	}
	one.size, one.uploaded, one.waits = f.Size, max(one.uploaded, f.Uploaded), nil
	if r.json == nil || r.opts.Now().Sub(one.reported) < pace {
		return
	}
	one.reported = r.opts.Now()
	e := of("progress", f)
	e.Uploaded = &f.Uploaded
	r.emitLocked(e)
}

func (r *Reporter) fileDone(f upload.FileInfo, result upload.Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.running, f.ID)
	if result.Skipped {
		r.sum.Skipped++
		r.compared += result.Size
		r.emitLocked(of("skipped", f).with(result))
		r.detailLocked("skipped: " + Safe(f.Path))
		return
	}
	r.sum.Uploaded++
	r.sum.Bytes += result.Size
	r.sum.Resumed += result.ResumedBytes
	r.emitLocked(of("done", f).with(result))
	r.detailLocked("done: " + Safe(f.Path) + " -> " + Safe(result.Location))
}

func (r *Reporter) detailLocked(text string) {
	if r.opts.Verbose {
		r.printLocked(text)
	}
}

func (r *Reporter) fileFailed(f upload.FileInfo, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if one := r.running[f.ID]; one != nil && Unfinished(err) {
		r.kept += one.kept()
	}
	delete(r.running, f.ID)
	switch {
	case Unfinished(err):
	case r.opts.DryRun != nil && errors.Is(err, r.opts.DryRun):
		r.sum.Planned++
		r.sum.Bytes += max(0, f.Size)
		r.emitLocked(of("planned", f))
		r.printLocked("would upload: " + Safe(f.Path) + " -> " + Safe("oss://"+f.Bucket+"/"+f.Object))
	default:
		r.failLocked(of("failed", f), err)
	}
}

// Attempt takes in a file that failed, for a caller that reports itself what follows from
// that. One that another process has claimed has not failed.
func (r *Reporter) Attempt(f upload.FileInfo, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if one := r.running[f.ID]; one != nil && Unfinished(err) {
		r.kept += one.kept()
	}
	delete(r.running, f.ID)
	if !Unfinished(err) && !errors.Is(err, upload.ErrInUse) {
		r.sum.Failed++
		r.emitLocked(of("failed", f).because(err))
	}
}

// Unfinished reports whether a file that failed with err only was not finished, because
// the run was ended before: its checkpoint is kept.
func Unfinished(err error) bool {
	var about *upload.Error
	if !errors.As(err, &about) {
		return false
	}
	return about.Code == upload.CodeStopped || about.Code == upload.CodeClosed || about.Code == upload.CodeContextEnded
}

func (r *Reporter) fileCanceled(f upload.FileInfo) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.running, f.ID)
	r.sum.Canceled++
	r.emitLocked(of("canceled", f))
}

func (r *Reporter) fileRetry(f upload.FileInfo, retry upload.Retry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := of("retry", f).because(retry.Err)
	e.Part, e.Attempt, e.Delay = retry.Part, retry.Attempt, retry.Delay.Seconds()
	r.emitLocked(e)
	r.detailLocked("retry in " + Duration(retry.Delay) + ": " + Safe(f.Path) + ": " + Text(retry.Err))
}

func (r *Reporter) fileWaits(f upload.FileInfo, w upload.Waiting) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if one := r.running[f.ID]; one != nil {
		one.waits = &w
	}
	e := of("waiting", f)
	e.For = w.For.String()
	if w.Err != nil {
		e = e.because(w.Err)
	}
	r.emitLocked(e)
	r.detailLocked(Safe(f.Path) + " " + Safe(w.String()))
}
