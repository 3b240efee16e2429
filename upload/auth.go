package upload

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/vodupload/vodupload/sts"
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
