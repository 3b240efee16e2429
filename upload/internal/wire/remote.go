package wire

import "context"

// Remote is the set of calls, as transfer uses them. *[Object] implements it.
type Remote interface {
	Put(ctx context.Context, s Snapshot, body Body, opts *ObjectOptions) (PutResult, error)
	Initiate(ctx context.Context, s Snapshot, opts *ObjectOptions) (Initiated, error)
	UploadPart(ctx context.Context, s Snapshot, uploadID string, number int, body Body, opts *ObjectOptions) (Part, error)
	Complete(ctx context.Context, s Snapshot, uploadID string, parts []Part, opts *ObjectOptions) (CompleteResult, error)
	Abort(ctx context.Context, s Snapshot, uploadID string) error
	ListParts(ctx context.Context, s Snapshot, uploadID string) ([]Part, error)
	Head(ctx context.Context, s Snapshot) (ObjectInfo, error)
}

var _ Remote = (*Object)(nil)
