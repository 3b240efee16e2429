package osserr

import (
	"net/http"
	"strconv"
	"strings"
)

// The errors of the service, each with the status, code, EC and text that its
// documentation or its recorded answers show. An EC that no source shows is
// left out rather than made up.

// Limits of the service, in bytes (OSS documentation, Limits).
const (
	MinPartSize = 100 << 10 // of each part but the last
	MaxPartSize = 5 << 30   // also of PutObject
)

func InvalidArgument(ec, message, name, value string) *Error {
	return (&Error{Status: http.StatusBadRequest, Code: "InvalidArgument", EC: ec, Message: message}).
		With("ArgumentName", name).With("ArgumentValue", value)
}

func InvalidBucketName(name string) *Error {
	return (&Error{Status: http.StatusBadRequest, Code: "InvalidBucketName", Message: "The specified bucket is not valid."}).
		With("BucketName", name)
}

func InvalidObjectName(message, key string) *Error {
	return (&Error{Status: http.StatusBadRequest, Code: "InvalidObjectName", Message: message}).
		With("ObjectName", XMLSafe(key))
}

func PathStyleForbidden() *Error {
	return &Error{Status: http.StatusForbidden, Code: "SecondLevelDomainForbidden",
		Message: "Please use virtual hosted style to access."}
}

func NoSuchBucket(name string) *Error {
	return (&Error{Status: http.StatusNotFound, Code: "NoSuchBucket", EC: "0015-00000101", Message: "The specified bucket does not exist."}).
		With("BucketName", name)
}

func BucketNotEmpty(name, what string) *Error {
	return (&Error{Status: http.StatusConflict, Code: "BucketNotEmpty", EC: "0015-00000301",
		Message: "The bucket has " + what + ". Please delete them first."}).
		With("BucketName", name)
}

func NoSuchKey(key string) *Error {
	return (&Error{Status: http.StatusNotFound, Code: "NoSuchKey", EC: "0026-00000001", Message: "The specified key does not exist."}).
		With("Key", key)
}

func NoSuchVersion(key, version string) *Error {
	return (&Error{Status: http.StatusNotFound, Code: "NoSuchVersion", Message: "The specified version does not exist."}).
		With("Key", key).With("VersionId", version)
}

// ECs of NoSuchUpload, by the operation that meets it.
const (
	ECUploadPart = "0042-00000104"
	ECPartCopy   = "0042-00000311"
	ECComplete   = "0042-00000203"
	ECAbort      = "0042-00000002"
	ECListParts  = "0042-00000002"
)

func NoSuchUpload(ec, uploadID string) *Error {
	return (&Error{Status: http.StatusNotFound, Code: "NoSuchUpload", EC: ec,
		Message: "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed."}).
		With("UploadId", XMLSafe(uploadID))
}

func FileAlreadyExists(ec string) *Error {
	return &Error{Status: http.StatusConflict, Code: "FileAlreadyExists", EC: ec,
		Message: "The object you specified already exists and can not be overwritten."}
}

func MethodNotAllowed(method, resource string, allowed ...string) *Error {
	return (&Error{Status: http.StatusMethodNotAllowed, Code: "MethodNotAllowed",
		Message: "The specified method is not allowed against this resource."}).
		With("Method", method).With("ResourceType", resource).
		WithHeader("Allow", strings.Join(allowed, ", "))
}

// NotImplementedHeader is the answer to a header that a call cannot have.
func NotImplementedHeader(header string) *Error {
	return (&Error{Status: http.StatusBadRequest, Code: "NotImplemented",
		Message: "A header you provided implies functionality that is not implemented."}).
		With("Header", header)
}

// NotImplemented is this server's own: OSS can do it, and osstest cannot.
func NotImplemented(what string) *Error {
	return &Error{Status: http.StatusNotImplemented, Code: "NotImplemented",
		Message: "osstest does not implement " + what + "."}
}

func MissingContentLength() *Error {
	return &Error{Status: http.StatusLengthRequired, Code: "MissingContentLength",
		Message: "You must provide the Content-Length HTTP header."}
}

func EntityTooLarge(size int64) *Error {
	return (&Error{Status: http.StatusBadRequest, Code: "EntityTooLarge",
		Message: "Your proposed upload exceeds the maximum allowed size."}).
		With("MaxSizeAllowed", strconv.FormatInt(MaxPartSize, 10)).With("ProposedSize", strconv.FormatInt(size, 10))
}

func MetadataTooLarge() *Error {
	return &Error{Status: http.StatusBadRequest, Code: "MetadataTooLarge",
		Message: "Your metadata headers exceed the maximum allowed metadata size."}
}

func MetadataName(header string) *Error {
	header = strings.ToLower(header)
	return InvalidArgument("0011-00000004", "The name of a user metadata header has an invalid character.", "x-oss-meta-*", header)
}

func IncompleteBody() *Error {
	return &Error{Status: http.StatusBadRequest, Code: "IncompleteBody",
		Message: "You did not provide the number of bytes specified by the Content-Length HTTP header"}
}

