package upload

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vodupload/vodupload/upload/internal/target"
	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// A dirWalk is one call of AddDir.
type dirWalk struct {
	AddDirOptions
	ctx  context.Context
	c    *Client
	dir  string
	fsys fs.FS    // that is walked
	top  string   // in fsys
	root *os.Root // nil with File.FS

	listings map[place]*transfer.Listing
	ids      []FileID
	failed   AddDirErrors // in the order of the walk
	later    []File       // that wait for others: they are added after those
}

// A place is where a listing is about.
type place struct{ endpoint, bucket string }

// check returns an error for options that cannot be.
func (w *dirWalk) check() error {
	for _, f := range []struct {
		field string
		set   bool
	}{
		{"Path", w.File.Path != ""}, {"Object", w.File.Object != ""}, {"Source", w.File.Source != nil}, {"Reader", w.File.Reader != nil},
		{"SourceName", w.File.SourceName != ""}, {"Size", w.File.Size != 0},
	} {
		if f.set {
			return fmt.Errorf("%w: AddDirOptions.File.%s: want it empty: each file has its own", ErrInvalidArgument, f.field)
		}
	}
	if w.dir == "" {
		return fmt.Errorf("%w: dir is empty", ErrMissingArgument)
	}
	if w.Prefix != "" && !strings.HasSuffix(w.Prefix, "/") {
		w.Prefix += "/"
	}
	if w.Prefix != "" {
		if err := target.CheckObject(w.Prefix + "x"); err != nil {
			return fmt.Errorf("%w: AddDirOptions.Prefix: %w", ErrInvalidArgument, err)
		}
	}
	if w.PlaylistsLast && w.File.Group == nil {
		w.File.Group = new(Group)
	}
	return context.Cause(w.ctx)
}

// run adds what is in the folder.
func (w *dirWalk) run() error {
	if err := w.open(); err != nil {
		return w.refuse(w.dir, notRead(w.dir, err))
	}
	defer w.close()
	if err := fs.WalkDir(patientFS{w}, w.top, w.visit); err != nil {
		return err
	}
	return w.addLater()
}

// open opens the folder.
func (w *dirWalk) open() error {
	w.fsys, w.top = w.File.FS, path.Clean(w.dir)
	if w.fsys != nil {
		return nil
	}
	type opened struct {
		folder *folder
		root   *os.Root
	}
	got, err := within(w.ctx, w.c, "opening the folder "+w.dir, func() (opened, error) {
		folder, root, err := openFolder(w.dir)
		return opened{folder, root}, err
	})
	if err != nil {
		return err
	}
	w.root, w.File.dir = got.root, got.folder
	w.fsys, w.top = w.root.FS(), "."
	return nil
}

func (w *dirWalk) close() {
	if w.root != nil {
		_ = w.root.Close()
	}
}

// A patientFS reads the folders of a walk for as long as its context lasts.
type patientFS struct{ w *dirWalk }

func (p patientFS) Open(name string) (fs.File, error) { return p.w.fsys.Open(name) }

// Stat implements [fs.StatFS].
func (p patientFS) Stat(name string) (fs.FileInfo, error) {
	return within(p.w.ctx, p.w.c, "looking at "+p.w.path(name), func() (fs.FileInfo, error) { return fs.Stat(p.w.fsys, name) })
}

// ReadDir implements [fs.ReadDirFS].
func (p patientFS) ReadDir(name string) ([]fs.DirEntry, error) {
	return within(p.w.ctx, p.w.c, "reading the folder "+p.w.path(name), func() ([]fs.DirEntry, error) { return fs.ReadDir(p.w.fsys, name) })
}

// path returns the path of an entry as users see it.
func (w *dirWalk) path(name string) string {
	if w.root == nil {
		return name
	}
	return filepath.Join(w.dir, filepath.FromSlash(name))
}

// visit adds one entry, as a [fs.WalkDirFunc]. Its error ends the walk.
func (w *dirWalk) visit(name string, d fs.DirEntry, err error) error {
	switch {
	case err == nil && w.ctx.Err() != nil:
		return context.Cause(w.ctx)
	case err != nil:
		return w.refuse(w.path(name), notRead(w.path(name), err))
	case name == w.top && d.IsDir():
		return nil
	case name == w.top:
		return w.refuse(w.path(name), fmt.Errorf("%w: want a folder", ErrInvalidArgument))
	}
	f, skip, err := w.ask(name, d)
	switch {
	case err == fs.SkipAll:
		w.later = nil // what they wait for may be among the rest
		return err
	case err != nil:
		if err := w.refuse(f.Path, err); err != nil {
			return err
		}
	case !skip && !d.IsDir():
		return w.take(f, d)
	}
	if d.IsDir() && (skip || err != nil) {
		return fs.SkipDir
	}
	return nil
}

