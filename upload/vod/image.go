package vod

import (
	"context"
	"fmt"
	"slices"
)

// A CreateUploadImageRequest describes an image (VOD documentation,
// CreateUploadImage).
type CreateUploadImageRequest struct {
	Media
	ImageType string // default or cover. The default is default
	ImageExt  string // png, jpg, jpeg or gif. The default is png
}

// An ImageUpload is an image without bytes, and the right to upload them. It cannot
// be renewed.
type ImageUpload struct {
	ImageID  string
	ImageURL string // where it can be seen once it was uploaded
	FileURL  string // in OSS
	Ticket
}

// Format writes the fields without their secrets, whatever the verb: for one that does
// not fit, package fmt would print them itself.
func (u ImageUpload) Format(f fmt.State, _ rune) {
	type fields ImageUpload
	fmt.Fprintf(f, "%+v", fields(u))
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
	return r.Media.check()
}

func (r *CreateUploadImageRequest) params() parameters {
	p := r.Media.params("CateId")
	p.set("ImageType", r.ImageType)
	p.set("ImageExt", r.ImageExt)
	return p
}

// CreateUploadImage makes an image, once. Errors are as those of
// [Client.CreateUploadVideo].
func (c *Client) CreateUploadImage(ctx context.Context, r CreateUploadImageRequest) (ImageUpload, error) {
	if r.ImageType == "" {
		r.ImageType = imageTypes[0]
	}
	if r.ImageExt == "" {
		r.ImageExt = imageExts[0]
	}
	out, t, err := c.make(ctx, "CreateUploadImage", &r, func(c *created) (name, value string) { return "ImageId", c.ImageID })
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
