package transfer

import (
	"context"
	"errors"
	"fmt"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/target"
)

// Abandon ends an upload that is not running: the recorded upload is aborted at
// the server, and its checkpoint deleted. It does nothing where there is none, or
// where somebody else goes on with it. Where the server does not let it be aborted,
// the checkpoint stays. The job needs no source.
func (s *Service) Abandon(ctx context.Context, job *Job) error {
	remote, err := s.wire.Object(job.target())
	if err != nil {
		return err
	}
	return (&upload{Service: s, job: job, remote: remote}).abandon(ctx)
}

func (u *upload) abandon(ctx context.Context) error {
	store, key := u.store(u.job), u.job.key()
	if f, ok := store.(checkpoint.Finder); ok {
		if has, err := f.Has(ctx, key); err == nil && !has {
			return nil
		}
	}
	cp, err := OpenCheckpoint(ctx, store, key, u.starved)
	if errors.Is(err, checkpoint.ErrInUse) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	m := &multipart{upload: u}
	m.rec, _, _ = cp.Load()
	if err := m.abort(ctx); err != nil {
		return target.Join(err, cp.Close())
	}
	return cp.Remove()
}

// leave ends a run that has claimed nothing. If the upload was abandoned, what an
// earlier run has left of it goes.
func (u *upload) leave(ctx context.Context, err error) error {
	if !isAbandoned(ctx) {
		return err
	}
	ctx, cancel := cleanup(ctx)
	defer cancel()
	if aerr := u.abandon(ctx); aerr != nil {
		u.warn(fmt.Errorf("an unfinished upload stays at the server: %w", aerr))
	}
	return err
}
