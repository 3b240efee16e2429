package upload

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// Callbacks report what happens to the files and the client. Each is optional.
//
// They are called one at a time, in the order in which things happened, on a
// goroutine that never carries a file's bytes, and outside every lock: each may
// call any method of the client, which is handed to it first. A slow callback
// delays the callbacks after it and nothing else. A panic is not recovered: it ends the
// process, as one in any goroutine of the program does.
//
// FileInfo and the other values are snapshots of the moment that is reported.
type Callbacks struct {
	// OnStarted reports that a file was started. It may give the file its own
	// credentials or destination, at once or later, with SetToken or
	// SetDestination; a file that has neither its own nor the client's waits. Where they
	// cannot be had, FailFile ends the file with the reason.
	OnStarted func(c *Client, f FileInfo)

	// OnProgress reports how many bytes of the file the server has acknowledged.
	// uploaded never goes back and never passes total, which is -1 while the length of
	// a Reader is not known. Calls are coalesced: a slow callback sees the latest state,
	// not each. f.InFlight has the bytes that are on their way.
	OnProgress func(c *Client, f FileInfo, uploaded, total int64)

	// OnSucceeded reports that the object is stored and consists of the file's bytes.
	OnSucceeded func(c *Client, f FileInfo, r Result)

	// OnFailed reports that the file failed. err is an [*Error]. A file that was under
	// way when the client was closed fails with [ErrClosed]; its checkpoint is kept for
	// the next run.
	OnFailed func(c *Client, f FileInfo, err error)

	// OnCanceled reports that the file was canceled or deleted. By then nothing of it is
	// sent any more, and its upload was aborted, unless the server did not allow it or
	// did not answer.
	OnCanceled func(c *Client, f FileInfo)

	// OnRetry reports that a request failed and will be made again after a pause. An outage
	// (see Options.OutageWait) is reported once, for one of the files that wait.
	OnRetry func(c *Client, f FileInfo, r Retry)

	// OnRetryResume reports that the file has resumed: the first request that had to be
	// retried succeeded. The end of an outage is reported once, for the file that got
	// through.
	OnRetryResume func(c *Client, f FileInfo)

	// OnWaiting reports that a file waits for something: for credentials, for a destination,
	// or as w.For says. It is called when that has lasted for a tenth of a second, and at
	// once for each attempt to get it that fails, with the error in w.Err. A file that
	// something keeps from being started is reported before its OnStarted; one that only
	// waits for its turn, or for Start, is not. Calls are coalesced: a slow callback sees the
	// latest state, and one that is over before its delivery is not reported. The end of a
	// wait is not reported: FileInfo.Waiting is nil then.
	OnWaiting func(c *Client, f FileInfo, w Waiting)

	// OnTokenExpired reports that the server no longer accepts the token, or soon will
	// not. The files that need it wait for ResumeWithToken, or for SetToken if they have
	// their own. It is called once for each token, and once more for a file that needs
	// the token after others have waited for it for Options.TokenWait in vain. It is not
	// called if Options.Credentials supplies the next token. f is zero, its ID 0, if no
	// file is under way: then [Client.Sweep] needs the token, or the clean-up after a
	// file that has failed, and ResumeWithToken is the answer.
	OnTokenExpired func(c *Client, f FileInfo)

	// OnFinished reports that nothing is left to do.
	OnFinished func(c *Client)
}

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

// MarshalJSON returns the fields, with the text of Err.
func (r Retry) MarshalJSON() ([]byte, error) {
	type fields Retry
	return json.Marshal(struct {
		fields
		Err string `json:",omitempty"`
	}{fields(r), textOf(r.Err)})
}

// retryOf is what an event of the transfer says of a request that is made again.
func retryOf(ev *transfer.Event) Retry {
	r := Retry{Part: ev.Part, Attempt: ev.Attempt, Delay: ev.Delay, Code: codeOf(ev.Err), Err: ev.Err}
	if we := (*transfer.Error)(nil); errors.As(ev.Err, &we) {
		r.Status, r.RequestID = we.Status, we.RequestID
	}
	return r
}
