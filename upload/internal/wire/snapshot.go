package wire

import "github.com/vodupload/vodupload/sts"

// A Snapshot is the immutable set of credentials that one request is signed with.
// Generation counts up with each renewal, so that an answer to a request of an
// older generation can be distinguished from an answer to the present one.
type Snapshot struct {
	sts.Credentials
	Generation uint64

	authorization string // the header of the request that was signed; empty before
}
