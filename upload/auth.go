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
	Endpoint     string
	Bucket       string
	Object       string
	ObjectPrefix string // of a playlist (m3u8): where its segments go; empty for all else
}

// ParseUploadAddress reads the UploadAddress that ApsaraVideo VOD gave: base64 of
// JSON (VOD documentation, Upload URLs and credentials). The error is
// [ErrMissingArgument] for a field that is not there, and [ErrInvalidArgument] for
// what is no UploadAddress; it shows nothing of it.
func ParseUploadAddress(s string) (UploadAddress, error) {
	var a struct{ Endpoint, Bucket, FileName, ObjectPrefix string }
	if err := decode("UploadAddress", s, &a); err != nil {
		return UploadAddress{}, err
	}
	err := complete("UploadAddress", field{"Endpoint", a.Endpoint}, field{"Bucket", a.Bucket}, field{"FileName", a.FileName})
	if err != nil {
		return UploadAddress{}, err
	}
	return UploadAddress{Endpoint: a.Endpoint, Bucket: a.Bucket, Object: a.FileName, ObjectPrefix: a.ObjectPrefix}, nil
}

// ParseUploadAuth reads the UploadAuth that ApsaraVideo VOD gave at the time now:
// base64 of JSON. ExpireUTCTime, a time, counts before Expiration, which is a number
// of seconds from now on; where neither can be read, the expiration is not known, and
// the server will tell. region is that of VOD and its buckets, and empty where none is
// told. Errors
// are as those of [ParseUploadAddress].
func ParseUploadAuth(s string, now time.Time) (creds sts.Credentials, region string, err error) {
	var a struct {
		AccessKeyID     string `json:"AccessKeyId"`
		AccessKeySecret string
		SecurityToken   string
		ExpireUTCTime   scalar
		Expiration      scalar
		Region          string
	}
	if err := decode("UploadAuth", s, &a); err != nil {
		return sts.Credentials{}, "", err
	}
	err = complete("UploadAuth", field{"AccessKeyId", a.AccessKeyID},
		field{"AccessKeySecret", a.AccessKeySecret}, field{"SecurityToken", a.SecurityToken})
	if err != nil {
		return sts.Credentials{}, "", err
	}
	creds = sts.Credentials{AccessKeyID: a.AccessKeyID, AccessKeySecret: a.AccessKeySecret, SecurityToken: a.SecurityToken}
	for _, text := range []scalar{a.ExpireUTCTime, a.Expiration} {
		if creds.Expiration.IsZero() {
			creds.Expiration = expiration(string(text), now)
		}
	}
	return creds, a.Region, nil
}

// A scalar is a JSON text or number, and empty for all else: SDKs and services
// differ in which of them a time is.
type scalar string

// UnmarshalJSON takes whatever is there.
func (s *scalar) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) == nil {
		*s = scalar(strings.TrimSpace(text))
		return nil
	}
	var number json.Number
	if json.Unmarshal(data, &number) == nil {
		*s = scalar(number)
	}
	return nil
}

// The forms in which a time was met. Without a zone they are in UTC, as the name
// ExpireUTCTime says.
var timeForms = []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05"}

const (
	maxLife    = 1e7  // seconds: no token lives for months, what is more is a date
	minMillis  = 1e11 // as seconds since 1970, the year 5138
	maxSeconds = 1e13 // as milliseconds since 1970, the year 2286
)

// expiration reads a time, a number of seconds from now on, or since 1970. It returns
// the zero time for what it cannot read.
func expiration(text string, now time.Time) time.Time {
	for _, form := range timeForms {
		if t, err := time.Parse(form, text); err == nil {
			return t.UTC()
		}
	}
	n, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil || !(n > 0 && n < maxSeconds): // not a number is not in the range, either
		return time.Time{}
	case n < maxLife:
		return now.Add(time.Duration(n * float64(time.Second)))
	case n < minMillis:
		return time.Unix(int64(n), 0).UTC()
	}
	return time.UnixMilli(int64(n)).UTC()
}

type field struct{ name, value string }

// complete returns an error that names the first field without a value.
func complete(what string, fields ...field) error {
	for _, f := range fields {
		if f.value == "" {
			return fmt.Errorf("%w: %s has no %s", ErrMissingArgument, what, f.name)
		}
	}
	return nil
}

// decode reads base64 of JSON, in whichever alphabet, with or without padding and
// line breaks; also JSON that somebody has decoded before. Its error holds nothing of
// what was read: it may be a secret.
func decode(what, s string, into any) error {
	s = strings.TrimSpace(s)
	if s == "" {
		return fmt.Errorf("%w: %s is empty", ErrMissingArgument, what)
	}
	text := []byte(s)
	if s[0] != '{' {
		var err error
		s = strings.TrimRight(strings.Join(strings.Fields(s), ""), "=")
		s = strings.NewReplacer("-", "+", "_", "/").Replace(s)
		if text, err = base64.RawStdEncoding.DecodeString(s); err != nil {
			return fmt.Errorf("%w: %s is not base64: got %d characters that are not", ErrInvalidArgument, what, len(s))
		}
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%w: %s is not base64 of a JSON object with the documented fields: %s", ErrInvalidArgument, what, problem(err))
	}
	return nil
}

// problem says what is wrong with JSON without quoting it.
func problem(err error) string {
	switch e := err.(type) {
	case *json.UnmarshalTypeError:
		if e.Field != "" {
			return fmt.Sprintf("%s is not a %v", e.Field, e.Type)
		}
		return "it is no object"
	case *json.SyntaxError:
		return fmt.Sprintf("it breaks off or is malformed at byte %d", e.Offset)
	}
	return "it cannot be read"
}

// SetUploadAuthAndAddress gives a file that was added without a destination the
// address and the credentials that ApsaraVideo VOD made for it: from OnStarted, or
// at any other time. Requests are signed for the region that uploadAuth tells where
// neither Options.Region nor the endpoint's name tells one. It returns [ErrState] where
// SetDestination does.
func (c *Client) SetUploadAuthAndAddress(id FileID, uploadAuth, uploadAddress string) error {
	address, err := ParseUploadAddress(uploadAddress)
	if err != nil {
		return err
	}
	creds, region, err := ParseUploadAuth(uploadAuth, time.Now())
	if err != nil {
		return err
	}
	if err := c.awaitsDestination(id); err != nil {
		return fmt.Errorf("SetUploadAuthAndAddress: %w", err)
	}
	// Credentials first: with the destination alone the file would begin with the
	// client's.
	if err := c.SetToken(id, creds); err != nil {
		return err
	}
	return c.setDestination(id, region, address.Endpoint, address.Bucket, address.Object)
}

// awaitsDestination returns the error of a file that a destination cannot be set of.
func (c *Client) awaitsDestination(id FileID) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	f, err := c.find(id)
	if err != nil {
		return err
	}
	return c.mayGo(f)
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
