package vod

import (
	"fmt"
	"io"
	"log/slog"
)

// A Handover is what VOD answered to a call that made something, for a program
// elsewhere: encoded as JSON it is VOD's own answer, as the clients for mobile and the
// web read it, with the UploadAuth. So its JSON is a secret, and is meant to be sent to
// the one program that uploads; printed or logged, a Handover hides the UploadAuth.
type Handover struct {
	RequestID     string `json:"RequestId"`
	VideoID       string `json:"VideoId,omitempty"`  // of a video or an audio file
	ImageID       string `json:"ImageId,omitempty"`  // of an image
	ImageURL      string `json:"ImageURL,omitempty"` // where it can be seen
	MediaID       string `json:"MediaId,omitempty"`  // of another media
	MediaURL      string `json:"MediaURL,omitempty"` // where it can be had
	FileURL       string `json:"FileURL,omitempty"`  // of an image or another media, in OSS
	UploadAddress string `json:"UploadAddress"`
	UploadAuth    string `json:"UploadAuth"`
}

// Handover returns the ticket with its UploadAuth to be encoded as JSON. Of a
// [VideoUpload] and its like, use their own Handover, which has the ID too.
func (t Ticket) Handover() Handover {
	return Handover{RequestID: t.RequestID, UploadAddress: t.UploadAddress, UploadAuth: string(t.UploadAuth)}
}

// Handover returns the video's ID and its ticket, to be encoded as JSON.
func (u VideoUpload) Handover() Handover {
	h := u.Ticket.Handover()
	h.VideoID = u.VideoID
	return h
}

// Handover returns the image's ID, URLs and its ticket, to be encoded as JSON.
func (u ImageUpload) Handover() Handover {
	h := u.Ticket.Handover()
	h.ImageID, h.ImageURL, h.FileURL = u.ImageID, u.ImageURL, u.FileURL
	return h
}

// Handover returns the media's ID, URLs and its ticket, to be encoded as JSON.
func (u AttachedMediaUpload) Handover() Handover {
	h := u.Ticket.Handover()
	h.MediaID, h.MediaURL, h.FileURL = u.MediaID, u.MediaURL, u.FileURL
	return h
}

// String returns the IDs.
func (h Handover) String() string {
	return fmt.Sprintf("vod.Handover(video %q, image %q, media %q, request ID %s)", h.VideoID, h.ImageID, h.MediaID, h.RequestID)
}

// Format writes String, whatever the verb.
func (h Handover) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, h.String()) }

// LogValue returns String.
func (h Handover) LogValue() slog.Value { return slog.StringValue(h.String()) }
