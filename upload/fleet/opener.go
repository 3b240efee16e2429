package fleet

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/vodupload/vodupload/upload"
)

// An Opener opens the source of a job on a worker: it returns a file with Path, FS or
// Source set, and nothing of the destination. A Source that is an io.Closer is closed
// when the attempt has ended. Where this machine does not have the source, or not yet,
// the error wraps [ErrNoSource] or fs.ErrNotExist: the job is kept for another machine.
// [ErrInvalidArgument] makes it dead, and any other error counts as a failed attempt. ctx
// ends with the attempt.
type Opener func(ctx context.Context, job Job) (upload.File, error)

// Files returns an Opener for "file" sources below folders that all workers see under
// the same path, as on a shared file system. A machine with another file under that path
// does not resume what was sent of the first, but the object is of whichever has the job
// last. Whoever can enqueue jobs can have these folders' files uploaded to anywhere: name no
// others. Symbolic links are followed, but not out of the folders. It is
// [ErrInvalidArgument] for none, or for one that is not absolute; a folder that does not
// exist yet may be mounted later.
func Files(folders ...string) (Opener, error) {
	if len(folders) == 0 {
		return nil, fmt.Errorf("%w: Files: got no folder, want those that jobs may upload from", ErrInvalidArgument)
	}
	for _, f := range folders {
		if !filepath.IsAbs(f) {
			return nil, fmt.Errorf("%w: Files: got %q, want an absolute path", ErrInvalidArgument, f)
		}
	}
	return func(_ context.Context, job Job) (upload.File, error) {
		u, err := url.Parse(job.Source)
		if err != nil {
			return upload.File{}, fmt.Errorf("%w: Job.Source is not a URL", ErrInvalidArgument)
		}
		path := filepath.FromSlash(u.Path)
		resolved, err := filepath.EvalSymlinks(path)
		if err == nil && !within(folders, resolved) || err != nil && !lexicallyWithin(folders, path) {
			return upload.File{}, fmt.Errorf("%w: %s is in none of the folders that this worker serves (%s)", ErrNoSource, path, strings.Join(folders, ", "))
		}
		if err != nil {
			return upload.File{}, fmt.Errorf("%w: %w", ErrNoSource, err)
		}
		info, err := os.Stat(resolved)
		if err != nil {
			return upload.File{}, fmt.Errorf("%w: %w", ErrNoSource, err)
		}
		if !info.Mode().IsRegular() {
			return upload.File{}, fmt.Errorf("%w: %s is not a regular file", ErrInvalidArgument, path)
		}
		return upload.File{Path: path}, nil
	}, nil
}

// within reports whether a path without symbolic links is below one of the folders.
func within(folders []string, path string) bool {
	for _, f := range folders {
		resolved, err := filepath.EvalSymlinks(f)
		if err == nil && lexicallyWithin([]string{resolved}, path) {
			return true
		}
	}
	return false
}

func lexicallyWithin(folders []string, path string) bool {
	for _, f := range folders {
		if rel, err := filepath.Rel(f, path); err == nil && filepath.IsLocal(rel) {
			return true
		}
	}
	return false
}
