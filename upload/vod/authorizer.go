package vod

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/sts/openapi"
	"github.com/vodupload/vodupload/upload"
)

// AuthorizerOptions are the optional settings of an [Authorizer]. They hold for all
// of its files.
type AuthorizerOptions struct {
	// TemplateGroupID is how videos are transcoded. The default is VOD's default
	// group.
	TemplateGroupID string

	// WorkflowID is what is done with videos, in place of TemplateGroupID. The default
	// is none.
	WorkflowID string

	// StorageLocation is the bucket. The default is the region's.
	StorageLocation string

	// AppID is the application that media belong to. The default is app-1000000.
	AppID string

	// ImageType is what images are: default or cover. The default is default.
	ImageType string

	// RetryCount is how often a call is made again that was refused for a cause that
	// may pass; a negative number means never. The default is 5.
	RetryCount int

	// RetryInterval is the pause before the first of these. It doubles with each, up
	// to 30 s, give or take a quarter. The default is 1 s.
	RetryInterval time.Duration

	// Logger gets a warning for each. The default is silent.
	Logger *slog.Logger
}

// An Authorizer makes a video of each file that an [upload.Client] uploads, or an
// image, and renews its credentials: set it in the client's Options. It is safe for
// use by many goroutines, and by many clients.
//
// The file's Info describes the media. Without a title it is the file's name. UserData
// has to be a JSON object; Watermark and Priority are of MPS, and are refused. With
// NoProcess a video is not transcoded, whatever the Authorizer's options say.
type Authorizer struct {
	client *Client
	opts   AuthorizerOptions
}

var _ upload.RepeatableAuthorizer = (*Authorizer)(nil)

