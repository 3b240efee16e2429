package vod

import (
	"context"
	"fmt"
	"time"
)

// A CreateUploadAttachedMediaRequest describes a watermark, a subtitle or a piece of
// editing material. BusinessType, Title and MediaExt are required (VOD documentation,
// CreateUploadAttachedMedia).
type CreateUploadAttachedMediaRequest struct {
	BusinessType    string   // watermark, subtitle or material
	MediaExt        string   // the extension, without a dot
	Title           string   // at most 128 characters
	FileName        string   // with its extension; optional
	FileSize        int64    // bytes; 0: not known
	Description     string   // at most 1,024 characters
	CategoryID      int64    // 0: none
	Tags            []string // at most 16, of at most 32 characters each, without commas
	UserData        string   // a JSON object
	StorageLocation string   // the bucket; the default is the region's
	AppID           string   // like app-1000000, which is the default
}

// An AttachedMediaUpload is a media without bytes, and the right to upload them. It
// cannot be renewed.
type AttachedMediaUpload struct {
	MediaID  string
	MediaURL string // where it can be had once it was uploaded
	FileURL  string // in OSS
	Ticket
}

func (r *CreateUploadAttachedMediaRequest) check() error {
	if err := oneOf("BusinessType", r.BusinessType, []string{"watermark", "subtitle", "material"}); err != nil {
		return err
	}
	switch {
	case r.Title == "":
		return fmt.Errorf("%w: Title is empty", ErrParameter)
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
	return checkAbout(r.Title, r.Description, r.CategoryID, r.Tags, r.UserData)
}

func (r *CreateUploadAttachedMediaRequest) params() map[string]string {
	p := about(r.Title, r.Description, 0, r.Tags, r.UserData)
	p.set("BusinessType", r.BusinessType)
	p.set("MediaExt", r.MediaExt)
	p.set("FileName", r.FileName)
	p.setNumber("FileSize", r.FileSize)
	p.setNumber("CateIds", r.CategoryID) // several are possible here, hence the plural
	p.set("StorageLocation", r.StorageLocation)
	p.set("AppId", r.AppID)
	return p
}

// CreateUploadAttachedMedia makes an attached media, once. Errors are as those of
// [Client.CreateUploadVideo].
func (c *Client) CreateUploadAttachedMedia(ctx context.Context, r CreateUploadAttachedMediaRequest) (AttachedMediaUpload, error) {
	const action = "CreateUploadAttachedMedia"
	if err := r.check(); err != nil {
		return AttachedMediaUpload{}, fmt.Errorf("%s: %w", action, err)
	}
	var out struct {
		answer
		MediaID  string `json:"MediaId"`
		MediaURL string
		FileURL  string
	}
	now := time.Now()
	if err := c.create(ctx, action, r.params(), &out); err != nil {
		return AttachedMediaUpload{}, err
	}
	t, err := out.made(action, "MediaId", out.MediaID, now)
	if err != nil {
		return AttachedMediaUpload{}, err
	}
	return AttachedMediaUpload{MediaID: out.MediaID, MediaURL: out.MediaURL, FileURL: out.FileURL, Ticket: t}, nil
}
