package openapi

import (
	"context"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"time"

	"github.com/vodupload/vodupload/sts/internal/roundtrip"
	"github.com/vodupload/vodupload/sts/internal/weburl"
)

// An answer is that of one call, with what is needed to read it.
type answer struct {
	roundtrip.Answer
	action  string
	host    string
	secrets []string
	now     time.Time
}

// failure is the JSON of an error answer.
type failure struct {
	Code      string
	Message   string
	RequestID string `json:"RequestId"`
	HostID    string `json:"HostId"`
}

// unread returns the error of an answer whose body did not come whole, because of err.
func (a answer) unread(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		err = endOf(ctx)
	}
	return a.fail(failure{}, fmt.Errorf("%w: %w", ErrAnswer, roundtrip.Unread(redactError(weburl.Without(err), a.secrets))))
}

func (a answer) read(out any) error {
	if a.Status == http.StatusOK {
		if out == nil {
			return nil
		}
		if err := json.Unmarshal(a.Body, out); err != nil {
			return a.fail(failure{}, a.unreadable())
		}
		return nil
	}
	var f failure
	if err := json.Unmarshal(a.Body, &f); err != nil {
		return a.fail(failure{}, a.unreadable())
	}
	return a.fail(f, nil)
}

// unreadable describes a body without quoting it: a success that is cut short
// would show its secrets.
func (a answer) unreadable() error {
	kind, _, err := mime.ParseMediaType(a.Header.Get("Content-Type"))
	if err != nil {
		kind = "of unknown type"
	}
	return fmt.Errorf("%w: want JSON, got %d bytes (%s)", ErrAnswer, len(a.Body), kind)
}

func (a answer) fail(f failure, cause error) *Error {
	e := &Error{
		Action:    a.action,
		Host:      a.host,
		Status:    a.Status,
		Code:      scrub(f.Code, a.secrets...),
		Message:   scrub(f.Message, a.secrets...),
		RequestID: scrub(f.RequestID, a.secrets...),
		HostID:    scrub(f.HostID, a.secrets...),
		Err:       cause,
	}
	if date := a.Date(); !date.IsZero() {
		// The Date has whole seconds: less than that says nothing.
		if off := a.now.Sub(date); off.Abs() >= time.Second {
			e.Offset = off.Truncate(time.Second)
		}
	}
	return e
}
