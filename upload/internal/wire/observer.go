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

// observed makes a request while an observer looks.
func (o *Object) observed(ctx context.Context, s Snapshot, r *request) (reply, error) {
	c := Call{Op: r.op, Bucket: o.target.Bucket, Object: o.target.Object, UploadID: r.uploadID, Part: r.part, Attempt: 1}
	ofSource := r.op == opPut || r.op == opUploadPart // the body of a Complete is the list of parts
	if ofSource && r.body != nil {
		c.Bytes = r.body.Size
	}
	if n, ok := ctx.Value(attemptKey{}).(int); ok {
		c.Attempt = n
	}
	began := time.Now()
	ctx = o.client.observer.Start(ctx, c)
	rep, err := o.send(ctx, s, r)
	done := Done{Status: rep.status, RequestID: oneLine(s.redact(rep.header.Get(headerRequestID))), Took: time.Since(began), Err: err}
	if ofSource {
		done.Sent, done.Source = rep.read, rep.source
	}
	o.client.observer.End(ctx, c, done)
	return rep, err
}
