package upload

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/vodupload/vodupload/sts"
)

// An UploadAddress is where ApsaraVideo VOD wants a file.
type UploadAddress struct {
	Endpoint string
	Bucket   string
	Object   string
}

// ParseUploadAddress reads the UploadAddress that ApsaraVideo VOD gave: base64 of
// JSON (VOD documentation, Upload URLs and credentials).
func ParseUploadAddress(s string) (UploadAddress, error) {
	var a struct{ Endpoint, Bucket, FileName string }
	if err := decode("UploadAddress", s, &a); err != nil {
		return UploadAddress{}, err
	}
	for _, f := range []struct{ name, value string }{{"Endpoint", a.Endpoint}, {"Bucket", a.Bucket}, {"FileName", a.FileName}} {
		if f.value == "" {
			return UploadAddress{}, fmt.Errorf("%w: UploadAddress has no %s", ErrMissingArgument, f.name)
		}
	}
	return UploadAddress{Endpoint: a.Endpoint, Bucket: a.Bucket, Object: a.FileName}, nil
}

// ParseUploadAuth reads the UploadAuth that ApsaraVideo VOD gave at the time now:
// base64 of JSON. ExpireUTCTime counts before Expiration, which is a number of
// seconds. region is empty where it tells none.
func ParseUploadAuth(s string, now time.Time) (creds sts.Credentials, region string, err error) {
	var a struct {
		AccessKeyID     string `json:"AccessKeyId"`
		AccessKeySecret string
		SecurityToken   string
		ExpireUTCTime   string
		Expiration      any
		Region          string
	}
	if err := decode("UploadAuth", s, &a); err != nil {
		return sts.Credentials{}, "", err
	}
	for _, f := range []struct{ name, value string }{
		{"AccessKeyId", a.AccessKeyID}, {"AccessKeySecret", a.AccessKeySecret}, {"SecurityToken", a.SecurityToken},
	} {
		if f.value == "" {
			return sts.Credentials{}, "", fmt.Errorf("%w: UploadAuth has no %s", ErrMissingArgument, f.name)
		}
	}
	c := sts.Credentials{AccessKeyID: a.AccessKeyID, AccessKeySecret: a.AccessKeySecret, SecurityToken: a.SecurityToken}
	c.Expiration = expiration(a.ExpireUTCTime, fmt.Sprint(a.Expiration), now)
	return c, a.Region, nil
}

// expiration reads a time, else a number of seconds or a time. What it cannot read
// is not known: the server will say when the credentials have expired.
func expiration(at, after string, now time.Time) time.Time {
	for _, text := range []string{at, after} {
		for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05"} {
			if t, err := time.Parse(layout, text); err == nil {
				return t
			}
		}
	}
	if seconds, err := strconv.ParseFloat(after, 64); err == nil && seconds > 0 && seconds < 1e7 {
		return now.Add(time.Duration(seconds * float64(time.Second)))
	}
	return time.Time{}
}

// decode reads base64 of JSON. Its error holds nothing of what was read: it may be
// a secret.
func decode(what, s string, into any) error {
	s = strings.TrimSpace(s)
	if s == "" {
		return fmt.Errorf("%w: %s is empty", ErrMissingArgument, what)
	}
	text, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		text, err = base64.RawStdEncoding.DecodeString(strings.TrimRight(s, "="))
	}
	if err != nil {
		return fmt.Errorf("%w: %s is not base64", ErrInvalidArgument, what)
	}
	if json.Unmarshal(text, into) != nil {
		return fmt.Errorf("%w: %s is not base64 of a JSON object with the documented fields", ErrInvalidArgument, what)
	}
	return nil
}

// SetUploadAuthAndAddress gives a file that was added without a destination the
// address and the credentials that ApsaraVideo VOD made for it: from OnStarted, or
// at any other time.
func (c *Client) SetUploadAuthAndAddress(id FileID, uploadAuth, uploadAddress string) error {
	address, err := ParseUploadAddress(uploadAddress)
	if err != nil {
		return err
	}
	creds, _, err := ParseUploadAuth(uploadAuth, time.Now())
	if err != nil {
		return err
	}
	// Credentials first: with the destination alone the file would begin with the
	// client's.
	if err := c.SetToken(id, creds); err != nil {
		return err
	}
	return c.SetDestination(id, address.Endpoint, address.Bucket, address.Object)
}

// ResumeWithAuth gives a file the new credentials that ApsaraVideo VOD made for it:
// the answer to OnTokenExpired for a file of SetUploadAuthAndAddress. Its address
// stays.
func (c *Client) ResumeWithAuth(id FileID, uploadAuth string) error {
	creds, _, err := ParseUploadAuth(uploadAuth, time.Now())
	if err != nil {
		return err
	}
	return c.SetToken(id, creds)
}
