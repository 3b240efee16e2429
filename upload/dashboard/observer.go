package dashboard

import (
	"context"
	"time"

	"github.com/vodupload/vodupload/upload"
)

// Observer returns what is to be the client's Options.Observer. [upload.MultiObserver]
// combines it with another one.
func (r *Recorder) Observer() *upload.Observer {
	return &upload.Observer{
		FileStart: func(ctx context.Context, f upload.FileInfo) context.Context {
			r.began(f.ID)
			return ctx
		},
		FileEnd: func(_ context.Context, f upload.FileInfo) { r.ended(f.ID) },
		Resumed: func(_ context.Context, f upload.FileInfo, parts []int) { r.initiated(f.ID, parts) },
		RequestStart: func(ctx context.Context, q upload.Request) context.Context {
			if n := partOf(&q); n > 0 {
				r.part(q.FileID, n, partInFlight)
			}
			return ctx
		},
		RequestEnd: func(_ context.Context, q upload.Request, o upload.Outcome) { r.done(&q, &o) },
	}
}

// partOf is the part that a request sends; 0: none.
func partOf(q *upload.Request) int {
	switch q.Op {
	case "UploadPart":
		return q.Part
	case "PutObject":
		return 1
	}
	return 0
}

// done records the end of a request.
func (r *Recorder) done(q *upload.Request, o *upload.Outcome) {
	n := partOf(q)
	switch {
	case o.Err == nil && n > 0:
		r.part(q.FileID, n, partAcked)
	case o.Err == nil && q.Op == "InitiateMultipartUpload":
		r.initiated(q.FileID, nil)
	case o.Interrupted && n > 0:
		r.part(q.FileID, n, partMissing)
	case n > 0:
		r.part(q.FileID, n, partRetrying)
	}
	if o.Err == nil || o.Interrupted {
		return
	}
	r.failed(problem{
		At: time.Now().UnixMilli(), File: q.FileID, Object: q.Bucket + "/" + q.Object, Op: q.Op, Part: q.Part,
		Status: o.Status, Code: o.Code, RequestID: o.RequestID, Error: o.Err.Error(), Took: o.Duration.Milliseconds(),
	})
}
