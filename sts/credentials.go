package sts

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/vodupload/vodupload/sts/internal/keytext"
)

// Credentials are what one request is signed with: a long-lived key of a RAM
// user, or the three strings that STS issues together.
//
// No text of a Credentials contains a secret: printing it with any verb of
// package fmt, logging it with slog and encoding it as JSON give the access key
// ID shortened, whether a token is there, and the expiration. (See Secrets in the
// package comment for what is out of reach.) JSON is for logs, then, and not for
// storing: what is decoded from it has no secret, and fails [Credentials.Validate].
type Credentials struct {
	// AccessKeyID names the key. IDs of temporary credentials begin with "STS.".
	AccessKeyID string

	// AccessKeySecret is the secret half of the key.
	AccessKeySecret string

	// SecurityToken is the token that goes with a temporary key; empty for the
	// long-lived key of a RAM user.
	SecurityToken string

	// Expiration is when the token stops being accepted. The zero time means that
	// it is not known, or that the key does not expire.
	Expiration time.Time

	// ahead is how far the clock that Expiration was given by is ahead of this
	// machine's, as far as the provider saw.
	ahead time.Duration
}

// Deadline returns when the token stops being accepted by this machine's clock:
// [Credentials.Expiration], corrected by what the provider saw of the service's clock.
// It is the zero time where Expiration is.
func (c Credentials) Deadline() time.Time {
	if c.Expiration.IsZero() {
		return c.Expiration
	}
	return c.Expiration.Add(-c.ahead)
}

// Temporary reports whether c came from STS, and so can expire.
func (c Credentials) Temporary() bool { return c.SecurityToken != "" }

// Validate returns [ErrInvalidCredentials] for a key without an ID or a secret, for an
// ID of STS without a token, and for white space, quotation marks and all else that no
// key has in it, as from a file with a line break at its end. The error names the field,
// the character and its place, and shows nothing of the value.
func (c Credentials) Validate() error {
	if err := c.problem(); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalidCredentials, err)
	}
	return nil
}

func (c Credentials) problem() error {
	for _, f := range [...]struct{ field, value string }{
		{"AccessKeyID", c.AccessKeyID}, {"AccessKeySecret", c.AccessKeySecret}, {"SecurityToken", c.SecurityToken},
	} {
		if err := keytext.Check(f.value); err != nil {
			return fmt.Errorf("%s %w", f.field, err)
		}
	}
	switch {
	case c.AccessKeyID == "":
		return errors.New("AccessKeyID is empty")
	case c.AccessKeySecret == "":
		return errors.New("AccessKeySecret is empty")
	case c.SecurityToken == "" && strings.HasPrefix(c.AccessKeyID, temporaryPrefix):
		return fmt.Errorf("SecurityToken is empty, and AccessKeyID begins with %q, as those of temporary keys do", temporaryPrefix)
	}
	return nil
}

// temporaryPrefix begins the IDs of the keys that STS issues.
const temporaryPrefix = "STS."

// String returns c without its secrets.
func (c Credentials) String() string {
	return fmt.Sprintf("{%s token:%t expires:%s}", redactID(c.AccessKeyID), c.Temporary(), c.expires())
}

// GoString returns c without its secrets.
func (c Credentials) GoString() string { return "sts.Credentials" + c.String() }

// Format writes c without its secrets, whatever the verb: without it, verbs like
// %d would print the fields one by one.
func (c Credentials) Format(f fmt.State, verb rune) {
	text := c.String()
	if verb == 'v' && f.Flag('#') {
		text = c.GoString()
	}
	_, _ = io.WriteString(f, text)
}

// LogValue returns c without its secrets.
func (c Credentials) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("access_key_id", redactID(c.AccessKeyID)),
		slog.Bool("token", c.Temporary()),
		slog.String("expires", c.expires()),
	)
}

// MarshalText encodes c without its secrets, for XML and the like.
func (c Credentials) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// GobEncode returns an error: package gob is for storing, and would store the secrets.
func (c Credentials) GobEncode() ([]byte, error) {
	return nil, errors.New("sts: credentials are not for package gob")
}

// MarshalJSON encodes c without its secrets.
func (c Credentials) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		AccessKeyID string `json:"accessKeyId"`
		Token       bool   `json:"token"`
		Expires     string `json:"expires"`
	}{redactID(c.AccessKeyID), c.Temporary(), c.expires()})
}

// same reports whether c and d are the same key and token.
func (c Credentials) same(d Credentials) bool {
	return c.AccessKeyID == d.AccessKeyID && c.SecurityToken == d.SecurityToken
}

func (c Credentials) expires() string {
	switch {
	case c.Expiration.IsZero() && c.Temporary():
		return "unknown"
	case c.Expiration.IsZero():
		return "never"
	}
	return c.Expiration.UTC().Format(time.RFC3339)
}

// redactID keeps enough of an access key ID to distinguish two in a log. Even the
// ID is shortened: with a leaked secret it would be the other half of the key.
func redactID(id string) string {
	const head = 8
	if len(id) <= head {
		return id
	}
	return id[:head] + "…"
}
