package upload

import (
	"fmt"
	"time"

	"github.com/vodupload/vodupload/upload/internal/filelist"
)

// SetUploadAuthAndAddress gives a file that was added without a destination the
// address and the credentials that ApsaraVideo VOD made for it: from OnStarted, or
// at any other time. Requests are signed for the region in uploadAuth if neither
// Options.Region nor the endpoint's name gives one.
//
// videoID is the ID that came with them. FileInfo and Result have it from then on, so
// that OnTokenExpired can request a fresh uploadAuth for it (RefreshUploadVideo). It is
// empty for an image or another media, which VOD does not renew.
//
// It returns [ErrState] where SetDestination does, and [ErrMissingArgument] or
// [ErrInvalidArgument] for an argument that cannot be read. Where the service gives
// nothing, [Client.FailFile] ends the file with that error.
func (c *Client) SetUploadAuthAndAddress(id FileID, uploadAuth, uploadAddress, videoID string) error {
	if err := checkVideoID(videoID); err != nil {
		return err
	}
	address, err := ParseUploadAddress(uploadAddress)
	if err != nil {
		return err
	}
	creds, region, err := ParseUploadAuth(uploadAuth, time.Now())
	if err != nil {
		return err
	}
	c.view(func(l *filelist.List) { err = c.checkNoDestinationLocked(l, id) })
	if err != nil {
		return fmt.Errorf("SetUploadAuthAndAddress: %w", err)
	}
	// Credentials first: a file that has only its destination starts with the client's.
	if err := c.SetToken(id, creds); err != nil {
		return err
	}
	return c.setDestination(id, destination{region: region, endpoint: address.Endpoint, bucket: address.Bucket, object: address.Object, videoID: videoID})
}

// ResumeWithAuth gives a file the new credentials that ApsaraVideo VOD made for it:
// the answer to OnTokenExpired for a file of SetUploadAuthAndAddress. The file's address
// does not change.
func (c *Client) ResumeWithAuth(id FileID, uploadAuth string) error {
	creds, _, err := ParseUploadAuth(uploadAuth, time.Now())
	if err != nil {
		return err
	}
	return c.SetToken(id, creds)
}
