package osstest

// An Op is an operation of OSS, by the name that its API reference gives it.
type Op string

// The operations that the server knows.
const (
	OpListBuckets          Op = "ListBuckets"
	OpPutBucket            Op = "PutBucket"
	OpDeleteBucket         Op = "DeleteBucket"
	OpGetBucketInfo        Op = "GetBucketInfo"
	OpGetBucketLocation    Op = "GetBucketLocation"
	OpPutBucketACL         Op = "PutBucketACL"
	OpGetBucketACL         Op = "GetBucketACL"
	OpPutBucketCORS        Op = "PutBucketCors"
	OpGetBucketCORS        Op = "GetBucketCors"
	OpDeleteBucketCORS     Op = "DeleteBucketCors"
	OpPutBucketTags        Op = "PutBucketTags"
	OpPutBucketVersioning  Op = "PutBucketVersioning"
	OpGetBucketVersioning  Op = "GetBucketVersioning"
	OpListObjects          Op = "ListObjects"
	OpListObjectVersions   Op = "ListObjectVersions"
	OpListLiveChannel      Op = "ListLiveChannel"
	OpListMultipartUploads Op = "ListMultipartUploads"

	OpPutObject             Op = "PutObject"
	OpGetObject             Op = "GetObject"
	OpHeadObject            Op = "HeadObject"
	OpGetObjectMeta         Op = "GetObjectMeta"
	OpDeleteObject          Op = "DeleteObject"
	OpDeleteMultipleObjects Op = "DeleteMultipleObjects"
	OpPutObjectACL          Op = "PutObjectACL"
	OpGetObjectACL          Op = "GetObjectACL"

	OpInitiateMultipartUpload Op = "InitiateMultipartUpload"
	OpUploadPart              Op = "UploadPart"
	OpUploadPartCopy          Op = "UploadPartCopy"
	OpCompleteMultipartUpload Op = "CompleteMultipartUpload"
	OpAbortMultipartUpload    Op = "AbortMultipartUpload"
	OpListParts               Op = "ListParts"

	OpOptionObject Op = "OptionObject" // the preflight of a browser
)
