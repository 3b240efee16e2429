package transfer

import (
	"context"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/wire"
)

// A Session brings one file to its object, in as many runs as that takes. It keeps what
// outlives a run in this process. Run and Abandon are for one goroutine at a time.
type Session struct {
	*Service
	stream *Stream          // nil: each job has a Source
	memory checkpoint.Store // of the stream's checkpoint, which nobody else could resume

	// putUnknown says that a PutObject of an earlier run may have made the object.
	putUnknown bool

	// lost are requests of earlier runs that may have begun uploads whose IDs are not known.
	lost lostInitiates
}

// NewSession returns the session of a file. st is nil unless its bytes are a stream.
func (s *Service) NewSession(st *Stream) *Session {
	f := &Session{Service: s, stream: st}
	if st != nil {
		f.memory = checkpoint.NewMemory()
	}
	return f
}

// Remembers reports whether the session knows something that no record has and another
// run needs, beside PutUnknown. A nil one does not.
func (f *Session) Remembers() bool { return f != nil && !f.lost.none() }

// PutUnknown reports whether a PutObject of an earlier run may have made the object.
func (f *Session) PutUnknown() bool { return f != nil && f.putUnknown }

// SetPutUnknown has the session know what one before it did.
func (f *Session) SetPutUnknown() { f.putUnknown = true }

// store returns where the checkpoint of a job is kept.
func (f *Session) store(job *Job) checkpoint.Store {
	return GuardStore(f.kept(job), job.Steps)
}

func (f *Session) kept(job *Job) checkpoint.Store {
	switch {
	case f.stream != nil:
		return f.memory
	case job.Volatile:
		return f.volatile
	}
	return f.opts.Checkpoints
}

// An upload is one run of a [Session], or what it takes to abandon it.
type upload struct {
	*caller
	session *Session
	job     *Job
	remote  wire.Remote
	plan    Plan
	fence   *fence // of what the run has claimed; nil: nothing
}

func (f *Session) upload(job *Job) (*upload, error) {
	remote, err := f.wire.Object(job.target())
	if err != nil {
		return nil, err
	}
	return &upload{caller: f.callerFor(job), session: f, job: job, remote: remote}, nil
}

// Run brings the job's source, or the stream, to its object. It returns when nothing of
// it is under way any more, but for a Read of the stream's reader. The source stays open.
// A stream that failed is aborted, for its bytes cannot be read again; after an
// interruption another Run resumes.
func (f *Session) Run(ctx context.Context, job *Job) (Result, error) {
	u, err := f.upload(job)
	if err != nil {
		return Result{}, err
	}
	return u.run(ctx)
}

func (u *upload) run(ctx context.Context) (res Result, err error) {
	if u.session.stream != nil {
		if res, err = u.streamed(ctx); err != nil {
			return u.skipLate(ctx, err)
		}
		return res, nil
	}
	job := *u.job
	job.Source = guard(job.Source, job.Steps)
	u.job = &job
	if u.plan, err = NewPlan(job.Source.State().Size, u.opts.PartSize); err != nil {
		return Result{}, err
	}
	if res, skipped, err := u.skipSame(ctx); skipped || err != nil {
		return res, err
	}
	send := u.multipart
	if u.plan.Single() {
		send = u.single
	}
	if res, err = send(ctx); err != nil {
		return u.skipLate(ctx, err)
	}
	return res, nil
}

// Abandon ends an upload that is not running: the recorded upload is aborted at
// the server, and its checkpoint deleted. It does nothing where there is none, or
// where another holder resumes it. Where the server does not let it be aborted,
// the checkpoint stays. The job needs no source.
func (f *Session) Abandon(ctx context.Context, job *Job) error {
	u, err := f.upload(job)
	if err != nil {
		return err
	}
	return u.abandon(ctx)
}
