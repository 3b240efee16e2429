package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/vod"
)

// shown is the authorizer, and says what VOD is asked for and what it answers. The client
// calls it from many goroutines; a line is one call of Write.
type shown struct {
	*vod.Authorizer
	out io.Writer
}

func (s shown) say(f upload.FileInfo, format string, args ...any) {
	fmt.Fprintf(s.out, "%s: "+format+"\n", append([]any{filepath.Base(f.Path)}, args...)...)
}

// Authorize implements [upload.Authorizer].
func (s shown) Authorize(ctx context.Context, f upload.FileInfo) (upload.Authorization, error) {
	if f.VideoID != "" {
		s.say(f, "resumes as video %s: RefreshUploadVideo", f.VideoID)
	}
	a, err := s.Authorizer.Authorize(ctx, f)
	switch {
	case err != nil:
	case a.VideoID == "":
		s.say(f, "VOD made image %s", a.MediaID)
	case f.VideoID == "":
		s.say(f, "VOD made video %s", a.VideoID)
	}
	if err == nil {
		s.say(f, "its bytes go to the bucket %s", a.Bucket)
	}
	return a, err
}

// Renew implements [upload.Authorizer].
func (s shown) Renew(ctx context.Context, f upload.FileInfo) (sts.Credentials, error) {
	s.say(f, "the auth has expired: RefreshUploadVideo asks VOD for the next")
	c, err := s.Authorizer.Renew(ctx, f)
	if err == nil {
		s.say(f, "VOD gave the next auth, and the upload continues")
	}
	return c, err
}
