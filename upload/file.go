package upload

import (
	"fmt"
	"io"
	"io/fs"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// A File is one file to be uploaded, with its destination. What Info and Options point to
// must not be changed once it was added.
type File struct {
	// Path is the path of a regular file; a relative one is made absolute when the
	// file is added. With FS it is a name in that file system. With Source or Reader
	// it is only a name for the bytes, in the list, in errors and in checkpoints; it is
	// required all the same.
	//
	// Symbolic links in the path of a file of the system are resolved when it is added:
	// that file is uploaded and resumed, wherever the links lead later. Two names of one
	// file (hard links) are one source in one client; in two processes they are two.
	Path string

	// SourceName is what the bytes are called in checkpoints, instead of Path without
	// symbolic links: the same on all machines that share the store of the checkpoints,
	// whatever path leads to the file on each, "films/2026/a.mp4" for example. Then a
	// machine that has the file of a shared file system resumes what another has begun:
	// the recorded parts count, unread, if size, modification time and change time are the
	// same. Device and inode are not looked at. Two files of the list with one SourceName
	// and one destination are the same file. With a Reader it is refused, since that is
	// resumed by nobody else. The default is the Path.
	SourceName string

	dir     *folder           // that AddDir found the file in; nil for all else
	listing *transfer.Listing // of the bucket, by AddDir; may be nil

	// FS is the file system that Path is in. Its files must be io.ReaderAt, as those
	// of embed.FS and os.DirFS are. Their ReadAt and Stat, and the FS's Open and Stat,
	// are called from many goroutines at once. The default is the system's.
	//
	// A file system that gives neither inodes nor change times, as most in memory do,
	// does not show every write. Its files are read twice: what was sent is compared with
	// what is there before the object is made, and a difference is [ErrFileChanged]. The
	// same holds for files of the system where it has no change times: on Windows, and on
	// Unix systems other than Linux and macOS.
	FS fs.FS

	// Source supplies the bytes, instead of a file.
	Source Source

	// Reader supplies the bytes if they can be read only once. One part more than there are
	// requests in flight is kept in memory; if that is more than a 32-bit system can
	// address, the file is refused with [ErrInvalidArgument]. 10,000 parts are the limit:
	// without Size, 9.7 GiB in parts of 1 MiB. Such an upload resumes after Pause and Stop,
	// but neither in another process nor after it failed.
	//
	// Only io.EOF ends it, as package io says. Any other error fails the file with that
	// error, above all io.ErrUnexpectedEOF of a body that broke off; so do a panic and
	// 100 reads in a row that return nothing. Then nothing is left at the server, and
	// Reader is not read again. A body without a length whose connection was cut can
	// look like one that has ended: an HTTP/1 answer with neither Content-Length nor
	// chunks, for example.
	//
	// A Reader that another file of the client still reads is [ErrInvalidArgument]. One
	// that a file has read gives what is left of it: seek back before giving it again.
	//
	// It is read by one goroutine at a time, which cannot be interrupted. A Read that is
	// under way when the file ends continues until it returns, and what it reads is not
	// used. A Reader that is an io.Closer is closed once, when the file has ended and no
	// Read is under way. It is not closed if AddFile or Upload refused the file.
	Reader io.Reader

	// Size is how many bytes Reader has, where that is known: the Content-Length of a
	// request, for example. Then progress has a total from the start, the parts are large
	// enough that 10,000 of them hold the Reader, and one that fits into one part is sent
	// by a single request. A Reader that has fewer or more bytes fails the file with
	// [ErrSizeMismatch], and no object is made of it. A Reader of 1 TB has parts of 100 MB,
	// of which one more than there are requests in flight is in memory once it has been
	// read: set a limit to what others announce. Before the last part is sent, one
	// byte more than Size is asked for: of a connection that stays open, give an
	// [io.LimitReader]. Without a Reader, Size is refused: all other sources have a size
	// of their own. The default is 0: the size is not known.
	Size int64

	// Tag is a value of yours. It comes back in [FileInfo] in every callback, and is
	// neither looked at, nor logged, nor printed with the FileInfo. The default is nil.
	Tag any `json:"-" xml:"-"`

	// OnProgress is called with the progress of this file alone: at the same times, in the
	// same order and by the same rules as Callbacks.OnProgress, and right after it. Its
	// last call before OnSucceeded has Uploaded equal to Size. It must not be shared by
	// several clients unless it may be called from several goroutines. The default is none.
	OnProgress func(FileInfo) `json:"-" xml:"-"`

	// Credentials supplies what the requests of this file are signed with, instead of the
	// client's credentials: one client uploads into the buckets of many customers. Files
	// with the same Provider (by ==) share its credentials, and it is asked once for each
	// token that they need, as Options.Credentials is. The client keeps it until the last
	// of them has succeeded or has left the list, and what it gave no longer: for files
	// that come one after another, give one that keeps its token, as [sts.Cache] does. A
	// Provider that cannot be compared, like an
	// [sts.ProviderFunc], is asked for each file by itself; give files a pointer to share.
	// The clean-up after the file uses it, too, and [Client.Sweep] while the file is in
	// the list.
	//
	// OnTokenExpired is not called for such a file. [Client.SetToken] replaces the
	// Provider until that token has expired. Credentials is refused for a file without a
	// destination if there is an Options.Authorizer, which brings credentials as well. The
	// default is none.
	Credentials sts.Provider `json:"-" xml:"-"`

	// Info is sent to the media services with the file. The default is nothing.
	Info *Info

	// Endpoint, Bucket and Object are the destination. The endpoint is a host like
	// "oss-cn-hangzhou.aliyuncs.com", with "http://" before it if TLS is not wanted.
	// An Object whose name ends in a slash is shown as a folder, and is refused for
	// anything but a file of 0 bytes. All three may be empty: then they are given by
	// Options.Authorizer, or by SetDestination, which OnStarted may call.
	//
	// Two files with one destination are both uploaded, and the object is the one that is
	// stored last. If the second is added before the first has ended, the Logger gets a
	// warning that names both.
	Endpoint string
	Bucket   string
	Object   string

	// Options are the properties of the object. Files may share one. The default is those
	// of the bucket, with a ContentType by the name.
	Options *ObjectOptions

	// IfExists says what to do if the object exists already. The default is Overwrite.
	IfExists IfExists

	// Group and Rank make the file wait until the files of lower ranks in its Group have
	// succeeded. They are for the list, not for Upload. The default is no group.
	Group *Group
	Rank  int
}

// Format writes the fields, and of Tag and Credentials the names of their types alone,
// whatever the verb: they may hold a secret.
func (f File) Format(s fmt.State, _ rune) {
	type fields File
	f.Tag = hide(f.Tag)
	f.Credentials, _ = hide(f.Credentials).(sts.Provider)
	fmt.Fprintf(s, "%+v", fields(f))
}

// checkIfExists returns an error for a file whose IfExists cannot be what it is.
func (f *File) checkIfExists() error {
	switch {
	case int(f.IfExists) >= len(ifExistsNames):
		return fmt.Errorf("%w: File.IfExists: got %d, want Overwrite, Fail, Skip, SkipSame, SkipSize or SkipNewer", ErrInvalidArgument, uint8(f.IfExists))
	case f.IfExists >= SkipSame && f.Reader != nil:
		return fmt.Errorf("%w: File.IfExists: got %v with a Reader, which cannot be read twice; want Skip, or a Source", ErrInvalidArgument, f.IfExists)
	}
	return nil
}
