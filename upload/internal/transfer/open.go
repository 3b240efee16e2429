package transfer

import (
	"context"
	"fmt"
	"io"
)

// Open opens the job's source, so that a later write to it will show. An error that may
// pass is retried like that of a request.
func (s *Service) Open(ctx context.Context, job *Job, open func() (Source, error)) (Source, error) {
	c := s.callerFor(job)
	var src Source
	err := c.local(ctx, 0, func() error {
		defer job.Steps.end(job.Steps.begin("opening the source", -1))
		err := Protect("opening the source", func() (err error) {
			if src, err = open(); err != nil {
				return err
			}
			if st, ok := src.(Settler); ok {
				err = st.Settle(min(s.opts.PartSize, readTwice))
			}
			if err != nil {
				_ = src.Close()
			}
			return err
		})
		if err != nil {
			return &sourceError{err}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return guard(src, job.Steps), nil
}

// Begin returns the first bytes of the job's source, at most n.
func (s *Service) Begin(ctx context.Context, job *Job, n int) ([]byte, error) {
	buf := make([]byte, min(int64(n), job.Source.State().Size))
	err := s.callerFor(job).local(ctx, 0, func() error {
		_, err := job.Source.ReadAt(buf, 0)
		if err != nil && err != io.EOF {
			return fmt.Errorf("read source at byte 0: %w", err)
		}
		return nil
	})
	return buf, err
}
