package transfer

import (
	"context"
	"errors"
	"fmt"

	"github.com/vodupload/vodupload/upload/internal/wire"
)

// A waitError ended a wait for a slot or for credentials. It may wrap the answer to
// an earlier request, for example the one that refused the last token; that is not
// the answer to the request which had to wait.
type waitError struct{ err error }

func (e *waitError) Error() string { return e.err.Error() }
func (e *waitError) Unwrap() error { return e.err }

// answer returns the outcome of a request that failed; false: err is none.
func answer(err error) (*wire.Error, bool) {
	var wait *waitError
	if errors.As(err, &wait) {
		return nil, false
	}
	var we *wire.Error
	return we, errors.As(err, &we)
}

func isAnswer(err error) bool {
	_, ok := answer(err)
	return ok
}

// Throttled reports whether err is the server's answer that too much is asked of it.
func Throttled(err error) bool {
	we, ok := answer(err)
	return ok && we.Class == wire.Throttle
}

// canceled keeps both: why the context ended, and the error of the request before.
func canceled(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	if errors.Is(err, cause) {
		return err
	}
	return fmt.Errorf("%w; before that: %w", cause, err)
}

// isRestart reports whether the server does not know the upload ID.
func isRestart(err error) bool {
	we, ok := answer(err)
	return ok && we.Class == wire.Restart
}

// isRefused reports whether Complete did not take the parts: the server has others
// than it reported when they were sent, or when they were listed (OSS documentation,
// CompleteMultipartUpload). The same list would be refused for ever.
func isRefused(err error) bool {
	we, ok := answer(err)
	if !ok {
		return false
	}
	switch we.Code {
	case "InvalidPart", "InvalidPartOrder", "EntityTooSmall":
		return true
	}
	return false
}
