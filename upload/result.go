package upload

import "time"

// A Result describes the object that a file became.
type Result struct {
	Endpoint     string
	Bucket       string
	Object       string
	Location     string // URL of the object, without a signature
	ETag         string // without quotation marks
	VersionID    string // of a bucket with versions
	CRC64        uint64 `json:",string"` // CRC-64/ECMA of the file; in JSON a text, since many readers round numbers
	Verified     bool   // the server returned the same CRC64, or the MD5 of a small file that was skipped
	Skipped      bool   // the object was there, and nothing was sent: see File.IfExists
	Size         int64  // bytes
	Parts        int
	ResumedParts int   // parts that an earlier run had sent
	ResumedBytes int64 // bytes of these parts
	SentBytes    int64 // bytes sent in this run, retries included
	Duration     time.Duration
	CallbackBody []byte // what the server of ObjectOptions.Callback answered; empty if that answer went to another run

	// CompletedByOther says that another run has made the object of the parts: of another
	// client in a shared store, or an earlier one whose process was killed before it had
	// the answer. This run found the object, with the right bytes. The server of
	// ObjectOptions.Callback has been called once, by then.
	CompletedByOther bool

	VideoID  string // of ApsaraVideo VOD, by an [Authorizer] or SetUploadAuthAndAddress
	MediaID  string // of an image there
	MediaURL string // where that can be seen
}
