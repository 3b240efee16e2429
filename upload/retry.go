package upload

import (
	"errors"
	"time"

	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// A Retry is one failed request that will be made again.
type Retry struct {
	Part      int           // 0: the request was not about a part
	Attempt   int           // 1 for the first retry
	Delay     time.Duration // until it is made
	Status    int           // of HTTP; 0: the server did not answer
	Code      string        // of Err, as in [Error]
	RequestID string        // for Alibaba Cloud's support; empty: the server did not answer
	Err       error         // why it failed
}

// retryOf is what an event of the transfer says of a request that is made again.
func retryOf(ev *transfer.Event) Retry {
	r := Retry{Part: ev.Part, Attempt: ev.Attempt, Delay: ev.Delay, Code: codeOf(ev.Err), Err: ev.Err}
	if we := (*transfer.Error)(nil); errors.As(ev.Err, &we) {
		r.Status, r.RequestID = we.Status, we.RequestID
	}
	return r
}
