package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/vodupload/vodupload/checkpoint"
)

// ownFiles are the files and folders that a run writes while it reads its sources: they would
// change while they are uploaded, or, as checkpoints do, be gone.
type ownFiles []fs.FileInfo

// errOwn says that a source is one of them.
var errOwn = errors.New("this run writes to it: give it a place outside of what is copied")

func (o ownFiles) has(info fs.FileInfo) bool {
	return slices.ContainsFunc(o, func(own fs.FileInfo) bool { return os.SameFile(own, info) })
}

// ownFiles returns those of a run: the files and folders at the paths, and files to which its
// output is redirected.
func (a *app) ownFiles(paths ...string) (own ownFiles) {
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil {
			own = append(own, info)
		}
	}
	for _, w := range []io.Writer{a.stdout, a.stderr} {
		if checked, ok := w.(*checkedWriter); ok {
			w = checked.to
		}
		f, ok := w.(*os.File)
		if !ok {
			continue
		}
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			own = append(own, info)
		}
	}
	return own
}

// ownFiles returns those of a run with the flags: the manifest and the checkpoints are among them.
func (f *copyFlags) ownFiles(a *app) ownFiles {
	checkpoints := f.checkpointDir
	if checkpoints == "" && !f.dryRun {
		checkpoints, _, _ = checkpoint.MakeDefaultDir()
	}
	return a.ownFiles(checkpoints, f.manifest)
}

// resolved returns an absolute path without links, also of what is not there yet.
func resolved(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	real, err := filepath.EvalSymlinks(path)
	if parent := filepath.Dir(path); errors.Is(err, fs.ErrNotExist) && parent != path {
		real, err = resolved(parent)
		return filepath.Join(real, filepath.Base(path)), err
	}
	return real, err
}
