package vod

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// A CreateUploadImageRequest describes an image (VOD documentation,
// CreateUploadImage).
type CreateUploadImageRequest struct {
	ImageType       string   // default or cover. The default is default
	ImageExt        string   // png, jpg, jpeg or gif. The default is png
	Title           string   // at most 128 characters
	Description     string   // at most 1,024 characters
	CategoryID      int64    // 0: none
	Tags            []string // at most 16, of at most 32 characters each, without commas
	UserData        string   // a JSON object
	StorageLocation string   // the bucket; the default is the region's
	AppID           string   // like app-1000000, which is the default
}

// An ImageUpload is an image without bytes, and the right to upload them. It cannot
// be renewed.
type ImageUpload struct {
	ImageID  string
	ImageURL string // where it can be seen once it was uploaded
	FileURL  string // in OSS
	Ticket
}

var (
	imageTypes = []string{"default", "cover"}
	imageExts  = []string{"png", "jpg", "jpeg", "gif"}
)

func (r *CreateUploadImageRequest) check() error {
	if err := oneOf("ImageType", r.ImageType, imageTypes); err != nil {
		return err
	}
	if err := oneOf("ImageExt", r.ImageExt, imageExts); err != nil {
		return err
	}
	return checkAbout(r.Title, r.Description, r.CategoryID, r.Tags, r.UserData)
}

func (r *CreateUploadImageRequest) params() map[string]string {
	p := about(r.Title, r.Description, r.CategoryID, r.Tags, r.UserData)
	p.set("ImageType", r.ImageType)
	p.set("ImageExt", r.ImageExt)
	p.set("StorageLocation", r.StorageLocation)
	p.set("AppId", r.AppID)
	return p
}

// CreateUploadImage makes an image, once. Errors are as those of
// [Client.CreateUploadVideo].
func (c *Client) CreateUploadImage(ctx context.Context, r CreateUploadImageRequest) (ImageUpload, error) {
	const action = "CreateUploadImage"
	if r.ImageType == "" {
		r.ImageType = imageTypes[0]
	}
	if r.ImageExt == "" {
		r.ImageExt = imageExts[0]
	}
	if err := r.check(); err != nil {
		return ImageUpload{}, fmt.Errorf("%s: %w", action, err)
	}
	var out struct {
		answer
		ImageID  string `json:"ImageId"`
		ImageURL string
		FileURL  string
	}
	now := time.Now()
	if err := c.create(ctx, action, r.params(), &out); err != nil {
		return ImageUpload{}, err
	}
	t, err := out.made(action, "ImageId", out.ImageID, now)
	if err != nil {
		return ImageUpload{}, err
	}
	return ImageUpload{ImageID: out.ImageID, ImageURL: out.ImageURL, FileURL: out.FileURL, Ticket: t}, nil
}

// oneOf returns an error for a value that is none of those.
func oneOf(name, got string, want []string) error {
	if slices.Contains(want, got) {
		return nil
	}
	return fmt.Errorf("%w: %s: got %q, want one of %q", ErrParameter, name, got, want)
}
