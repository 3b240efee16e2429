package openapi

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"
)

// An answer is what is needed to read the answer of one call.
type answer struct {
	action  string
	host    string
	secrets []string
	now     time.Time
	limit   int64
}

// failure is the JSON of an error answer.
type failure struct {
	Code      string
	Message   string
	RequestID string `json:"RequestId"`
	HostID    string `json:"HostId"`
}

func (a answer) read(ctx context.Context, resp *http.Response, out any) error {
	body, err := readLimited(resp.Body, a.limit)
	if err != nil {
		if ctx.Err() != nil {
			err = endOf(ctx)
		}
		return a.fail(resp, failure{}, fmt.Errorf("%w: read it: %w", ErrAnswer, err))
	}
	if resp.StatusCode == http.StatusOK {
		if out == nil {
			return nil
		}
		if err := json.Unmarshal(body, out); err != nil {
			return a.fail(resp, failure{}, a.unreadable(resp, body))
		}
		return nil
	}
	var f failure
	if err := json.Unmarshal(body, &f); err != nil {
		return a.fail(resp, failure{}, a.unreadable(resp, body))
	}
	return a.fail(resp, f, nil)
}

// unreadable describes a body without quoting it: a success that is cut short
// would show its secrets.
func (a answer) unreadable(resp *http.Response, body []byte) error {
	kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil {
		kind = "of unknown type"
	}
	return fmt.Errorf("%w: want JSON, got %d bytes (%s)", ErrAnswer, len(body), kind)
}

func (a answer) fail(resp *http.Response, f failure, cause error) *Error {
	e := &Error{
		Action:    a.action,
		Host:      a.host,
		Status:    resp.StatusCode,
		Code:      scrub(f.Code, a.secrets...),
		Message:   scrub(f.Message, a.secrets...),
		RequestID: scrub(f.RequestID, a.secrets...),
		HostID:    scrub(f.HostID, a.secrets...),
		Err:       cause,
	}
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		// The Date has whole seconds: less than that says nothing.
		if off := a.now.Sub(date); off.Abs() >= time.Second {
			e.Offset = off.Truncate(time.Second)
		}
	}
	return e
}

// readLimited reads all of r, or fails with [ErrTooLarge] beyond limit bytes.
func readLimited(r io.Reader, limit int64) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(body)) > limit {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrTooLarge, limit)
	}
	return body, nil
}
