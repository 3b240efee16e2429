package vod

import (
	"context"
	"fmt"
)

// A CreateUploadAttachedMediaRequest describes a watermark, a subtitle or a piece of
// editing material. BusinessType and MediaExt are required (VOD documentation,
// CreateUploadAttachedMedia).
type CreateUploadAttachedMediaRequest struct {
	Media
	BusinessType string // watermark, subtitle or material
	MediaExt     string // the extension, without a dot
	FileName     string // with its extension; optional
	FileSize     int64  // bytes; 0: not known
}

// An AttachedMediaUpload is a media without bytes, and the right to upload them. It
// cannot be renewed.
type AttachedMediaUpload struct {
	MediaID  string
	MediaURL string // where it can be had once it was uploaded
	FileURL  string // in OSS
	Ticket
}

// Format writes the fields without their secrets, whatever the verb: for one that does
// not fit, package fmt would print them itself.
func (u AttachedMediaUpload) Format(f fmt.State, _ rune) {
	type fields AttachedMediaUpload
	fmt.Fprintf(f, "%+v", fields(u))
}

func (r *CreateUploadAttachedMediaRequest) check() error {
	if err := oneOf("BusinessType", r.BusinessType, []string{"watermark", "subtitle", "material"}); err != nil {
		return err
	}
	switch {
	case !isExt(r.MediaExt):
		return fmt.Errorf("%w: MediaExt: got %q, want an extension such as \"png\", without a dot", ErrParameter, r.MediaExt)
	case r.FileSize < 0:
		return fmt.Errorf("%w: FileSize: got %d bytes, want 0 for unknown, or more", ErrParameter, r.FileSize)
	}
	if r.FileName != "" {
		if err := checkFileName(r.FileName); err != nil {
			return err
		}
	}
	return r.Media.check()
}

func (r *CreateUploadAttachedMediaRequest) params() parameters {
	p := r.Media.params("CateIds") // several are possible here, hence the plural
	p.set("BusinessType", r.BusinessType)
	p.set("MediaExt", r.MediaExt)
	p.set("FileName", r.FileName)
	p.setNumber("FileSize", r.FileSize)
	return p
}

// CreateUploadAttachedMedia makes an attached media, once. Errors are as those of
// [Client.CreateUploadVideo].
func (c *Client) CreateUploadAttachedMedia(ctx context.Context, r CreateUploadAttachedMediaRequest) (AttachedMediaUpload, error) {
	out, t, err := c.make(ctx, "CreateUploadAttachedMedia", &r, func(c *created) (name, value string) { return "MediaId", c.MediaID })
	if err != nil {
		return AttachedMediaUpload{}, err
	}
	return AttachedMediaUpload{MediaID: out.MediaID, MediaURL: out.MediaURL, FileURL: out.FileURL, Ticket: t}, nil
}
