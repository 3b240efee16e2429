package wire

import "github.com/vodupload/vodupload/upload/internal/target"

// The operations, by the names that Error.Op gives them: those of OSS's API
// reference, which stand in its access log as well.
const (
	opPut        = target.OpPut
	opInitiate   = target.OpInitiate
	opUploadPart = target.OpUploadPart
	opComplete   = target.OpComplete
	opAbort      = "AbortMultipartUpload"
	opListParts  = "ListParts"
	opHead       = "HeadObject"
)

// The names of headers are in the form of [http.CanonicalHeaderKey], so that each is
// in a map once.
const (
	headerContentType  = "Content-Type"
	headerDate         = "Date"
	headerOSSDate      = "X-Oss-Date"
	headerRequestID    = "X-Oss-Request-Id"
	headerEC           = "X-Oss-Ec"
	headerErr          = "X-Oss-Err"
	headerDelay        = "X-Oss-Qos-Delay-Time"
	headerCRC64        = "X-Oss-Hash-Crc64ecma"
	headerVersionID    = "X-Oss-Version-Id"
	headerObjectType   = "X-Oss-Object-Type"
	headerRequestPayer = "X-Oss-Request-Payer"
	headerETag         = "Etag"
	headerLocation     = "Location"
	headerRetryAfter   = "Retry-After"
	headerLastModified = "Last-Modified"
)
