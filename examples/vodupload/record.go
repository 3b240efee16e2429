package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/vodupload/vodupload/examples/vodupload/internal/manifest"
	"github.com/vodupload/vodupload/upload"
)

// A record writes the list of --manifest.
type record struct {
	to   *manifest.Writer
	path string
}

// record has a client write the list that the flags ask for. Nil: none.
func (f *copyFlags) record(opts *upload.Options) (*record, error) {
	if f.manifest == "" || f.dryRun {
		return nil, nil
	}
	to, err := manifest.Open(f.manifest)
	if err != nil {
		return nil, usageError{fmt.Errorf("--manifest: %w", withoutOp(err))}
	}
	r := &record{to, f.manifest}
	opts.Callbacks.OnSucceeded = func(_ *upload.Client, f upload.FileInfo, result upload.Result) {
		if result.Skipped && !result.Verified { // nobody has compared the bytes
			return
		}
		_ = r.to.Add(lineOf(f, result, time.Now())) // close has the error
	}
	return r, nil
}

// hurry keeps whoever stands still while reading the list from holding up the end of the run.
func (r *record) hurry() {
	if r != nil {
		r.to.Hurry()
	}
}

// lineOf returns the line of a file whose bytes are in the bucket.
func lineOf(f upload.FileInfo, r upload.Result, now time.Time) manifest.Line {
	path := f.Path
	if abs, err := filepath.Abs(path); err == nil && path != "-" && !isURL(path) {
		path = abs
	}
	return manifest.Line{
		Path: path, Endpoint: r.Endpoint, Bucket: r.Bucket, Object: r.Object,
		Size: r.Size, CRC64: r.CRC64, ETag: r.ETag, Parts: r.Parts, Time: now,
	}
}

// close returns the error of any line.
func (r *record) close() error {
	if r == nil {
		return nil
	}
	if err := r.to.Close(); err != nil {
		if of := (*fs.PathError)(nil); errors.As(err, &of) {
			err = of.Err // the path is named
		}
		return fmt.Errorf("the manifest %s is not complete: %w", r.path, err)
	}
	return nil
}
