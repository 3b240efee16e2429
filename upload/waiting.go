package upload

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/vodupload/vodupload/upload/internal/target"
)

// A WaitReason is what a file waits for.
type WaitReason int

// What files wait for.
const (
	WaitCredentials WaitReason = iota + 1 // the first token, or the next one
	WaitDestination                       // from SetDestination or the Authorizer
	WaitNetwork                           // nothing gets through to the endpoint: see Options.OutageWait
	WaitThrottle                          // the server has asked for a pause
	WaitClaim                             // another client or process has it, or a deleted file with the same source and destination: see Options.ClaimWait
	WaitGroup                             // the files of lower ranks in its [Group] have not succeeded yet
)

var waitNames = [...]string{"nothing", "credentials", "destination", "network", "throttle", "claim", "group"}

// String returns the reason in one word, in lower case.
func (r WaitReason) String() string { return name(waitNames[:], int(r), "WaitReason") }

// MarshalText returns the word of String.
func (r WaitReason) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads the word of String.
func (r *WaitReason) UnmarshalText(text []byte) error {
	return unmarshalName(r, waitNames[:], text, "WaitReason")
}

// A Waiting says what a file waits for. Other requests of the file may continue
// meanwhile.
type Waiting struct {
	For   WaitReason
	Since time.Time
	Err   error // what the last attempt failed with, to get what is waited for; nil: none failed yet
}

// String returns one line, like "waits for credentials since 15:04:05: sts: app server …".
func (w Waiting) String() string {
	text := fmt.Sprintf("waits for %v since %s", w.For, w.Since.Format(time.TimeOnly))
	if w.Err != nil {
		text += ": " + target.Text(w.Err)
	}
	return target.Line(text)
}

type waitingInJSON struct {
	For   WaitReason
	Since time.Time
	Err   string `json:",omitempty"`
}

// MarshalJSON returns the fields, with the text of Err.
func (w Waiting) MarshalJSON() ([]byte, error) {
	return json.Marshal(waitingInJSON{w.For, w.Since, textOf(w.Err)})
}

// UnmarshalJSON reads what MarshalJSON returns. Err is an error with that text.
func (w *Waiting) UnmarshalJSON(text []byte) error {
	var fields waitingInJSON
	if err := json.Unmarshal(text, &fields); err != nil {
		return err
	}
	*w = Waiting{For: fields.For, Since: fields.Since}
	if fields.Err != "" {
		w.Err = errors.New(fields.Err)
	}
	return nil
}

// after returns the cause that has ended the wait: with what was waited for, if it is the
// end of the caller's context. Any other cause, or none, stays as it is.
func (w Waiting) after(cause error) error {
	if !errors.Is(cause, errCallerEnded) {
		return cause
	}
	return w.with(fmt.Errorf("%w; it waited for %v for %v", cause, w.For, w.lasted()))
}

// of returns the cause that has ended something else, with what n files wait for.
func (w Waiting) of(n int, cause error) error {
	return w.with(fmt.Errorf("%w; %s for %v, for %v now", cause, counted(n, "file waits", "files wait"), w.For, w.lasted()))
}

func (w Waiting) lasted() time.Duration { return time.Since(w.Since).Round(time.Millisecond) }

func (w Waiting) with(err error) error {
	if w.Err == nil {
		return err
	}
	return fmt.Errorf("%w: %w", err, w.Err)
}
