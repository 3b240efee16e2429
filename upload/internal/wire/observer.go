package wire

import (
	"context"
	"time"
)

// An Observer sees each request. Its functions are called outside every lock, by the
// goroutine that makes the request, which waits for them.
type Observer struct {
	Start func(context.Context, Call) context.Context // returns the request's context
	End   func(context.Context, Call, Done)           // gets that context
}

// A Call is one request, as it is made.
type Call struct {
	Op       string
	Bucket   string
	Object   string
	UploadID string
	Part     int   // 0: not about a part
	Attempt  int   // 1: the first
	Bytes    int64 // of the body, of a source
}

// Done is how a request has ended.
type Done struct {
	Status    int // 0: no answer
	RequestID string
	Took      time.Duration
	Sent      int64         // bytes of the body that were handed to the connection
	Source    time.Duration // of Took, reading these from their source
	Err       error
}

type attemptKey struct{}

// WithAttempt returns a context for the nth attempt of a request, which its [Call] has.
func WithAttempt(ctx context.Context, n int) context.Context {
	return context.WithValue(ctx, attemptKey{}, n)
}
