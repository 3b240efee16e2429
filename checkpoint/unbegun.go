package checkpoint

import (
	"context"
	"time"
)

// An Unbegun is a [Claim] that remembers a holder that ended between Open and Begin:
// it may have made an upload at the server whose ID was not recorded. The uploads of
// [Dir] and [Memory] are.
type Unbegun interface {
	Claim

	// Unbegun returns when the last such holder claimed the upload. It is zero if none
	// is known.
	Unbegun() time.Time

	// CloseUnbegun is Close for a holder that may have made an upload at the server
	// since the given time and does not know its ID. The next holder's Unbegun returns
	// that time, if there is no record.
	CloseUnbegun(since time.Time) error
}

// A Marker is an [Unbegun] that has to be told when an upload may come to be whose ID is
// not recorded yet. One that is not a Marker takes each holder for such a one that ended
// without Close or Remove.
type Marker interface {
	// MarkUnbegun is called right before an upload is made. Unless Begin, Remove or Close
	// follows, the next holder's Unbegun returns when this one claimed the upload. Like
	// Flush it returns [ErrLost] where the claim is.
	MarkUnbegun(ctx context.Context) error
}
