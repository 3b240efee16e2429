// Package vodauth reads the UploadAddress and the UploadAuth of ApsaraVideo VOD: base64
// of JSON (VOD documentation, Upload URLs and credentials). No error holds anything of
// what was read: it may be a secret.
package vodauth

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/vodupload/vodupload/sts"
)

// ErrMissing is wrapped by the errors of what is empty or lacks a field; all others are
// about what cannot be read.
var ErrMissing = errors.New("incomplete")

// An Address is where VOD wants a file.
type Address struct{ Endpoint, Bucket, Object, ObjectPrefix string }

// ParseAddress reads an UploadAddress. All but ObjectPrefix have to be there.
func ParseAddress(s string) (Address, error) {
	const what = "UploadAddress"
	var a struct{ Endpoint, Bucket, FileName, ObjectPrefix string }
	if _, err := decode(what, s, &a); err != nil {
		return Address{}, err
	}
	for _, f := range []struct{ name, value string }{{"Endpoint", a.Endpoint}, {"Bucket", a.Bucket}, {"FileName", a.FileName}} {
		if f.value == "" {
			return Address{}, fmt.Errorf("%w %s: it has no %s", ErrMissing, what, f.name)
		}
	}
	return Address{Endpoint: a.Endpoint, Bucket: a.Bucket, Object: a.FileName, ObjectPrefix: a.ObjectPrefix}, nil
}

// ParseAuth reads an UploadAuth that was received at the time now. The region is empty
// where none is given.
func ParseAuth(s string, now time.Time) (creds sts.Credentials, region string, err error) {
	const what = "UploadAuth"
	var a struct{ Region any }
	text, err := decode(what, s, &a)
	if err != nil {
		return sts.Credentials{}, "", err
	}
	creds, err = sts.ParseCredentials(text, now)
	if err != nil {
		return sts.Credentials{}, "", fmt.Errorf("%w %s: %w", ErrMissing, what, err)
	}
	region, _ = a.Region.(string)
	return creds, region, nil
}

// decode reads base64 of JSON, in whichever alphabet, with or without padding and
// line breaks; also JSON that somebody has decoded before. Its error holds nothing of
// what was read: it may be a secret.
func decode(what, s string, into any) ([]byte, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return nil, fmt.Errorf("%w %s: it is empty", ErrMissing, what)
	}
	if err := checkHidden(what, s); err != nil {
		return nil, err
	}
	text := []byte(s)
	if s[0] != '{' {
		var err error
		s = strings.TrimRight(strings.Join(strings.Fields(s), ""), "=")
		s = strings.NewReplacer("-", "+", "_", "/").Replace(s)
		if text, err = base64.RawStdEncoding.DecodeString(s); err != nil {
			return nil, fmt.Errorf("%s is not base64: got %d characters that are not", what, len(s))
		}
	}
	if err := checkHidden(what, string(text)); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return nil, fmt.Errorf("%s is not base64 of a JSON object with the documented fields: %s", what, problem(err))
	}
	return text, nil
}

// hidden is what a vod.Secret says of itself, in JSON too.
const hidden = "[hidden]"

// checkHidden recognizes what was printed or encoded where the value itself was wanted.
func checkHidden(what, text string) error {
	if !strings.Contains(text, hidden) {
		return nil
	}
	return fmt.Errorf("%s has %q in place of the value, as a vod.Secret is printed and encoded: "+
		"pass string(ticket.UploadAuth), and send a ticket to another program as the JSON of its Handover()", what, hidden)
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
