package upload

import "time"

// Callbacks tell a program what happens. Each is optional.
//
// They are called one at a time, in the order in which things happened, on a
// goroutine that never carries a file's bytes, and outside every lock: each may
// call any method of the client, which is handed to it first. A slow callback
// delays the callbacks after it and nothing else.
//
// FileInfo and the other values are snapshots of the moment that is told of.
type Callbacks struct {
	// OnStarted tells that it is a file's turn. It may give the file its own
	// credentials or destination, at once or later, with SetToken or
	// SetDestination; a file that has neither its own nor the client's waits.
	OnStarted func(c *Client, f FileInfo)

	// OnProgress tells how many bytes of the file the server has acknowledged.
	// uploaded never goes back and never passes total, which is -1 while the length of
	// a Reader is not known. Calls are coalesced: a slow callback sees the latest state,
	// not each. f.InFlight has the bytes that are on their way.
	OnProgress func(c *Client, f FileInfo, uploaded, total int64)

	// OnSucceeded tells that the object is there and is made of the file's bytes.
	OnSucceeded func(c *Client, f FileInfo, r Result)

	// OnFailed tells that the file failed. err is an [*Error]. A file that was under way
	// when the client was closed ends this way, too: with [ErrClosed], and with its
	// checkpoint kept for the next run.
	OnFailed func(c *Client, f FileInfo, err error)

	// OnCanceled tells that the file was canceled or deleted, that nothing of it is
	// sent any more, and that its upload was aborted as far as the server let it.
	OnCanceled func(c *Client, f FileInfo)

	// OnRetry tells that a request failed and will be made again after a pause.
	OnRetry func(c *Client, f FileInfo, r Retry)

	// OnRetryResume tells that the file goes on: the first request that had to be
	// retried succeeded.
	OnRetryResume func(c *Client, f FileInfo)

	// OnTokenExpired tells that the server does not accept the token any more, or
	// will not shortly. The files that need it wait until ResumeWithToken, or
	// SetToken for a file with its own. It is called once for each token, and once
	// more for a file that comes after others waited Options.TokenWait in vain; not
	// at all where Options.Credentials brings the next one by itself. f is zero, its ID
	// 0, where no file is under way: it is [Client.Sweep] that needs the token, or the
	// clean-up after a file that has failed. Then ResumeWithToken is the answer.
	OnTokenExpired func(c *Client, f FileInfo)

	// OnFinished tells that nothing is left to do.
	OnFinished func(c *Client)
}

// A Retry is one failed request that will be made again.
type Retry struct {
	Part    int           // 0: the request was not about a part
	Attempt int           // 1 for the first retry
	Delay   time.Duration // until it is made
	Err     error         // why it failed
}

// A Result is what became of a file that was uploaded.
type Result struct {
	Endpoint     string
	Bucket       string
	Object       string
	Location     string // URL of the object, without a signature
	ETag         string // without quotation marks
	VersionID    string // of a bucket with versions
	CRC64        uint64 // CRC-64/ECMA of the file
	Verified     bool   // the server told the same CRC64
	Size         int64  // bytes
	Parts        int
	ResumedParts int   // parts that an earlier run had sent
	ResumedBytes int64 // bytes of these parts
	SentBytes    int64 // bytes sent in this run, retries included
	Duration     time.Duration
	CallbackBody []byte // the answer of the callback's server
	VideoID      string // of ApsaraVideo VOD; see [Authorizer]
	MediaID      string // of an image there
	MediaURL     string // where that can be seen
}
