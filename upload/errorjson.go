package upload

import (
	"encoding/json"
	"errors"
	"log/slog"

	"github.com/vodupload/vodupload/upload/internal/target"
)

// errorInJSON is an [Error] with the text of its cause.
type errorInJSON struct {
	errorFields
	Err string `json:",omitempty"`
}

type errorFields Error

// MarshalJSON returns the fields, with the text of Err. An Error that was read from that is
// the same, but for [errors.Is], which finds only what the code and the status say.
func (e Error) MarshalJSON() ([]byte, error) {
	return json.Marshal(errorInJSON{errorFields(e), textOf(e.Err)})
}

// UnmarshalJSON reads what MarshalJSON returns. Err is an error with that text.
func (e *Error) UnmarshalJSON(text []byte) error {
	var in errorInJSON
	if err := json.Unmarshal(text, &in); err != nil {
		return err
	}
	*e = Error(in.errorFields)
	if in.Err != "" {
		e.Err = errors.New(in.Err)
	}
	return nil
}

// LogValue returns an error with the same text that wraps e: a handler of package slog shows
// the text of an error, unless that has a JSON of its own.
func (e *Error) LogValue() slog.Value { return slog.AnyValue(&loggedError{e}) }

type loggedError struct{ err *Error }

func (l *loggedError) Error() string { return l.err.Error() }
func (l *loggedError) Unwrap() error { return l.err }

// textOf returns the text of an error for a field of JSON; empty for nil.
func textOf(err error) string {
	if err == nil {
		return ""
	}
	return target.Text(err)
}
