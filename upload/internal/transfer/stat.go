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
	return fetch(ctx, s.callerTo(job.Target, job.Gate, job.Slots, job.Emit), remote.Head)
}
