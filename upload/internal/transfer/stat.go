package transfer

import (
	"context"

	"github.com/vodupload/vodupload/upload/internal/target"
	"github.com/vodupload/vodupload/upload/internal/wire"
)

// A StatJob says which object to ask for, or for the objects with which prefix.
type StatJob struct {
	Target target.Target
	Gate   Gate
	Slots  Slots

	// Emit is called with what happens to the request. It must not block.
	Emit func(Event)
}

// An ObjectInfo is what the server says of an object.
type ObjectInfo = wire.ObjectInfo

// Stat returns what the server says of an object. If there is none, the error has the
// Status 404.
func (s *Service) Stat(ctx context.Context, job *StatJob) (info ObjectInfo, err error) {
	remote, err := s.wire.Object(job.Target)
	if err != nil {
		return info, err
	}
	err = s.callerOf(job).call(ctx, 0, func(ctx context.Context, snap Snapshot) (err error) {
		info, err = remote.Head(ctx, snap)
		return err
	})
	return info, err
}

// callerOf returns what makes the requests of a job.
func (s *Service) callerOf(job *StatJob) *caller {
	return &caller{
		Service: s, gate: job.Gate, slots: job.Slots, report: job.Emit,
		line: s.lineTo(job.Target.Endpoint.String()), bucket: job.Target.Bucket,
	}
}
