package upload

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"reflect"
	"time"

	"github.com/vodupload/vodupload/upload/internal/target"
	"github.com/vodupload/vodupload/upload/internal/tasks"
	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// An Observer sees what a client does, for metrics, traces and pages. Each function is
// optional.
//
// Unlike [Callbacks], they are called while the work is done, many at a time, and the work
// waits for them: they must not block. They are called outside every lock, and may call
// the client, but nothing of it that waits for files to end: Close and Shutdown would wait for
// the call that they are in, and give up. A panic is not recovered, as in a callback; one that ends its goroutine has
// returned, and the Logger gets a warning. A context that they return has to be made from
// the one that they got; nil leaves that as it is.
type Observer struct {
	// FileStart is called when a file is started, and again when it is after a pause, a
	// stop or a failure. The context is the parent of those of its requests; that of a file
	// of [Client.Upload] has the values of its caller's.
	FileStart func(ctx context.Context, f FileInfo) context.Context

	// FileEnd is called when what FileStart was called for has ended, with the context
	// that FileStart returned. f.State says how: a file that was interrupted is paused,
	// init, canceled or failed. The callback about its end may have been called before.
	FileEnd func(ctx context.Context, f FileInfo)

	// Resumed is called when an upload in parts resumes, with the numbers of the parts
	// that need not be sent again.
	Resumed func(ctx context.Context, f FileInfo, parts []int)

	// RequestStart is called before each request to OSS, those of clean-ups and sweeps
	// included, when it has its slot and its credentials. The context goes to the
	// HTTPClient.
	RequestStart func(ctx context.Context, r Request) context.Context

	// RequestEnd is called when a request has ended, with the context that RequestStart
	// returned. It is called for each RequestStart.
	RequestEnd func(ctx context.Context, r Request, o Outcome)

	// Flush is called when acknowledged parts of a file have been made durable in
	// Options.Checkpoints, with how long that took and why they were not. The context is
	// made from the one that FileStart returned.
	Flush func(ctx context.Context, id FileID, took time.Duration, err error)

	// Wait is called when a file has waited, however short, with how long.
	Wait func(id FileID, w Waiting, lasted time.Duration)
}

// orNone returns o, or nil if it wants to see nothing: then it costs a branch.
func (o *Observer) orNone() *Observer {
	if o == nil || reflect.ValueOf(*o).IsZero() {
		return nil
	}
	return o
}

// guarded returns o with functions that always return. Each is called on a goroutine of
// its own: where it ended that of a file or of a part, the file would never end.
func (o *Observer) guarded(log *slog.Logger) *Observer {
	if o == nil {
		return nil
	}
	call := func(name string, fn func()) {
		if err := tasks.Alone(fn); err != nil {
			log.Warn("Observer."+name, "error", err)
		}
	}
	g := *o
	if o.FileStart != nil {
		g.FileStart = func(ctx context.Context, f FileInfo) (made context.Context) {
			call("FileStart", func() { made = o.FileStart(ctx, f) })
			return made
		}
	}
	if o.FileEnd != nil {
		g.FileEnd = func(ctx context.Context, f FileInfo) { call("FileEnd", func() { o.FileEnd(ctx, f) }) }
	}
	if o.Resumed != nil {
		g.Resumed = func(ctx context.Context, f FileInfo, parts []int) {
			call("Resumed", func() { o.Resumed(ctx, f, parts) })
		}
	}
	if o.RequestStart != nil {
		g.RequestStart = func(ctx context.Context, r Request) (made context.Context) {
			call("RequestStart", func() { made = o.RequestStart(ctx, r) })
			return made
		}
	}
	if o.RequestEnd != nil {
		g.RequestEnd = func(ctx context.Context, r Request, out Outcome) {
			call("RequestEnd", func() { o.RequestEnd(ctx, r, out) })
		}
	}
	if o.Flush != nil {
		g.Flush = func(ctx context.Context, id FileID, took time.Duration, err error) {
			call("Flush", func() { o.Flush(ctx, id, took, err) })
		}
	}
	if o.Wait != nil {
		g.Wait = func(id FileID, w Waiting, lasted time.Duration) { call("Wait", func() { o.Wait(id, w, lasted) }) }
	}
	return &g
}

// A Request is one request to OSS, for an [Observer].
type Request struct {
	FileID   FileID // 0: of no file of the list, as in a sweep
	Op       string // as in [Error]
	Bucket   string
	Object   string
	UploadID string // empty before there is one
	Part     int    // 0: not about a part
	Attempt  int    // 1 for the first
	Bytes    int64  // of the source, that are to be sent
}

// An Outcome is how a request has ended.
type Outcome struct {
	Status      int    // of HTTP; 0: the server did not answer
	Code        string // of Err, as in [Error]; empty: there is no error
	RequestID   string // for Alibaba Cloud's support
	Duration    time.Duration
	Sent        int64         // bytes of the source that were handed to the connection
	SourceRead  time.Duration // of Duration, how long reading these took
	Interrupted bool          // it was cut off, because its file was paused or has ended
	Err         error         // in one line, without a secret; nil: it succeeded
}

// MarshalJSON returns the fields, with the text of Err.
func (o Outcome) MarshalJSON() ([]byte, error) {
	type fields Outcome
	return json.Marshal(struct {
		fields
		Err string `json:",omitempty"`
	}{fields(o), textOf(o.Err)})
}

// fileKey is the key of the file's ID in the context of its requests.
type fileKey struct{}

// wireObserver returns what sees the requests for o; nil: nobody wants to.
func (o *Observer) wireObserver() *transfer.Observer {
	if o == nil || o.RequestStart == nil && o.RequestEnd == nil {
		return nil
	}
	return &transfer.Observer{
		Start: func(ctx context.Context, c transfer.Call) context.Context {
			if o.RequestStart == nil {
				return ctx
			}
			return given(o.RequestStart(ctx, requestOf(ctx, c)), ctx)
		},
		End: func(ctx context.Context, c transfer.Call, d transfer.Done) {
			if o.RequestEnd != nil {
				o.RequestEnd(ctx, requestOf(ctx, c), outcomeOf(ctx, d))
			}
		},
	}
}

// flushed returns what sees the writes of checkpoints for o; nil: nobody wants to.
func (o *Observer) flushed() func(context.Context, time.Duration, error) {
	if o == nil || o.Flush == nil {
		return nil
	}
	return func(ctx context.Context, took time.Duration, err error) {
		id, _ := ctx.Value(fileKey{}).(FileID)
		o.Flush(ctx, id, took, target.OneLine(err))
	}
}

// given returns the context of a user's function; where that has returned none, the one
// that it got.
func given(ctx, got context.Context) context.Context {
	if ctx == nil {
		return got
	}
	return ctx
}

func requestOf(ctx context.Context, c transfer.Call) Request {
	id, _ := ctx.Value(fileKey{}).(FileID)
	return Request{FileID: id, Op: c.Op, Bucket: c.Bucket, Object: c.Object, UploadID: c.UploadID, Part: c.Part, Attempt: c.Attempt, Bytes: c.Bytes}
}

func outcomeOf(ctx context.Context, d transfer.Done) Outcome {
	o := Outcome{Status: d.Status, RequestID: d.RequestID, Duration: d.Took, Sent: d.Sent, SourceRead: d.Source}
	if d.Err == nil {
		return o
	}
	o.Err, o.Code = target.OneLine(d.Err), codeOf(d.Err)
	o.Interrupted = ctx.Err() != nil
	if we, ok := errors.AsType[*transfer.Error](d.Err); ok && we.RequestID != "" {
		o.RequestID = we.RequestID
	}
	return o
}
