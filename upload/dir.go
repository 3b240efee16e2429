package upload

import (
	"context"
	"fmt"
	"io/fs"

	"github.com/vodupload/vodupload/upload/internal/target"
)

// AddDirOptions say how [Client.AddDir] adds the files of a folder. The zero value of each
// field means its default.
type AddDirOptions struct {
	// Prefix is put before the path of each file below the folder to make its object's
	// name. A slash is added if it does not end in one. The default is none.
	Prefix string

	// File is what the files have in common, from Endpoint and Bucket to IfExists.
	// Its Path, SourceName, Object, Source, Reader and Size must be empty. With FS, dir is a folder of that
	// file system. Without Endpoint and Bucket the files get their destinations later, as
	// those of AddFile do.
	//
	// With IfExists, the bucket is listed below Prefix, one page of up to 1,000 objects
	// where a HEAD would be made for each. That needs the right oss:ListObjects; without
	// it, each object is asked for, with oss:GetObject. An answer of the list counts for
	// a minute. SkipSame takes it for the word on objects that were made by PutObject, whose
	// MD5 it has (OSS documentation, GetObjectMeta), up to 128 KiB; up to 16 MiB it does so
	// where computing MD5s takes less time than a HEAD for the CRC64 of each.
	File File

	// PlaylistsLast is for folders of HLS and DASH: a playlist is uploaded once all other
	// files are stored, and what names playlists comes last. The files are in one [Group],
	// that of File or one of their own, whose ranks begin at that of File: first all others, then
	// media playlists (.m3u8, .m3u), then multivariant playlists and manifests (.mpd). If a
	// file or a folder could not be added, neither are the files of higher ranks. Add each
	// stream by a call of its own: within one, each playlist waits for all the segments.
	PlaylistsLast bool

	// Func, if it is not nil, is called with each entry below the folder before it is
	// added: files, folders, and what is neither. f is the file as it would be added, and
	// all of it but Path may be changed, for this file only. True leaves the entry out, a
	// folder with everything in it; so does an error, which AddDir returns with others
	// of its kind. The error fs.SkipAll ends AddDir without one.
	Func func(f *File, d fs.DirEntry) (skip bool, err error)
}

// AddDir adds all regular files below dir, in lexical order, each with the object name
// Prefix + path below dir, with slashes. opts may be nil.
//
// Nothing outside of dir is uploaded. Symbolic links below dir are not followed, nor is a
// link that replaces a file, or a folder above it, after it was listed: that file fails
// with [ErrFileNotExist]. dir itself may be one; it is resolved at once.
//
// AddDir returns the IDs of the files that were added, even if there is an error. That is
// an [AddDirErrors] with one error for each entry that was not added, and why: a file that
// AddFile refuses, a folder that cannot be read, and a link, a pipe, a socket or a device,
// which is [ErrNotRegular]. Leave such entries out by Func if they are as they should be.
// It is [ErrFileNotExist] if there is no dir, and the cause of ctx's end, with both of the
// above, if ctx ended before all was added; a file system that hangs delays that by a
// second at most.
func (c *Client) AddDir(ctx context.Context, dir string, opts *AddDirOptions) ([]FileID, error) {
	w := &dirWalk{ctx: ctx, c: c, dir: dir}
	if opts != nil {
		w.AddDirOptions = *opts
	}
	if err := w.check(); err != nil {
		return nil, target.OneLine(fmt.Errorf("AddDir: %w", err))
	}
	err := w.run()
	if err != nil {
		err = target.OneLine(fmt.Errorf("AddDir: %w", err))
	}
	if len(w.failed) == 0 {
		return w.ids, err
	}
	return w.ids, target.Join(w.failed, err)
}

// Format writes the fields without secrets, whatever the verb: File may have some.
func (o AddDirOptions) Format(s fmt.State, _ rune) {
	type fields AddDirOptions
	fmt.Fprintf(s, "%+v", fields(o))
}
