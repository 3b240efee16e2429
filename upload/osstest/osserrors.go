package osstest

import (
	"net/http"
	"strconv"
	"strings"
)

// The errors of the service, each with the status, code, EC and text that its
// documentation or its recorded answers show. An EC that no source shows is
// left out rather than made up.

func errInvalidArgument(ec, message, name, value string) *apiError {
	return (&apiError{status: http.StatusBadRequest, code: "InvalidArgument", ec: ec, message: message}).
		with("ArgumentName", name).with("ArgumentValue", value)
}

func errInvalidBucketName(name string) *apiError {
	return (&apiError{status: http.StatusBadRequest, code: "InvalidBucketName", message: "The specified bucket is not valid."}).
		with("BucketName", name)
}

func errInvalidObjectName(message, key string) *apiError {
	return (&apiError{status: http.StatusBadRequest, code: "InvalidObjectName", message: message}).
		with("ObjectName", xmlSafe(key))
}

func errPathStyleForbidden() *apiError {
	return &apiError{status: http.StatusForbidden, code: "SecondLevelDomainForbidden",
		message: "Please use virtual hosted style to access."}
}

func errNoSuchBucket(name string) *apiError {
	return (&apiError{status: http.StatusNotFound, code: "NoSuchBucket", ec: "0015-00000101", message: "The specified bucket does not exist."}).
		with("BucketName", name)
}

func errBucketNotEmpty(name, what string) *apiError {
	return (&apiError{status: http.StatusConflict, code: "BucketNotEmpty", ec: "0015-00000301",
		message: "The bucket has " + what + ". Please delete them first."}).
		with("BucketName", name)
}

func errNoSuchKey(key string) *apiError {
	return (&apiError{status: http.StatusNotFound, code: "NoSuchKey", ec: "0026-00000001", message: "The specified key does not exist."}).
		with("Key", key)
}

func errNoSuchVersion(key, version string) *apiError {
	return (&apiError{status: http.StatusNotFound, code: "NoSuchVersion", message: "The specified version does not exist."}).
		with("Key", key).with("VersionId", version)
}

// ECs of NoSuchUpload, by the operation that meets it.
const (
	ecUploadPart = "0042-00000104"
	ecPartCopy   = "0042-00000311"
	ecComplete   = "0042-00000203"
	ecAbort      = "0042-00000002"
	ecListParts  = "0042-00000002"
)

func errNoSuchUpload(ec, uploadID string) *apiError {
	return (&apiError{status: http.StatusNotFound, code: "NoSuchUpload", ec: ec,
		message: "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed."}).
		with("UploadId", xmlSafe(uploadID))
}

func errFileAlreadyExists(ec string) *apiError {
	return &apiError{status: http.StatusConflict, code: "FileAlreadyExists", ec: ec,
		message: "The object you specified already exists and can not be overwritten."}
}

func errMethodNotAllowed(method, resource string, allowed ...string) *apiError {
	return (&apiError{status: http.StatusMethodNotAllowed, code: "MethodNotAllowed",
		message: "The specified method is not allowed against this resource."}).
		with("Method", method).with("ResourceType", resource).
		withHeader("Allow", strings.Join(allowed, ", "))
}

// errNotImplementedHeader is the answer to a header that a call cannot have.
func errNotImplementedHeader(header string) *apiError {
	return (&apiError{status: http.StatusBadRequest, code: "NotImplemented",
		message: "A header you provided implies functionality that is not implemented."}).
		with("Header", header)
}

// errNotImplemented is this server's own: OSS can do it, and osstest cannot.
func errNotImplemented(what string) *apiError {
	return &apiError{status: http.StatusNotImplemented, code: "NotImplemented",
		message: "osstest does not implement " + what + "."}
}

func errMissingContentLength() *apiError {
	return &apiError{status: http.StatusLengthRequired, code: "MissingContentLength",
		message: "You must provide the Content-Length HTTP header."}
}

func errEntityTooLarge(size int64) *apiError {
	return (&apiError{status: http.StatusBadRequest, code: "EntityTooLarge",
		message: "Your proposed upload exceeds the maximum allowed size."}).
		with("MaxSizeAllowed", strconv.FormatInt(maxPartSize, 10)).with("ProposedSize", strconv.FormatInt(size, 10))
}

func errMetadataTooLarge() *apiError {
	return &apiError{status: http.StatusBadRequest, code: "MetadataTooLarge",
		message: "Your metadata headers exceed the maximum allowed metadata size."}
}

func errMetadataName(header string) *apiError {
	header = strings.ToLower(header)
	return errInvalidArgument("0011-00000004", "The name of a user metadata header has an invalid character.", "x-oss-meta-*", header)
}

func errIncompleteBody() *apiError {
	return &apiError{status: http.StatusBadRequest, code: "IncompleteBody",
		message: "You did not provide the number of bytes specified by the Content-Length HTTP header"}
}

func errRequestTimeout() *apiError {
	return &apiError{status: http.StatusBadRequest, code: "RequestTimeout",
		message: "Your socket connection to the server was not read from or written to within the timeout period. Idle connections will be closed."}
}

