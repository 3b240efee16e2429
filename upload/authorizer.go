package upload

import (
	"cmp"
	"context"
	"fmt"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload/internal/filelist"
)

// An Authorizer gives files that were added without a destination where to go and
// what to sign with, by asking a media service for both: package vod has the one for
// ApsaraVideo VOD. Its methods are called from many goroutines, for different files
// at the same time.
type Authorizer interface {
	// Authorize makes a video, or what else the file is, at the service. f.VideoID is
	// empty then. It is called again with the ID that it returned, in this process or
	// a later one, for the same bytes: then nothing is made, but what was made is
	// gone on with, and [ErrNotRenewable] says that this cannot be.
	//
	// A request that makes something must not be given up when ctx ends, but be
	// finished, within a time of its own: nobody would know what it made. If it is
	// not known whether it made something, the error is [ErrAnswerLost].
	Authorize(ctx context.Context, f FileInfo) (Authorization, error)

	// Renew returns new credentials for where the file goes; the ones of before have
	// expired, or are about to. It is called once, however many requests met the old
	// ones, and again after a pause if it fails, for Options.TokenWait. An error that
	// is [ErrNotRenewable] ends that: the file begins anew, once, with Authorize.
	Renew(ctx context.Context, f FileInfo) (sts.Credentials, error)
}

// A RepeatableAuthorizer is an [Authorizer] that makes of some files what may be made
// twice. For these, a call whose answer was lost, because the process was killed, is
// just repeated; the others fail once with [ErrAnswerLost].
type RepeatableAuthorizer interface {
	Authorizer
	Repeatable(f FileInfo) bool
}

// An Authorization is where a file goes, and what it becomes there.
type Authorization struct {
	Endpoint string
	Region   string // of the bucket; used where neither Options.Region nor Endpoint tells it; may be empty
	Bucket   string
	Object   string

	VideoID  string // of a video or an audio file
	MediaID  string // of anything else, such as an image
	MediaURL string // where it can be seen; empty: not known yet

	Credentials sts.Credentials
}

// Format writes the fields without their secrets, whatever the verb: for one that does
// not fit, package fmt would print them itself.
func (a Authorization) Format(f fmt.State, _ rune) {
	type fields Authorization
	fmt.Fprintf(f, "%+v", fields(a))
}

// id names what the service made.
func (a Authorization) id() string { return cmp.Or(a.VideoID, a.MediaID) }

// asksAuthorizer reports whether the file gets its destination from the Authorizer.
func (c *Client) asksAuthorizer(e *entry) (asks bool) {
	c.view(func(*filelist.List) { asks = c.opts.Authorizer != nil && !e.ownDestination })
	return asks
}
