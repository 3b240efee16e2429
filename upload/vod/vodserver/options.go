package vodserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/vodupload/vodupload/sts/appserver"
	"github.com/vodupload/vodupload/upload/vod"
)

// ErrForbidden is returned by Options.Check and Options.MayRefresh for what a user may not
// have. The user gets the code Forbidden and HTTP status 403.
var ErrForbidden = errors.New("vodserver: forbidden")

// Options are the optional settings of a [Handler]. Its functions are called from many
// goroutines. An error that is not [ErrForbidden] is a failure of their own: the log has
// it, and the user gets HTTP status 500.
type Options struct {
	// Check is called for each request to create something, and may refuse or change it:
	// the title, the category, how a video is transcoded. Exactly one of r.Video and
	// r.Image is set. The default allows all that the gate admits.
	Check func(ctx context.Context, who appserver.Identity, r *Request) error

	// Created is called for each video and image that was made, before the user gets it.
	// If it fails, the user gets none of it. The default does nothing.
	Created func(ctx context.Context, who appserver.Identity, h vod.Handover) error

	// MayRefresh decides whether a user may have a fresh auth for a video, and so send its
	// file. The default allows it for the last 10,000 videos that this handler has made
	// for an identity with the same Name and ObjectPrefix.
	MayRefresh func(ctx context.Context, who appserver.Identity, videoID string) error

	// Timeout ends a call of VOD, and the functions above. A video that is being made is
	// not cut off when its user hangs up. The default is 20 seconds.
	Timeout time.Duration

	// Logger gets what was made, and each failure, without secrets. The default is silent;
	// refused requests are in the log of the gate.
	Logger *slog.Logger
}

// A Request is what a user wants to create.
type Request struct {
	Video *vod.CreateUploadVideoRequest
	Image *vod.CreateUploadImageRequest
}

func (o *Options) resolved() (Options, error) {
	var r Options
	if o != nil {
		r = *o
	}
	if r.Timeout < 0 {
		return r, fmt.Errorf("vodserver: Timeout is %v, want a positive duration", r.Timeout)
	}
	if r.Timeout == 0 {
		r.Timeout = 20 * time.Second
	}
	if r.Logger == nil {
		r.Logger = slog.New(slog.DiscardHandler)
	}
	return r, nil
}
