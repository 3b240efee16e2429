package upload

import (
	"cmp"
	"context"
	"fmt"

	"github.com/vodupload/vodupload/sts"
)

// An Authorizer gives files that were added without a destination where to go and
// what to sign with, by asking a media service for both: package vod has the one for
// ApsaraVideo VOD. Its methods are called from many goroutines, for different files
// at the same time. A panic of one fails the file, as an error does; one of Authorize that
// was to create something is [ErrAnswerLost].
type Authorizer interface {
	// Authorize creates a video, or an image or other media, at the service if
	// f.VideoID is empty. Otherwise f.VideoID is the ID that an earlier call returned
	// for the same bytes, in this process or an earlier one: then it must not create
	// anything, but return new credentials for what exists, or [ErrNotRenewable].
	//
	// A request that creates something must not be given up when ctx ends, but be
	// finished within a timeout of its own: otherwise the ID of what it created is
	// lost. If it is not known whether it created something, the error is
	// [ErrAnswerLost].
	Authorize(ctx context.Context, f FileInfo) (Authorization, error)

	// Renew returns new credentials for the file's destination; the previous ones have
	// expired, or are about to. It is called once, however many requests were refused
	// with them. If it fails, it is called again after a pause, for up to
	// Options.TokenWait. [ErrNotRenewable] ends that: the file starts over, once, with
	// Authorize.
	Renew(ctx context.Context, f FileInfo) (sts.Credentials, error)
}

// A RepeatableAuthorizer is an [Authorizer] that may be asked twice to create the same
// for some files: those that Repeatable returns true for. If the answer for one of them
// was lost, because the process was killed, the call is repeated; other files fail once
// with [ErrAnswerLost].
type RepeatableAuthorizer interface {
	Authorizer
	Repeatable(f FileInfo) bool
}

// An Authorization is where a file goes, and what it becomes there.
type Authorization struct {
	Endpoint string
	Region   string // of the bucket; used if neither Options.Region nor Endpoint gives one; may be empty
	Bucket   string
	Object   string

	VideoID  string // of a video or an audio file
	MediaID  string // of anything else, such as an image
	MediaURL string // where it can be seen; empty: not known yet

	Credentials sts.Credentials
}

// Format writes the fields without their secrets, whatever the verb: package fmt would
// print the secrets for a verb that does not apply to a struct.
func (a Authorization) Format(f fmt.State, _ rune) {
	type fields Authorization
	fmt.Fprintf(f, "%+v", fields(a))
}

// id is the ID of what the service created.
func (a Authorization) id() string { return cmp.Or(a.VideoID, a.MediaID) }
