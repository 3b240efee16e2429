package embedded

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// A Password is a text that no verb and no encoder writes: they write "[hidden]".
type Password string

// String returns "[hidden]", or nothing for an empty password.
func (p Password) String() string {
	if p == "" {
		return ""
	}
	return "[hidden]"
}

// Format writes String, whatever the verb.
func (p Password) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, p.String()) }

// LogValue is String, for log/slog.
func (p Password) LogValue() slog.Value { return slog.StringValue(p.String()) }

// MarshalText is String, for JSON and XML.
func (p Password) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// GobEncode returns an error: package gob is for storing, and would store the password.
func (p Password) GobEncode() ([]byte, error) {
	return nil, errors.New("embedded: a password is not for package gob")
}