// ECs of InvalidDigest.
const (
	ecDigestMalformed = "0017-00000502"
	ecDigestMismatch  = "0017-00000503"
)

func errInvalidDigest(ec string) *apiError {
	return &apiError{status: http.StatusBadRequest, code: "InvalidDigest", ec: ec,
		message: "The Content-MD5 you specified was invalid."}
}

func errInvalidEncryption(algorithm string) *apiError {
	return (&apiError{status: http.StatusBadRequest, code: "InvalidEncryptionAlgorithmError",
		message: "The Encryption Method specified is not supported."}).
		with("ArgumentName", "x-oss-server-side-encryption").with("ArgumentValue", algorithm)
}

func errMissingPartNumber() *apiError {
	return errInvalidArgument("0017-00000219", "Unexpected query string parameter", "ResourceType", "partNumber")
}

func errInvalidPartNumber(value string) *apiError {
	return errInvalidArgument("0017-00000220", "Part number must be an integer between 1 and 10000, inclusive.", "PartNumber", xmlSafe(value))
}

func errTrafficLimit(value string) *apiError {
	return errInvalidArgument("0004-00000502",
		"x-oss-traffic-limit is invalid, should be specified between 819200(100KB/s) and 838860800(100MB/s).", "x-oss-traffic-limit", value)
}

func errMalformedXML(ec string) *apiError {
	return &apiError{status: http.StatusBadRequest, code: "MalformedXML", ec: ec,
		message: "The XML you provided was not well-formed or did not validate against our published schema."}
}

func errInvalidPartOrder() *apiError {
	return &apiError{status: http.StatusBadRequest, code: "InvalidPartOrder", ec: "0042-00000209",
		message: "The list of parts was not in ascending order."}
}

func errInvalidPart(p listedPart, uploadID string) *apiError {
	return (&apiError{status: http.StatusBadRequest, code: "InvalidPart",
		message: "One or more of the specified parts could not be found or the specified entity tag might not have matched the part's entity tag."}).
		with("ETag", xmlSafe(p.ETag)).with("PartNumber", strconv.Itoa(p.PartNumber)).with("UploadId", uploadID)
}

func errEntityTooSmall(p *part) *apiError {
	return (&apiError{status: http.StatusBadRequest, code: "EntityTooSmall", ec: "0042-00000213",
		message: "Your proposed upload smaller than the minimum allowed size."}).
		with("MinSizeAllowed", strconv.Itoa(minPartSize)).
		with("ProposedSize", strconv.FormatInt(p.Size, 10)).
		with("PartNumber", strconv.Itoa(p.Number)).
		with("ETag", p.ETag)
}

func errCompleteAllWithBody() *apiError {
	return errInvalidArgument("0042-00000216", "Should not speficy both complete all header and http body.", "x-oss-complete-all", "yes")
}

// The wording of both is that of answers that users of OSS have published.

func errPartAlreadyExists(p *part) *apiError {
	return (&apiError{status: http.StatusConflict, code: "PartAlreadyExist", ec: "0042-00000108",
		message: "For sequential multipart upload, you can't overwrite uploaded parts."}).
		with("PartEtag", quoted(p.ETag)).with("PartNumber", strconv.Itoa(p.Number))
}

func errPartNotSequential(number int) *apiError {
	return (&apiError{status: http.StatusBadRequest, code: "PartNotSequential", ec: "0042-00000105",
		message: "For sequential multipart upload, you must upload or complete parts with sequential part number."}).
		with("PartNumber", strconv.Itoa(number))
}

func errPreconditionFailed(condition string) *apiError {
	return (&apiError{status: http.StatusPreconditionFailed, code: "PreconditionFailed",
		message: "At least one of the pre-conditions you specified did not hold."}).
		with("Condition", condition)
}

func errNotModified() *apiError {
	return &apiError{status: http.StatusNotModified, code: "NotModified", message: "The resource was not modified."}
}

func errInvalidRange(asked string, size int64) *apiError {
	return (&apiError{status: http.StatusRequestedRangeNotSatisfiable, code: "InvalidRange",
		message: "The requested range cannot be satisfied."}).
		with("ActualObjectSize", strconv.FormatInt(size, 10)).with("RangeRequested", asked).
		withHeader("Content-Range", "bytes */"+strconv.FormatInt(size, 10))
}

// errCallbackFailed is told although the object is stored.
func errCallbackFailed(reason string) *apiError {
	return &apiError{status: http.StatusNonAuthoritativeInfo, code: "CallbackFailed", ec: "0007-00000203", message: reason}
}

// errInternal is the answer to a failure of this server's own disk. Its cause
// goes along, for the reader of a failed test.
func errInternal(cause error) *apiError {
	return (&apiError{status: http.StatusInternalServerError, code: "InternalError",
		message: "Please contact the server administrator, oss@service.aliyun.com."}).
		with("Cause", cause.Error())
}

// xmlSafe drops what XML cannot carry from a value that a client sent.
func xmlSafe(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' || r == 0xFFFE || r == 0xFFFF {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}