// ask returns the file that an entry would become, and what Func says about it.
func (w *dirWalk) ask(name string, d fs.DirEntry) (f File, skip bool, err error) {
	f = w.File
	f.Path = w.path(name)
	below, _ := strings.CutPrefix(name, w.top+"/")
	f.Object = w.Prefix + below
	if d.IsDir() {
		f.Object += "/"
	}
	if w.PlaylistsLast && d.Type().IsRegular() {
		rank, err := within(w.ctx, w.c, "reading the playlist "+f.Path, func() (int, error) {
			return streamRank(name, func() (io.ReadCloser, error) { return w.fsys.Open(name) })
		})
		if err != nil {
			return f, false, err
		}
		f.Rank += rank
	}
	path, object := f.Path, f.Object
	if w.Func != nil {
		if skip, err = w.Func(&f, d); skip || err != nil {
			f.Path = path
			return f, skip, err
		}
	}
	switch {
	case f.Path != path:
		err = fmt.Errorf("%w: AddDirOptions.Func: File.Path: got %q, want it unchanged", ErrInvalidArgument, f.Path)
	case f.Source != nil || f.Reader != nil || (f.FS != nil) != (w.File.FS != nil):
		err = fmt.Errorf("%w: AddDirOptions.Func: got a File with another FS, Source or Reader, want the file of the folder", ErrInvalidArgument)
	case f.Endpoint == "" && f.Bucket == "" && f.Object == object:
		f.Object = "" // the destination is given later
	}
	f.Path, f.FS = path, w.File.FS
	return f, false, err
}

// take adds a file, or keeps it until those are added that it waits for.
func (w *dirWalk) take(f File, d fs.DirEntry) error {
	switch {
	case !d.Type().IsRegular():
		return w.refuse(f.Path, transfer.NotRegular(f.Path, d.Type()))
	case f.Group != nil && f.Rank > w.File.Rank:
		w.later = append(w.later, f)
		return nil
	}
	return w.add(f)
}

// addLater adds the files that wait for others, unless some of those could not be added.
func (w *dirWalk) addLater() error {
	slices.SortStableFunc(w.later, func(a, b File) int { return cmp.Compare(a.Rank, b.Rank) })
	var missing *AddDirError // of a lower rank
	for i, f := range w.later {
		if len(w.failed) > 0 && (i == 0 || f.Rank > w.later[i-1].Rank) {
			missing = w.failed[0]
		}
		var err error
		if missing != nil {
			err = w.refuse(f.Path, fmt.Errorf("%w: %s was not added", ErrGroup, missing.Path))
		} else {
			err = w.add(f)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *dirWalk) add(f File) error {
	f.listing = w.listing(&f)
	e, size, err := w.c.newEntryWithin(w.ctx, f)
	if err != nil {
		return w.refuse(f.Path, err)
	}
	id, err := w.c.add(e, addOptions(&f, e, size))
	if err != nil {
		return w.refuse(f.Path, err)
	}
	w.ids = append(w.ids, id)
	return nil
}

// listing returns what lists the bucket for a file that may be skipped.
func (w *dirWalk) listing(f *File) *transfer.Listing {
	if f.IfExists < Skip || f.Credentials != nil && w.Func != nil { // one file's credentials are for that file
		return nil
	}
	at := place{f.Endpoint, f.Bucket}
	l, ok := w.listings[at]
	if !ok {
		if t, err := w.c.opts.locator().Prefix(f.Endpoint, f.Bucket, w.Prefix); err == nil { // otherwise the file is refused
			l = transfer.NewListing(t)
		}
		if w.listings == nil {
			w.listings = make(map[place]*transfer.Listing)
		}
		w.listings[at] = l
	}
	return l
}

// refuse records that an entry was not added. What ends the walk is returned.
func (w *dirWalk) refuse(path string, err error) error {
	switch cause := context.Cause(w.ctx); {
	case cause != nil && errors.Is(err, cause): // it says what has not returned
		return err
	case cause != nil:
		return cause
	case errors.Is(err, ErrClosed):
		return ErrClosed
	}
	w.failed = append(w.failed, &AddDirError{Path: path, Err: err})
	return nil
}
