package fleet

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"strings"

	"github.com/vodupload/vodupload/upload"
)

// prepare calls WorkerOptions.Prepare.
func (w *Worker) prepare(ctx context.Context, job Job, file *upload.File) (err error) {
	if w.opts.Prepare == nil {
		return nil
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("it panicked: %v", p)
		}
	}()
	return w.opts.Prepare(ctx, job, file)
}

// open opens the source of a job by the worker's opener for its scheme.
func (w *Worker) open(ctx context.Context, job Job) (file upload.File, err error) {
	u, err := url.Parse(job.Source)
	if err != nil {
		return file, fmt.Errorf("%w: Job.Source is not a URL", ErrInvalidArgument)
	}
	opener := w.opts.Openers[u.Scheme]
	if opener == nil {
		return file, fmt.Errorf("%w: it opens no %s: sources (it has %s)", ErrNoSource, u.Scheme, strings.Join(w.schemes(), ", "))
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("fleet: the Opener for %s: panicked: %v", u.Scheme, p)
		}
	}()
	file, err = opener(ctx, job)
	if errors.Is(err, fs.ErrNotExist) && !errors.Is(err, ErrNoSource) {
		err = fmt.Errorf("%w: %w", ErrNoSource, err)
	}
	return file, err
}
