package fleet

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/source"
)

// HTTP returns an Opener for "http" and "https" sources, read by ranges; see package
// source for what a server has to be able to do. Nothing is stored on the worker's machine,
// and a takeover reads no part again that OSS has. Whoever can enqueue jobs can have the
// worker fetch any address that it reaches: give a Transport that refuses those that are
// not for this. Name is ignored: jobs have a SourceName. opts may be nil.
//
// A server that does not have the file, or refuses it, is [ErrNoSource]: another machine
// may be let in, and the file may be there later.
func HTTP(opts *source.HTTPOptions) Opener {
	var o source.HTTPOptions
	if opts != nil {
		o = *opts
	}
	return func(ctx context.Context, job Job) (upload.File, error) {
		o := o
		o.Name = job.sourceName()
		src, err := source.NewHTTP(ctx, job.Source, &o)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
			return upload.File{}, fmt.Errorf("%w: %w", ErrNoSource, err)
		}
		if err != nil {
			return upload.File{}, err
		}
		return upload.File{Path: shown(job.Source), Source: src}, nil
	}
}
