package transfer

import (
	"context"

	"github.com/vodupload/vodupload/upload/internal/wire"
)

// An ObjectsPage is a part of the list of a bucket's objects.
type ObjectsPage = wire.ObjectsPage

// Objects returns the objects whose names begin with that of the job's target and come after
// a name: one page of them.
func (s *Service) Objects(ctx context.Context, job *StatJob, after string) (page ObjectsPage, err error) {
	bucket, err := s.wire.Bucket(job.Target)
	if err != nil {
		return page, err
	}
	return fetch(ctx, s.callerTo(job.Target, job.Gate, job.Slots, job.Emit), func(ctx context.Context, snap Snapshot) (ObjectsPage, error) {
		return bucket.ListObjects(ctx, snap, job.Target.Object, after)
	})
}