func RequestTimeout() *Error {
	return &Error{Status: http.StatusBadRequest, Code: "RequestTimeout",
		Message: "Your socket connection to the server was not read from or written to within the timeout period. Idle connections will be closed."}
}

// ECs of InvalidDigest.
const (
	ECDigestMalformed = "0017-00000502"
	ECDigestMismatch  = "0017-00000503"
)

func InvalidDigest(ec string) *Error {
	return &Error{Status: http.StatusBadRequest, Code: "InvalidDigest", EC: ec,
		Message: "The Content-MD5 you specified was invalid."}
}

func InvalidEncryption(algorithm string) *Error {
	return (&Error{Status: http.StatusBadRequest, Code: "InvalidEncryptionAlgorithmError",
		Message: "The Encryption Method specified is not supported."}).
		With("ArgumentName", "x-oss-server-side-encryption").With("ArgumentValue", algorithm)
}

func MissingPartNumber() *Error {
	return InvalidArgument("0017-00000219", "Unexpected query string parameter", "ResourceType", "partNumber")
}

func InvalidPartNumber(value string) *Error {
	return InvalidArgument("0017-00000220", "Part number must be an integer between 1 and 10000, inclusive.", "PartNumber", XMLSafe(value))
}

func TrafficLimit(value string) *Error {
	return InvalidArgument("0004-00000502",
		"x-oss-traffic-limit is invalid, should be specified between 819200(100KB/s) and 838860800(100MB/s).", "x-oss-traffic-limit", value)
}

func MalformedXML(ec string) *Error {
	return &Error{Status: http.StatusBadRequest, Code: "MalformedXML", EC: ec,
		Message: "The XML you provided was not well-formed or did not validate against our published schema."}
}

func InvalidPartOrder() *Error {
	return &Error{Status: http.StatusBadRequest, Code: "InvalidPartOrder", EC: "0042-00000209",
		Message: "The list of parts was not in ascending order."}
}

func InvalidPart(etag string, number int, uploadID string) *Error {
	return (&Error{Status: http.StatusBadRequest, Code: "InvalidPart",
		Message: "One or more of the specified parts could not be found or the specified entity tag might not have matched the part's entity tag."}).
		With("ETag", XMLSafe(etag)).With("PartNumber", strconv.Itoa(number)).With("UploadId", uploadID)
}

func EntityTooSmall(number int, size int64, etag string) *Error {
	return (&Error{Status: http.StatusBadRequest, Code: "EntityTooSmall", EC: "0042-00000213",
		Message: "Your proposed upload smaller than the minimum allowed size."}).
		With("MinSizeAllowed", strconv.Itoa(MinPartSize)).
		With("ProposedSize", strconv.FormatInt(size, 10)).
		With("PartNumber", strconv.Itoa(number)).
		With("ETag", etag)
}

func CompleteAllWithBody() *Error {
	return InvalidArgument("0042-00000216", "Should not speficy both complete all header and http body.", "x-oss-complete-all", "yes")
}

// The wording of both is that of answers that users of OSS have published.

func PartAlreadyExists(number int, etag string) *Error {
	return (&Error{Status: http.StatusConflict, Code: "PartAlreadyExist", EC: "0042-00000108",
		Message: "For sequential multipart upload, you can't overwrite uploaded parts."}).
		With("PartEtag", etag).With("PartNumber", strconv.Itoa(number))
}

func PartNotSequential(number int) *Error {
	return (&Error{Status: http.StatusBadRequest, Code: "PartNotSequential", EC: "0042-00000105",
		Message: "For sequential multipart upload, you must upload or complete parts with sequential part number."}).
		With("PartNumber", strconv.Itoa(number))
}

func PreconditionFailed(condition string) *Error {
	return (&Error{Status: http.StatusPreconditionFailed, Code: "PreconditionFailed",
		Message: "At least one of the pre-conditions you specified did not hold."}).
		With("Condition", condition)
}

func NotModified() *Error {
	return &Error{Status: http.StatusNotModified, Code: "NotModified", Message: "The resource was not modified."}
}

func InvalidRange(asked string, size int64) *Error {
	return (&Error{Status: http.StatusRequestedRangeNotSatisfiable, Code: "InvalidRange",
		Message: "The requested range cannot be satisfied."}).
		With("ActualObjectSize", strconv.FormatInt(size, 10)).With("RangeRequested", asked).
		WithHeader("Content-Range", "bytes */"+strconv.FormatInt(size, 10))
}

// CallbackFailed is returned although the object is stored.
func CallbackFailed(reason string) *Error {
	return &Error{Status: http.StatusNonAuthoritativeInfo, Code: "CallbackFailed", EC: "0007-00000203", Message: reason}
}

// Internal is the answer to a failure of this server's own disk. Its cause
// goes along, for the reader of a failed test.
func Internal(cause error) *Error {
	return (&Error{Status: http.StatusInternalServerError, Code: "InternalError",
		Message: "Please contact the server administrator, oss@service.aliyun.com."}).
		With("Cause", cause.Error())
}

// XMLSafe drops what XML cannot carry from a value that a client sent.
func XMLSafe(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' || r == 0xFFFE || r == 0xFFFF {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}
