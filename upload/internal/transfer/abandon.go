package transfer

import (
	"context"
	"errors"
	"fmt"

	"github.com/vodupload/vodupload/checkpoint"
)

// Abandon ends an upload that is not running: the recorded upload is aborted at
// the server, and its checkpoint deleted. It does nothing where there is none.
// The job needs no source.
func (s *Service) Abandon(ctx context.Context, job *Job) error {
	remote, err := s.wire.Object(job.Target)
	if err != nil {
		return err
	}
	cp, err := s.store(job).Open(ctx, job.key())
	if errors.Is(err, checkpoint.ErrInUse) {
		return nil // somebody else goes on with it
	}
	if err != nil {
		return fmt.Errorf("open checkpoint: %w", err)
	}
	m := &multipart{upload: &upload{Service: s, job: job, remote: remote}, cp: cp}
	var ok bool
	if m.rec, _, ok = cp.Load(); ok {
		err = m.abort(ctx)
	}
	if err != nil {
		return errors.Join(err, cp.Close())
	}
	return cp.Remove()
}
