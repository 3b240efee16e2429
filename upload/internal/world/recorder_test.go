package world

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
)

type credentials = sts.Credentials

// A recorder holds what the callbacks of a process say against what was promised: one
// call at a time, nothing about a file before its start or after its end, and exactly one
// end of each start.
type recorder struct {
	p      *process
	inside atomic.Int32

	mu       sync.Mutex
	underWay map[upload.FileID]*progress
	cancels  map[upload.FileID]int // calls that OnCanceled may still follow
}

// A progress is what was said of a file since it was started.
type progress struct {
	path     string
	uploaded int64
}

func newRecorder(p *process) *recorder {
	return &recorder{p: p, underWay: make(map[upload.FileID]*progress), cancels: make(map[upload.FileID]int)}
}

func (r *recorder) callbacks() upload.Callbacks {
	return upload.Callbacks{
		OnStarted: func(_ *upload.Client, f upload.FileInfo) { r.enter("OnStarted", f, r.started) },
		OnProgress: func(_ *upload.Client, f upload.FileInfo, uploaded, total int64) {
			r.enter("OnProgress", f, func(f upload.FileInfo) { r.progressed(f, uploaded, total) })
		},
		OnSucceeded: func(_ *upload.Client, f upload.FileInfo, _ upload.Result) { r.enter("OnSucceeded", f, r.succeeded) },
		OnFailed: func(_ *upload.Client, f upload.FileInfo, err error) {
			r.enter("OnFailed", f, func(f upload.FileInfo) { r.failed(f, err) })
		},
		OnCanceled: func(_ *upload.Client, f upload.FileInfo) { r.enter("OnCanceled", f, r.canceled) },
		OnRetry: func(_ *upload.Client, f upload.FileInfo, retry upload.Retry) {
			r.enter("OnRetry", f, func(f upload.FileInfo) { r.retried(f, retry) })
		},
		OnRetryResume: func(_ *upload.Client, f upload.FileInfo) { r.enter("OnRetryResume", f, func(upload.FileInfo) {}) },
		OnTokenExpired: func(_ *upload.Client, f upload.FileInfo) {
			r.enter("OnTokenExpired", f, func(upload.FileInfo) { r.p.answerToken(r.p.client.ResumeWithToken) })
		},
		OnWaiting: func(_ *upload.Client, f upload.FileInfo, _ upload.Waiting) {
			r.enter("OnWaiting", f, func(upload.FileInfo) {})
		},
		OnFinished: func(*upload.Client) {},
	}
}

// enter is the way into every callback about a file.
func (r *recorder) enter(name string, f upload.FileInfo, then func(upload.FileInfo)) {
	if r.p.dead.Load() {
		return
	}
	r.p.signOfLife()
	r.p.w.trace("%s of %s", name, f.Path)
	if r.inside.Add(1) != 1 {
		r.p.violated("%s of %s while another callback is being called", name, f.Path)
	}
	defer r.inside.Add(-1)
	unstarted := name == "OnStarted" || name == "OnCanceled" || name == "OnWaiting" && f.Started.IsZero() || f.ID == 0 || f.Err != nil && errors.Is(f.Err, errByUser)
	if !unstarted && r.of(f) == nil {
		r.p.violated("%s of %s, which is not under way", name, f.Path)
		return
	}
	then(f)
}

func (r *recorder) of(f upload.FileInfo) *progress {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.underWay[f.ID]
}

func (r *recorder) started(f upload.FileInfo) {
	if r.of(f) != nil {
		r.p.violated("%s was started twice", f.Path)
	}
	r.mu.Lock()
	r.underWay[f.ID] = &progress{path: f.Path}
	r.mu.Unlock()
	if f.Bucket == "" {
		r.p.destineLater(f)
	}
}

// destineLater gives a file its destination some seconds after it was started.
func (p *process) destineLater(f upload.FileInfo) {
	model := p.w.fileOf(f)
	time.AfterFunc(time.Duration(5+10*model.number)*time.Second, func() {
		if p.dead.Load() || p.closed.Load() {
			return
		}
		err := p.client.SetDestination(f.ID, endpoint, bucket, model.object())
		if err != nil && !errors.Is(err, upload.ErrState) && !errors.Is(err, upload.ErrClosed) && !errors.Is(err, upload.ErrFileNotExist) {
			p.violated("SetDestination of %s: %v", f.Path, err)
		}
	})
}

func (r *recorder) progressed(f upload.FileInfo, uploaded, total int64) {
	have := r.of(f)
	if uploaded < have.uploaded || total >= 0 && uploaded > total {
		r.p.violated("%s: progress %d of %d after %d", f.Path, uploaded, total, have.uploaded)
	}
	have.uploaded = uploaded
}

func (r *recorder) retried(f upload.FileInfo, retry upload.Retry) {
	if retry.Attempt > retryCount {
		r.p.violated("%s: retry %d of part %d, RetryCount is %d", f.Path, retry.Attempt, retry.Part, retryCount)
	}
	if retry.Delay > longestPause {
		r.p.violated("%s: pause of %v before a retry, want %v at most", f.Path, retry.Delay, longestPause)
	}
	r.p.w.mustBeFit("the error of a retry", retry.Err.Error())
}

func (r *recorder) succeeded(f upload.FileInfo) {
	r.end(f)
	model := r.p.w.fileOf(f)
	if why := r.p.w.differs(model); why != "" {
		r.p.violated("OnSucceeded of %s, and %s", f.Path, why)
	}
	r.p.w.mu.Lock()
	defer r.p.w.mu.Unlock()
	model.done = true
}

func (r *recorder) failed(f upload.FileInfo, err error) {
	r.end(f)
	var e *upload.Error
	if !errors.As(err, &e) || e.Path != f.Path {
		r.p.violated("the error of %s is no *upload.Error of it: %v", f.Path, err)
	}
	r.p.w.mustBeFit("the error of "+f.Path, err.Error())
	if strings.Contains(err.Error(), "\n") {
		r.p.violated("the error of %s has several lines: %q", f.Path, err)
	}
	for _, interruption := range []error{upload.ErrClosed, upload.ErrStopped, errByUser, context.DeadlineExceeded} {
		if errors.Is(err, interruption) && (interruption != context.DeadlineExceeded || r.p.w.fileOf(f).spec.Kind == direct) {
			return
		}
	}
	r.p.w.fileFailed(r.p, f, err)
}

// expectCancel says that a file is about to be canceled or deleted.
func (r *recorder) expectCancel(id upload.FileID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cancels[id]++
}

func (r *recorder) canceled(f upload.FileInfo) {
	r.end(f)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cancels[f.ID]--; r.cancels[f.ID] < 0 {
		r.p.violated("OnCanceled of %s, which nobody has canceled since the last one", f.Path)
	}
}

// end forgets the file: what is said of it from now on, before it is started again, is
// one thing too many.
func (r *recorder) end(f upload.FileInfo) {
	r.p.w.fileEnded(f)
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.underWay, f.ID)
}

// allEnded says which files got no end before Close returned.
func (r *recorder) allEnded() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, have := range r.underWay {
		r.p.violated("%s got no end before Close returned", have.path)
	}
}
