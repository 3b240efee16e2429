package transfer

import (
	"context"
	"errors"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/target"
	"github.com/vodupload/vodupload/upload/internal/wire"
)

// The types of package wire that callers of this package need.
type (
	Snapshot    = wire.Snapshot
	WireOptions = wire.Options
	Observer    = wire.Observer
	Call        = wire.Call
	Done        = wire.Done
	Error       = wire.Error
	Class       = wire.Class
)

// ErrAbandon is the cause to cancel the context of [Session.Run] with when the
// upload is not to be resumed: it is aborted at the server, and its checkpoint
// deleted. After any other cause both are kept.
var ErrAbandon = errors.New("upload: abandoned")

// ErrIntegrity is returned when the finished object is not made of the bytes that
// were read.
var ErrIntegrity = errors.New("upload: object differs from its source")

// ErrNoCRC is returned where a CRC64 is required, and the server reports none.
var ErrNoCRC = wire.ErrNoCRC

// ErrCheckpoint is returned when a checkpoint cannot be kept, and the upload may
// not continue without one.
var ErrCheckpoint = errors.New("upload: cannot keep a checkpoint")

// ErrInUse is returned when another run, here or in another process, has claimed the
// checkpoint.
var ErrInUse = errors.New("upload: the same upload runs elsewhere")

// A Gate hands out the credentials that requests are signed with. Its methods are
// called from many goroutines.
type Gate interface {
	// Current returns the credentials of now; ok is false while there are none
	// that the server would accept.
	Current() (s Snapshot, ok bool)

	// Wait returns when there may be new ones, with an error if there will be none:
	// that ends the upload, and leaves it as it is for another run.
	Wait(ctx context.Context) error

	// Expired reports that the server refused the credentials of a generation. From
	// then on Current must not return them.
	Expired(generation uint64, cause error)

	// Accepted reports that the server took them.
	Accepted(generation uint64)
}

// Slots is the budget of requests in flight, as one file sees it.
type Slots interface {
	Acquire(ctx context.Context) error
	Release()
}

// A Job is one source and its destination.
type Job struct {
	Source  Source
	Name    string // of the source in the checkpoint's key: its absolute path
	Target  target.Target
	Object  target.ObjectOptions
	VideoID string
	Gate    Gate
	Slots   Slots

	// IfExists is what to do about an object that is there. Listing, which may be nil,
	// says for many jobs whether there is one.
	IfExists IfExists
	Listing  *Listing

	// Volatile keeps the checkpoint in memory: the source has no name that another
	// process would know it by.
	Volatile bool

	// Steps, if it is not nil, has the calls of Source that are under way.
	Steps *Steps

	// Emit is called one event at a time, in order, from many goroutines; it must
	// not block. It may be nil.
	Emit func(Event)

	// Waits, if it is not nil, is called before a request waits, with why it has to. outage
	// is the same for all waits in one outage, and 0 for other ones. What it returns is
	// called at the end: with the error that ends the wait early, or nil. It returns that
	// error as the user is to see it.
	Waits func(f WaitFor, outage int, why error) (end func(error) error)

	// Starved is called before the job waits to open something because the process has
	// too many files open. A slot that is held for its first request has to be given
	// back: another file may need it to end. It may be nil.
	Starved func()
}

func (j *Job) key() checkpoint.Key {
	return checkpoint.Key{Source: j.Name, Endpoint: j.Target.Endpoint.String(), Bucket: j.Target.Bucket, Object: j.Target.Object}
}

// target returns the destination. A requester who pays has to say so with every
// request, also with those that have no other options.
func (j *Job) target() target.Target {
	t := j.Target
	t.RequestPayer = t.RequestPayer || j.Object.RequestPayer
	return t
}

// A WaitFor is what a request waits for.
type WaitFor int

// What requests wait for, besides credentials and slots.
const (
	ForNetwork  WaitFor = iota // the endpoint is away
	ForThrottle                // the server has asked for a pause
	ForClaim                   // another holder has it
)

// A Result is the outcome of an upload that succeeded.
type Result struct {
	ETag         string
	VersionID    string // empty where the server does not report it
	UploadID     string // empty for an object sent by PutObject
	CRC64        uint64 // of the source as it was read
	Verified     bool   // the server reported the same CRC64 for the object
	Skipped      bool   // the object was there: nothing was sent
	Size         int64
	Parts        int
	ResumedParts int   // that did not have to be sent in this run
	ResumedBytes int64 // of these parts
	SentBytes    int64 // handed to connections in this run, retries included
	CallbackBody []byte
	ByOther      bool // another run made the object of the parts
}

// An EventKind is the kind of an [Event].
type EventKind int

// The kinds of events.
const (
	Progress  EventKind = iota // Uploaded, InFlight or Sent has changed
	Retrying                   // a request failed and will be made again
	Recovered                  // a request that had to be retried succeeded
	Initiated                  // UploadID is known, Uploaded says what of it the server has
	Sized                      // the length of a stream is known, and in Size
	Warning                    // something that needs a person's eye, but does not stop the upload
)

// An Event is a value that says what happened to one upload.
type Event struct {
	Kind     EventKind
	Uploaded int64 // bytes that the server has acknowledged; less than before if the upload starts over
	InFlight int64 // bytes handed to connections and not yet acknowledged
	Sent     int64 // bytes handed to connections in this run, retries included
	UploadID string
	PartSize int64
	Size     int64
	Resumed  []int // with Initiated: the parts that need not be sent
	Part     int   // 0: not about a part
	Attempt  int   // the retry's number, from 1
	Delay    time.Duration
	Err      error
}

// IfExists says what becomes of a job whose object exists already. Fail is the server's
// to decide: target.ObjectOptions.ForbidOverwrite goes with it, and with Skip.
type IfExists uint8

// The answers to an object that exists.
const (
	Overwrite IfExists = iota
	Fail               // with the server's FileAlreadyExists
	Skip               // succeed, and send nothing
	SkipSame           // skip an object that has the bytes of the source, overwrite others
	SkipSize           // skip an object that has the size of the source, overwrite others
	SkipNewer          // skip one of that size that was made after the source was written, overwrite others
)
