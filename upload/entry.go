package upload

import (
	"cmp"
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/credentials"
	"github.com/vodupload/vodupload/upload/internal/filelist"
	"github.com/vodupload/vodupload/upload/internal/media"
	"github.com/vodupload/vodupload/upload/internal/notify"
	"github.com/vodupload/vodupload/upload/internal/target"
	"github.com/vodupload/vodupload/upload/internal/tasks"
	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// An entry is what the client knows of a file besides its state, which the list has:
// where its bytes come from, where they go, and what was learned on the way. The
// client's lock guards its fields, except where they say otherwise; methods that use
// guarded fields need it held, unless the file is not in the list yet.
type entry struct {
	id     FileID // 0: not in the list
	path   string // absolute, for a file of the system; never changes
	opened string // the path to open: for a file of the system, without symbolic links; never changes
	source string // its name in keys: one for all paths of a file; never changes
	info   *Info  // never changes

	from     opener            // of its bytes; nil for a Reader; never changes
	options  *ObjectOptions    // nil: none; never changes
	ifExists IfExists          // never changes
	listing  *transfer.Listing // of the bucket; may be nil; never changes

	extras          *extras          // nil: it has none
	stream          *transfer.Stream // of File.Reader; nil for all else; never changes
	unfingerprinted bool             // its Source had no fingerprint when it was added; never changes

	site           *site // of the destination; nil while there is none
	bucket, object string
	ownDestination bool          // the destination is not the Authorizer's
	media          *media.Memory // of Options.Authorizer; nil for a file that was added with a destination
	videoID        string
	mediaID        string
	mediaURL       string

	own      atomic.Pointer[credentials.Gate] // credentials of its own; read without the lock
	provided tasks.Signal                     // broadcast when credentials or a destination are given

	cancel    context.CancelCauseFunc // of its run; nil when it does not run
	steps     *transfer.Steps         // of its run, in its source
	waits     waits                   // of its run, or of the file before it is started
	outage    shownOutage             // before it is started
	remembers bool                    // what a session before has to
	session   *transfer.Session       // from the first run or clean-up on
	uploadID  string
	partSize  int64
	err       *Error
	result    *Result

	progress         *progressEvent // the last one; it may still wait for its delivery
	reportedUploaded int64          // by it
	reportedSize     int64

	end    *fileEnd   // nil: nobody waits for it
	direct *directEnd // of Upload; nil for files of AddFile
}

// A directEnd says when a file of Upload has to end.
type directEnd struct {
	decided  chan struct{} // closed once its run has to end, not only to pause
	deciding sync.Once
	caller   context.Context // of its values only
}

func newDirectEnd(caller context.Context) *directEnd {
	return &directEnd{decided: make(chan struct{}), caller: caller}
}

// context returns one that ends with ctx, and has the values of the caller beside its own.
func (d *directEnd) context(ctx context.Context) context.Context {
	if d == nil {
		return ctx
	}
	return &valued{ctx, d.caller}
}

// A valued is a context with the values of another one.
type valued struct {
	context.Context
	values context.Context
}

func (v *valued) Value(key any) any {
	if own := v.Context.Value(key); own != nil {
		return own
	}
	return v.values.Value(key)
}

// decide may be called several times.
func (d *directEnd) decide() { d.deciding.Do(func() { close(d.decided) }) }

// key is what identifies the file: no two files of the list share one. It leaves out a
// destination that the Authorizer gave, since the same source must be recognized before
// both files have one.
func (e *entry) key() checkpoint.Key {
	if !e.ownDestination {
		return media.Key(e.source)
	}
	return checkpoint.Key{Source: e.source, Endpoint: e.site.text, Bucket: e.bucket, Object: e.object}
}

// made is the ID of what the media service made of the file.
func (e *entry) made() string { return cmp.Or(e.videoID, e.mediaID) }

// snapshot is what users see of the file now.
func (e *entry) snapshot(f *filelist.File) FileInfo {
	info := FileInfo{
		ID: FileID(f.ID), Path: e.path, Bucket: e.bucket, Object: e.object, State: FileState(f.Shown()),
		Size: f.Size, Uploaded: f.Uploaded, InFlight: f.InFlight, Sent: f.Sent,
		UploadID: e.uploadID, PartSize: e.partSize,
		VideoID: e.videoID, MediaID: e.mediaID, MediaURL: e.mediaURL, Info: e.info, Tag: e.extras.tagged(),
		Started: f.Started, Ended: f.Ended, Err: e.err, Result: e.result,
	}
	info.Waiting = e.waits.first()
	if e.site != nil {
		info.Endpoint = e.site.text
	}
	return info
}

// objectOptions returns the properties of the object to be made.
func (e *entry) objectOptions() target.ObjectOptions {
	o := e.options.target()
	o.ForbidOverwrite = e.ifExists == Fail || e.ifExists == Skip
	if e.info != nil {
		o.Notification = e.info.notification()
	}
	if o.ContentType == "" && e.ownDestination {
		o.ContentType = contentTypeOf(e.object)
	}
	if o.ContentType == "" {
		o.ContentType = contentTypeOf(e.path)
	}
	return o
}

// sniffed is how many of the first bytes http.DetectContentType looks at.
const sniffed = 512

// resultOf is the Result of a transfer that succeeded.
func (e *entry) resultOf(r transfer.Result, took time.Duration) *Result {
	return &Result{
		Endpoint: e.site.text, Bucket: e.bucket, Object: e.object,
		Location: e.target().URL(), ETag: r.ETag, VersionID: r.VersionID, CRC64: r.CRC64, Verified: r.Verified,
		Size: r.Size, Parts: r.Parts, ResumedParts: r.ResumedParts, ResumedBytes: r.ResumedBytes,
		SentBytes: r.SentBytes, Duration: took, CallbackBody: r.CallbackBody, Skipped: r.Skipped, CompletedByOther: r.ByOther,
		VideoID: e.videoID, MediaID: e.mediaID, MediaURL: e.mediaURL,
	}
}

// A progressEvent is an OnProgress that can be updated while it waits for its delivery.
type progressEvent struct {
	notify.Event
	info FileInfo
}
