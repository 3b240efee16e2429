package upload

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload/internal/filelist"
	"github.com/vodupload/vodupload/upload/internal/vodauth"
)

// An UploadAddress is where ApsaraVideo VOD wants a file.
type UploadAddress struct {
	Endpoint     string
	Bucket       string
	Object       string
	ObjectPrefix string // of a playlist (m3u8): where its segments go; empty for all else
}

// ParseUploadAddress reads the UploadAddress that ApsaraVideo VOD gave: base64 of
// JSON (VOD documentation, Upload URLs and credentials). The error is
// [ErrMissingArgument] for a missing field, and [ErrInvalidArgument] for anything that
// is not an UploadAddress; it quotes nothing of s.
func ParseUploadAddress(s string) (UploadAddress, error) {
	a, err := vodauth.ParseAddress(s)
	if err != nil {
		return UploadAddress{}, argumentError(err)
	}
	return UploadAddress(a), nil
}

// ParseUploadAuth reads the UploadAuth that ApsaraVideo VOD gave at the time now:
// base64 of JSON, which [sts.ParseCredentials] reads. ExpireUTCTime, a time, takes
// precedence over Expiration, a number of seconds from now on. If neither can be read,
// the expiration is unknown, and the credentials are used until the server refuses them.
// region is that of VOD and its buckets; it is empty if s has none. The errors are those
// of [ParseUploadAddress].
func ParseUploadAuth(s string, now time.Time) (creds sts.Credentials, region string, err error) {
	creds, region, err = vodauth.ParseAuth(s, now)
	if err != nil {
		return sts.Credentials{}, "", argumentError(err)
	}
	return creds, region, nil
}

func argumentError(err error) error {
	if errors.Is(err, vodauth.ErrMissing) {
		return fmt.Errorf("%w: %w", ErrMissingArgument, err)
	}
	return fmt.Errorf("%w: %w", ErrInvalidArgument, err)
}

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

// maxVideoID bounds a video ID, in bytes. VOD's have 32 hexadecimal digits.
const maxVideoID = 128

// checkVideoID refuses what cannot be an ID: an address or an auth in its place, above
// all. Its error shows nothing of it.
func checkVideoID(id string) error {
	other := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
	}
	if len(id) > maxVideoID || strings.ContainsFunc(id, other) {
		return fmt.Errorf("%w: videoID: got %d bytes, want at most %d letters, digits, hyphens and underscores", ErrInvalidArgument, len(id), maxVideoID)
	}
	return nil
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
