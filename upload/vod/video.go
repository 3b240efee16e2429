package vod

import (
	"context"
	"fmt"
	"time"
)

// A CreateUploadVideoRequest describes a video, or an audio file. Title and FileName
// are required (VOD documentation, CreateUploadVideo).
type CreateUploadVideoRequest struct {
	Media // its UserData may have MessageCallback, Extend (at most 512 bytes) and AccelerateConfig

	FileName        string // with its extension
	FileSize        int64  // bytes; 0: not known
	CoverURL        string // of an image
	TemplateGroupID string // how it is transcoded; the default is VOD's default group
	WorkflowID      string // what is done with it, in place of TemplateGroupID

	// NoTranscode keeps the video as it is. It goes with neither TemplateGroupID nor
	// WorkflowID.
	NoTranscode bool
}

// A VideoUpload is a video without bytes, and the right to upload them.
type VideoUpload struct {
	VideoID string
	Ticket
}

// Format writes the fields without their secrets, whatever the verb: for one that does
// not fit, package fmt would print them itself.
func (u VideoUpload) Format(f fmt.State, _ rune) {
	type fields VideoUpload
	fmt.Fprintf(f, "%+v", fields(u))
}

func (r *CreateUploadVideoRequest) check() error {
	if r.Title == "" {
		return fmt.Errorf("%w: Title is empty", ErrParameter)
	}
	if err := checkFileName(r.FileName); err != nil {
		return err
	}
	if r.FileSize < 0 {
		return fmt.Errorf("%w: FileSize: got %d bytes, want 0 for unknown, or more", ErrParameter, r.FileSize)
	}
	given := 0
	for _, set := range []bool{r.TemplateGroupID != "", r.WorkflowID != "", r.NoTranscode} {
		if set {
			given++
		}
	}
	if given > 1 {
		return fmt.Errorf("%w: got %d of TemplateGroupID %q, WorkflowID %q and NoTranscode %t, want at most one", ErrParameter,
			given, r.TemplateGroupID, r.WorkflowID, r.NoTranscode)
	}
	return r.Media.check()
}

func (r *CreateUploadVideoRequest) params() parameters {
	p := r.Media.params("CateId")
	p.set("FileName", r.FileName)
	p.setNumber("FileSize", r.FileSize)
	p.set("CoverURL", r.CoverURL)
	p.set("TemplateGroupId", r.TemplateGroupID)
	p.set("WorkflowId", r.WorkflowID)
	if r.NoTranscode {
		p.set("TranscodeMode", "NoTranscode") // as the clients for mobile send it
	}
	return p
}

// CreateUploadVideo makes a video, once. The error is [ErrParameter] for what VOD
// would refuse, and [upload.ErrAnswerLost] if it is not known whether there is a
// video now; all others mean that there is none. The end of ctx keeps the call from
// being made, and does not cut it off.
func (c *Client) CreateUploadVideo(ctx context.Context, r CreateUploadVideoRequest) (VideoUpload, error) {
	out, t, err := c.make(ctx, "CreateUploadVideo", &r, func(c *created) (name, value string) { return "VideoId", c.VideoID })
	if err != nil {
		return VideoUpload{}, err
	}
	return VideoUpload{VideoID: out.VideoID, Ticket: t}, nil
}

// RefreshUploadVideo returns new credentials for a video. Its address stays. The error
// is [ErrVideoNotFound] if the video was deleted.
func (c *Client) RefreshUploadVideo(ctx context.Context, videoID string) (VideoUpload, error) {
	const action = "RefreshUploadVideo"
	if videoID == "" {
		return VideoUpload{}, fmt.Errorf("%s: %w: the video ID is empty", action, ErrParameter)
	}
	var out answer
	now := time.Now()
	if err := c.do(ctx, action, map[string]string{"VideoId": videoID}, &out); err != nil {
		return VideoUpload{}, err
	}
	t, err := out.ticket(now)
	if err != nil {
		return VideoUpload{}, fmt.Errorf("vod: %s: the answer (request ID %s) is not usable: %w", action, out.RequestID, err)
	}
	return VideoUpload{VideoID: videoID, Ticket: t}, nil
}
