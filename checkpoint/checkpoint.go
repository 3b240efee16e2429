package checkpoint

import (
	"context"
	"fmt"
	"time"
)

// Version is the version of the format of a [Record]. A record of another
// version is treated as damaged: it is set aside, and the upload starts over.
const Version = 1

// A Key names one upload: this source to that destination. Two uploads with the
// same key are the same upload, and only one process at a time may hold it.
type Key struct {
	Source   string // absolute path without symbolic links, or the source's own name for itself
	Endpoint string // scheme and host, as normalised by the client
	Bucket   string
	Object   string
}

// String names the upload for people.
func (k Key) String() string {
	if k == (Key{Source: k.Source}) {
		return k.Source
	}
	return fmt.Sprintf("%s to %s/%s at %s", k.Source, k.Bucket, k.Object, k.Endpoint)
}

// A Source is the state of the local bytes at the time that the upload began.
// A record of another Size or Fingerprint than the source has now does not describe
// its bytes. A Fingerprint that is the same vouches for them, and so does a file whose
// other fields are all the same, Inode and ChangeTime known; else what was recorded is
// compared with the bytes before it counts.
type Source struct {
	Size        int64
	ModTime     time.Time // nanoseconds count
	Inode       uint64    // 0 where the system has none
	Device      uint64    // 0 where the system has none
	ChangeTime  time.Time // of the inode (ctime); zero where the system has none, or where a later write may get the same
	Fingerprint string    // for sources that are not files
}

// A Record is what has to be known to resume an upload: it is written once,
// before the first part is sent. It never holds a credential.
type Record struct {
	Version  int // 0 is taken as [Version] when it is written
	Key      Key
	Source   Source
	UploadID string    // empty only where Key names the source alone
	PartSize int64     // bytes, of every part but the last
	Started  time.Time // by the server's clock
	VideoID  string    // of ApsaraVideo VOD; empty for uploads straight to OSS, and while the video is being made
}

// A Part is a part that the server has acknowledged.
type Part struct {
	Number int // from 1 to 10,000
	Size   int64
	ETag   string // as the server gave it, without quotation marks
	CRC64  uint64 `json:",string"` // CRC-64/ECMA of the part's bytes
}

// A Store keeps the checkpoints of all uploads. Implementations are safe for use
// by many goroutines, and by many processes where they say so.
type Store interface {
	// Open claims the upload that key names and returns what is known of it. It
	// does not wait: if another holder has the claim, in this process or another,
	// the error is [ErrInUse]. A holder that died has no claim. A record that
	// cannot be read is set aside (see [Claim.Damaged]), never an error.
	Open(ctx context.Context, key Key) (Claim, error)

	// List returns the records of all uploads in the store, with those that are
	// in use marked. Damaged records are left out, and so are uploads that were
	// opened but not begun. No holder is disturbed.
	List(ctx context.Context) ([]Entry, error)

	// Close releases what the store holds. Uploads that are still open are closed
	// as by [Claim.Close]. Open and List return [ErrClosed] from then on.
	Close() error
}

// An Entry is one upload in a [Store.List].
type Entry struct {
	Record Record    // while InUse it may be empty, where it cannot be read without the claim
	Parts  int       // parts acknowledged; may be 0, for unknown, while InUse
	Saved  time.Time // when it was last written
	InUse  bool      // a holder has the claim, in this process or another
}

// An Upload is the claimed checkpoint of one upload. All methods are safe for
// use by many goroutines. After Close or Remove only Close, Remove and Damaged
// are of use: Close and Remove do nothing, Load finds nothing, and the others
// return [ErrClosed].
type Claim interface {
	// Load returns the record and its acknowledged parts in ascending order of
	// their numbers, those of this run included; ok is false when there is none.
	// Times are in UTC.
	Load() (rec Record, parts []Part, ok bool)

	// Damaged returns why what was stored could not be read, and where it was set
	// aside; nil if nothing was damaged. It wraps [ErrDamaged].
	Damaged() error

	// Begin replaces whatever is stored by rec, without parts. When it returns
	// nil, rec is durable; otherwise what was stored before is still there, as far
	// as the cause of the error allows. The key of rec has to be the one that the
	// upload was opened with.
	Begin(ctx context.Context, rec Record) error

	// Add records an acknowledged part, in place of an earlier one with the
	// same number. It returns without waiting for the disk: the part outlives the end
	// of the process within 50 ms, and a loss of power within 100 ms and the time of
	// the syncs under way, or with the next Flush. The error of an earlier write that
	// failed is returned by the next call of Add or Flush; p is recorded all
	// the same, and is written together with the parts that could not be, as soon
	// as that is possible. Add before Begin, of an upload without a record, is
	// [ErrNoRecord].
	Add(p Part) error

	// Flush waits until all parts that were added are durable, or ctx ends. Parts
	// that could not be written before are tried again.
	Flush(ctx context.Context) error

	// Remove deletes the record and its parts from the store and gives up the
	// claim, also when it returns an error. Nothing of the upload is left.
	Remove() error

	// Close makes what was added durable and gives up the claim, also when it
	// returns an error. The record stays.
	Close() error
}
