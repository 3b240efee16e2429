package osstest

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/vodupload/vodupload/upload/osstest/internal/policy"
)

// A Key is one set of credentials that the server accepts.
//
// Its text in every form (fmt, log/slog, encoding/json) leaves out the secret
// and the token.
type Key struct {
	// AccessKeyID names the key. It must not be empty.
	AccessKeyID string

	// AccessKeySecret signs. It must not be empty.
	AccessKeySecret string

	// SecurityToken belongs to temporary credentials; each request that the
	// key signs must bring it along. Empty: a long-lived key, whose requests
	// must bring none.
	SecurityToken string

	// Expires is when the server begins to answer SecurityTokenExpired.
	// The default, the zero time, is never.
	Expires time.Time

	// Policy is a RAM policy document in JSON, of version "1". The server
	// evaluates Effect, Action, NotAction, Resource and NotResource, and
	// refuses a document with a Condition rather than overlook it. A JSON list
	// of documents allows what each of them allows, as the policies of a role and
	// of a session do together. The default, an empty string, allows everything.
	Policy string
}

// DefaultKey is accepted by a server that was given no keys.
var DefaultKey = Key{AccessKeyID: "osstest", AccessKeySecret: "osstest-secret"}

// String returns the key's ID and whether it is temporary, without its secrets.
func (k Key) String() string {
	kind := "long-lived"
	if k.SecurityToken != "" {
		kind = "temporary"
	}
	if !k.Expires.IsZero() {
		kind += ", expires " + k.Expires.UTC().Format(time.RFC3339)
	}
	return fmt.Sprintf("osstest.Key(%s, %s)", k.AccessKeyID, kind)
}

// Format writes String, whatever the verb.
func (k Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }

// LogValue is String, for log/slog.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

// MarshalText is String, for encoding/json and the like. There is no way back.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// GobEncode returns an error: package gob is for storing, and would store the secrets.
func (k Key) GobEncode() ([]byte, error) {
	return nil, errors.New("osstest: keys are not for package gob")
}

// validate reports what makes k unusable, its policy included.
func (k Key) validate() error {
	if k.AccessKeyID == "" {
		return errors.New("osstest: key without AccessKeyID")
	}
	if k.AccessKeySecret == "" {
		return fmt.Errorf("osstest: key %s without AccessKeySecret", k.AccessKeyID)
	}
	if _, err := policy.Parse(k.Policy); err != nil {
		return fmt.Errorf("osstest: key %s: %w", k.AccessKeyID, err)
	}
	return nil
}
