package openapi

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"

	"github.com/vodupload/vodupload/sts/internal/keytext"
)

// A Key is what one call is signed with. Like sts.Credentials, which it is made
// from, it hides its secrets from package fmt, slog and JSON. A struct with one in
// an unexported field needs a Format method: fmt calls no others there.
type Key struct {
	ID     string // access key ID
	Secret string // access key secret
	Token  string // security token of a temporary key; empty for a long-lived one

	unsigned bool // there is no key, on purpose: see Unsigned
}

// A KeyFunc supplies the key for the next call. It may be called from many
// goroutines, and must return when ctx ends.
type KeyFunc func(ctx context.Context) (Key, error)

// Unsigned is the KeyFunc of calls that need no key, such as AssumeRoleWithOIDC of STS:
// they are sent without a signature.
func Unsigned(context.Context) (Key, error) { return Key{unsigned: true}, nil }

func (k Key) validate() error {
	switch {
	case k.unsigned:
		return nil
	case k.ID == "":
		return fmt.Errorf("openapi: the access key ID is empty")
	case k.Secret == "":
		return fmt.Errorf("openapi: the access key secret is empty")
	}
	for _, f := range [...]struct{ field, value string }{
		{"access key ID", k.ID}, {"access key secret", k.Secret}, {"security token", k.Token},
	} {
		if err := keytext.Check(f.value); err != nil {
			return fmt.Errorf("openapi: the %s %w", f.field, err)
		}
	}
	return nil
}

// String returns k without its secrets.
func (k Key) String() string {
	const head = 8
	id := k.ID
	if len(id) > head {
		id = id[:head] + "…"
	}
	return fmt.Sprintf("{%s token:%t}", id, k.Token != "")
}

// Format writes k without its secrets, whatever the verb.
func (k Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }

// LogValue returns k without its secrets.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

// MarshalJSON encodes k without its secrets.
func (k Key) MarshalJSON() ([]byte, error) { return json.Marshal(k.String()) }

// MarshalText encodes k without its secrets, for XML and the like.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// GobEncode encodes k without its secrets. There is no way back.
func (k Key) GobEncode() ([]byte, error) { return []byte(k.String()), nil }
