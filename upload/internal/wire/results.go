package wire

import "time"

// A Part is a part that the server has.
type Part struct {
	Number   int
	Size     int64
	ETag     string // as it came, without quotation marks; some servers give an empty one
	CRC64    uint64
	HasCRC64 bool // whether the server returned its CRC64
}

// PutResult is the outcome of Put.
type PutResult struct {
	ETag         string
	CRC64        uint64 // of the bytes as they were read
	Verified     bool   // the server returned the same CRC64
	CallbackBody []byte
	VersionID    string
}

// CompleteResult is the outcome of Complete. Comparing the CRC64 with what it
// should be is the caller's work.
type CompleteResult struct {
	ETag         string
	CRC64        uint64
	HasCRC64     bool
	CallbackBody []byte
	VersionID    string
	RequestID    string
}

// Initiated is the outcome of Initiate.
type Initiated struct {
	UploadID   string
	ServerTime time.Time // by the server's clock, from its Date header; to the second
}

// ObjectInfo is what Head returns.
type ObjectInfo struct {
	Size         int64
	ETag         string
	CRC64        uint64
	HasCRC64     bool
	Type         string // Normal, Multipart, Appendable
	VersionID    string // empty where the bucket has no versions
	LastModified time.Time
}

const maxPartNumber = 10_000

// maxPage is the most parts, uploads or objects that OSS lists at a time (OSS
// documentation, ListParts, ListMultipartUploads, ListObjectsV2).
const maxPage = 1000
