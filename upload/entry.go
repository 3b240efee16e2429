package upload

import (
	"cmp"
	"context"
	"sync/atomic"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/credentials"
	"github.com/vodupload/vodupload/upload/internal/filelist"
	"github.com/vodupload/vodupload/upload/internal/media"
	"github.com/vodupload/vodupload/upload/internal/tasks"
	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// An entry is what a file is besides its state, which is the list's: where its bytes
// come from, where they go, and what was found out on the way. Its fields belong to the
// client's lock, except where they say otherwise.
type entry struct {
	id     FileID // 0: not in the list
	path   string // absolute, for a file of the system; never changes
	opened string // path that is opened: for a file of the system, without symbolic links; never changes
	source string // its name in keys: one for all paths of a file; never changes
	info   *Info  // never changes

	// options are the File without path, destination and Info. Other files share them;
	// they never change.
	options *File

	stream          *transfer.Stream // of File.Reader; nil for all else; never changes
	unfingerprinted bool             // its Source had no fingerprint when it was added; never changes

	site           *site // of the destination; nil: there is none yet
	bucket, object string
	ownDestination bool          // the destination is not the Authorizer's
	media          *media.Memory // of Options.Authorizer; nil for a file that was added with a destination
	videoID        string
	mediaID        string
	mediaURL       string

	own      atomic.Pointer[credentials.Gate] // credentials of its own; read without the lock
	provided tasks.Signal                     // broadcast when credentials or a destination are given

	cancel            context.CancelCauseFunc // of its run; nil when it does not run
	steps             *transfer.Steps         // of its run, in its source
	putOutcomeUnknown bool                    // a PutObject may have made the object; the run's, not the lock's
	uploadID          string
	partSize          int64
	err               *Error
	result            *Result

	progress         *progressEvent // the last one; it may still wait for its delivery
	reportedUploaded int64          // by it
	reportedSize     int64

	direct *directEnd // of Upload; nil for files of AddFile
}

// A directEnd is how a file of Upload ended.
type directEnd struct {
	done chan struct{} // closed once nothing is left to do for the file
	info FileInfo      // as it was then
	mark uint64        // of the last event about it
}

// key is what no two files of the list have in common. It leaves out a destination
// that the Authorizer gave: the same source twice has to be found before both have one.
func (e *entry) key() checkpoint.Key {
	if !e.ownDestination {
		return media.Key(e.source)
	}
	return checkpoint.Key{Source: e.source, Endpoint: e.site.text, Bucket: e.bucket, Object: e.object}
}

// made names what the media service made of the file.
func (e *entry) made() string { return cmp.Or(e.videoID, e.mediaID) }

// snapshot is what a user sees of a file now.
func (e *entry) snapshot(f *filelist.File) FileInfo {
	info := FileInfo{
		ID: FileID(f.ID), Path: e.path, Bucket: e.bucket, Object: e.object, State: FileState(f.Shown()),
		Size: f.Size, Uploaded: f.Uploaded, InFlight: f.InFlight, Sent: f.Sent,
		UploadID: e.uploadID, PartSize: e.partSize,
		VideoID: e.videoID, MediaID: e.mediaID, MediaURL: e.mediaURL, Info: e.info,
		Started: f.Started, Ended: f.Ended, Err: e.err, Result: e.result,
	}
	if e.site != nil {
		info.Endpoint = e.site.text
	}
	return info
}
