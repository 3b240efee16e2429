package wire

import (
	"context"

	"github.com/vodupload/vodupload/upload/internal/target"
)

// Remote is the set of calls, as transfer uses them. *[Object] implements it.
type Remote interface {
	Put(ctx context.Context, s Snapshot, body Body, opts *target.ObjectOptions) (PutResult, error)
	Initiate(ctx context.Context, s Snapshot, opts *target.ObjectOptions) (Initiated, error)
	UploadPart(ctx context.Context, s Snapshot, uploadID string, number int, body Body, opts *target.ObjectOptions) (Part, error)
	Complete(ctx context.Context, s Snapshot, uploadID string, parts []Part, opts *target.ObjectOptions) (CompleteResult, error)
	Abort(ctx context.Context, s Snapshot, uploadID string) error
	ListParts(ctx context.Context, s Snapshot, uploadID string) ([]Part, error)
	Head(ctx context.Context, s Snapshot) (ObjectInfo, error)
}

var _ Remote = (*Object)(nil)
