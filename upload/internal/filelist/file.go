package filelist

import (
	"fmt"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
)

// An ID names a file of a list. It is never given to another one.
type ID int64

// A Lane is how a file came into the list.
type Lane uint8

// The lanes.
const (
	Queue  Lane = iota // AddFile
	Direct             // Client.Upload
)

// A Phase is what is happening to a file now.
type Phase uint8

// The phases of a file; see the package comment.
const (
	Idle Phase = iota
	Waiting
	Running
	Interrupted
	Cleaning
)

// An Intent is why a run was interrupted. A later one in this order overrides an
// earlier one.
type Intent uint8

// The intents.
const (
	NoIntent Intent = iota
	ToPause
	ToStop
	ToEnd // the context of its Upload has ended
	ToClose
	ToFail // the user has an error for it
	ToCancel
)

// A Hold is what keeps a waiting file from its turn.
type Hold uint8

// The holds. Of several, it is the first of this order.
const (
	NotHeld        Hold = iota
	HeldByGroup         // files of lower ranks in its group have not succeeded yet
	HeldByNamesake      // a deleted file with its key is still busy
	HeldByEndpoint      // its endpoint is away: see [List.Hold]
)

// A File is one file of the list.
type File struct {
	ID    ID
	Key   checkpoint.Key // no two listed files have the same
	Lane  Lane
	State FileState
	Phase Phase
	Run   int    // number of its latest run
	Why   Intent // of its interruption
	Cause error  // of its interruption
	Held  Hold   // in phase Waiting, while the list starts files

	Stream   bool // read once: it cannot be retried, and what it leaves is of no use
	Begun    bool // started, and no terminal event since
	Leftover bool // may have an upload at the server and a checkpoint
	Skipped  bool // it succeeded without being sent
	Deleted  bool

	Size     int64 // bytes; -1 while unknown
	Uploaded int64 // bytes acknowledged by the server
	InFlight int64 // bytes handed to connections and not acknowledged
	Sent     int64 // bytes handed to connections in this run

	Started, Ended time.Time // zero: not yet
}

// Shown is the state that users see: a file whose cancellation was decided is canceled
// for them, though its run has yet to end.
func (f *File) Shown() FileState {
	if f.Why == ToCancel {
		return FileCanceled
	}
	return f.State
}

// Running reports whether a run works on the file.
func (f *File) Running() bool { return f.Phase == Running || f.Phase == Interrupted }

// busy reports whether something works, or will work, on the file.
func (f *File) busy() bool { return f.Phase >= Running }

// Done reports whether the file has ended and nothing is left to be done for it.
func (f *File) Done() bool { return f.State.Terminal() && !f.busy() }

// wantsTurn reports whether the file is one that could be started.
func (f *File) wantsTurn() bool {
	return !f.Deleted && !f.busy() && (f.State == FileInit || f.State == FilePaused)
}

// A DuplicateError is returned for a key that a listed file has.
type DuplicateError struct {
	Key checkpoint.Key
	ID  ID // of the file that has it
}

func (e *DuplicateError) Error() string {
	return fmt.Sprintf("%s to %s/%s, as file %d", e.Key.Source, e.Key.Bucket, e.Key.Object, e.ID)
}
