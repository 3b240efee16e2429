package vod

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
)

// A Secret is a text that nothing prints: string(s) is what it says. Printed, logged and
// encoded as JSON it says "[hidden]". To hand a ticket to another program in JSON, encode
// its [Ticket.Handover].
type Secret string

// hidden is what a Secret says.
const hidden = "[hidden]"

// String returns that there is something, or not.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return hidden
}

// Format writes String, whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue returns String.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText encodes String, for XML and the like.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText refuses what MarshalText has made of a secret, in JSON too: the value is
// not in it.
func (s *Secret) UnmarshalText(text []byte) error {
	if string(text) == hidden {
		return fmt.Errorf("vod: the text of a Secret is %q, which is what it is encoded as; encode the ticket's Handover() to hand it on", hidden)
	}
	*s = Secret(text)
	return nil
}

// GobEncode returns an error: package gob is for storing, and would store the secret.
func (s Secret) GobEncode() ([]byte, error) {
	return nil, errors.New("vod: a Secret is not for package gob")
}

// MarshalJSON encodes String.
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }

// A Ticket is where one file goes, and the right to send it there. It is valid for
// 3,000 seconds (VOD documentation, Upload URLs and credentials).
type Ticket struct {
	RequestID string

	// UploadAddress and UploadAuth are as VOD gave them, for a program elsewhere: the
	// clients for mobile and the web, and SetUploadAuthAndAddress, take them.
	UploadAddress string
	UploadAuth    Secret

	// Address and Credentials are what they say. Region is that of VOD; it may be
	// empty.
	Address     upload.UploadAddress
	Credentials sts.Credentials
	Region      string
}

// Format writes the fields without their secrets, whatever the verb: for one that does
// not fit, package fmt would print them itself.
func (t Ticket) Format(f fmt.State, _ rune) {
	type fields Ticket
	fmt.Fprintf(f, "%+v", fields(t))
}

// answer is what the answers of all calls have in common.
type answer struct {
	RequestID     string `json:"RequestId"`
	UploadAddress string
	UploadAuth    string
}

// ticket reads the answer of a call.
func (a answer) ticket(now time.Time) (Ticket, error) {
	t := Ticket{RequestID: a.RequestID, UploadAddress: a.UploadAddress, UploadAuth: Secret(a.UploadAuth)}
	var err error
	if t.Address, err = upload.ParseUploadAddress(a.UploadAddress); err != nil {
		return Ticket{}, err
	}
	if t.Credentials, t.Region, err = upload.ParseUploadAuth(a.UploadAuth, now); err != nil {
		return Ticket{}, err
	}
	return t, nil
}

// made reads the answer of a call that made something, of which id is the ID. If it
// cannot be read, something was made all the same.
func (a answer) made(action, idName, id string, now time.Time) (Ticket, error) {
	t, err := a.ticket(now)
	if err == nil && id == "" {
		err = fmt.Errorf("there is no %s", idName)
	}
	if err != nil {
		return Ticket{}, fmt.Errorf("%w: %s: the answer (%s %q, request ID %s) is not usable: %w", upload.ErrAnswerLost, action, idName, id, a.RequestID, err)
	}
	return t, nil
}