// NewAuthorizer returns an Authorizer that calls VOD by c. The error names the option
// that is wrong.
func NewAuthorizer(c *Client, opts *AuthorizerOptions) (*Authorizer, error) {
	if c == nil {
		return nil, fmt.Errorf("%w: the client is nil", ErrParameter)
	}
	var o AuthorizerOptions
	if opts != nil {
		o = *opts
	}
	switch {
	case o.TemplateGroupID != "" && o.WorkflowID != "":
		return nil, fmt.Errorf("%w: got both TemplateGroupID %q and WorkflowID %q, want one of them", ErrParameter, o.TemplateGroupID, o.WorkflowID)
	case o.RetryInterval < 0:
		return nil, fmt.Errorf("%w: RetryInterval: got %v, want a positive duration", ErrParameter, o.RetryInterval)
	case o.RetryCount == 0:
		o.RetryCount = 5
	}
	if o.ImageType == "" {
		o.ImageType = imageTypes[0]
	}
	if err := oneOf("ImageType", o.ImageType, imageTypes); err != nil {
		return nil, err
	}
	if o.RetryInterval == 0 {
		o.RetryInterval = time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Authorizer{client: c, opts: o}, nil
}

// Repeatable implements [upload.RepeatableAuthorizer]: each run makes a new image.
func (a *Authorizer) Repeatable(f upload.FileInfo) bool {
	kind, err := KindOf(f.Path)
	return err == nil && kind == Image
}

// Authorize implements [upload.Authorizer].
func (a *Authorizer) Authorize(ctx context.Context, f upload.FileInfo) (upload.Authorization, error) {
	kind, err := KindOf(f.Path)
	if err == nil && f.Info != nil && (f.Info.Watermark || f.Info.Priority != 0) {
		err = fmt.Errorf("%w: Info.Watermark and Info.Priority are of MPS: VOD has watermarks in its template groups", ErrParameter)
	}
	var made upload.Authorization
	op := "CreateUploadVideo"
	switch {
	case err != nil:
	case kind == Image:
		op = "CreateUploadImage"
		made, err = a.image(ctx, f)
	case f.VideoID != "":
		op = "RefreshUploadVideo"
		made, err = a.refresh(ctx, f.VideoID)
	default:
		made, err = a.video(ctx, f)
	}
	if err != nil {
		return upload.Authorization{}, asFileError(f, op, err)
	}
	return made, nil
}

func (a *Authorizer) video(ctx context.Context, f upload.FileInfo) (upload.Authorization, error) {
	r := CreateUploadVideoRequest{
		Media: a.media(f), FileName: filepath.Base(f.Path), FileSize: max(f.Size, 0),
		TemplateGroupID: a.opts.TemplateGroupID, WorkflowID: a.opts.WorkflowID,
	}
	if i := f.Info; i != nil {
		r.CoverURL = i.CoverURL
		if i.NoProcess {
			r.NoTranscode, r.TemplateGroupID, r.WorkflowID = true, "", ""
		}
	}
	var v VideoUpload
	err := a.try(ctx, false, func(ctx context.Context) (err error) {
		v, err = a.client.CreateUploadVideo(ctx, r)
		return err
	})
	return authorization(v.VideoID, v.Ticket), err
}

func (a *Authorizer) refresh(ctx context.Context, videoID string) (upload.Authorization, error) {
	var v VideoUpload
	err := a.try(ctx, true, func(ctx context.Context) (err error) {
		v, err = a.client.RefreshUploadVideo(ctx, videoID)
		return err
	})
	return authorization(videoID, v.Ticket), gone(err)
}

// image makes an image. An earlier one cannot be resumed: VOD renews videos only.
func (a *Authorizer) image(ctx context.Context, f upload.FileInfo) (upload.Authorization, error) {
	if f.VideoID != "" {
		return upload.Authorization{}, fmt.Errorf("%w: an image cannot be renewed, each run makes another", upload.ErrNotRenewable)
	}
	r := CreateUploadImageRequest{Media: a.media(f), ImageType: a.opts.ImageType, ImageExt: extOf(f.Path)}
	var made ImageUpload
	err := a.try(ctx, true, func(ctx context.Context) (err error) {
		made, err = a.client.CreateUploadImage(ctx, r)
		return err
	})
	auth := authorization("", made.Ticket)
	auth.MediaID, auth.MediaURL = made.ImageID, made.ImageURL
	return auth, err
}

func authorization(videoID string, t Ticket) upload.Authorization {
	return upload.Authorization{
		Endpoint: t.Address.Endpoint, Region: t.Region, Bucket: t.Address.Bucket, Object: t.Address.Object,
		VideoID: videoID, Credentials: t.Credentials,
	}
}

// media describes the media of a file.
func (a *Authorizer) media(f upload.FileInfo) Media {
	m := Media{Title: title(f), StorageLocation: a.opts.StorageLocation, AppID: a.opts.AppID}
	if i := f.Info; i != nil {
		m.Description, m.CategoryID, m.Tags, m.UserData = i.Description, i.CategoryID, i.Tags, i.UserData
	}
	return m
}

// title returns what the media is called.
func title(f upload.FileInfo) string {
	if f.Info != nil && f.Info.Title != "" {
		return f.Info.Title
	}
	name := []rune(strings.ToValidUTF8(filepath.Base(f.Path), "?"))
	return string(name[:min(len(name), MaxTitle)])
}

// Renew implements [upload.Authorizer]. It makes its call once: its caller asks again.
func (a *Authorizer) Renew(ctx context.Context, f upload.FileInfo) (sts.Credentials, error) {
	if f.VideoID == "" {
		return sts.Credentials{}, fmt.Errorf("%w: an image cannot be renewed, each run makes another", upload.ErrNotRenewable)
	}
	v, err := a.client.RefreshUploadVideo(ctx, f.VideoID)
	if err != nil {
		return sts.Credentials{}, gone(err)
	}
	return v.Credentials, nil
}

// gone turns the error of a video that no longer exists into [upload.ErrNotRenewable].
func gone(err error) error {
	if errors.Is(err, ErrVideoNotFound) {
		return fmt.Errorf("%w: %w", upload.ErrNotRenewable, err)
	}
	return err
}

// asFileError gives the error of a file the code and request ID of VOD.
func asFileError(f upload.FileInfo, op string, err error) error {
	var e *openapi.Error
	if !errors.As(err, &e) || e.Code == "" || errors.Is(err, upload.ErrAnswerLost) {
		return fmt.Errorf("%s: %w", op, err)
	}
	return &upload.Error{
		Op: op, FileID: f.ID, Path: f.Path, Code: e.Code, Status: e.Status, RequestID: e.RequestID, Err: err,
	}
}
