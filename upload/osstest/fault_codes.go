package osstest

import (
	"maps"
	"net/http"

	"github.com/vodupload/vodupload/upload/osstest/internal/osserr"
	"github.com/vodupload/vodupload/upload/osstest/internal/sign"
)

// apiError returns the answer that a fault gives to a call.
func (f *faultSpec) apiError(req *request) *osserr.Error {
	e := *codeError(f.code, req)
	if f.status != 0 {
		e.Status = f.status
	}
	e.Header = e.Header.Clone()
	if e.Header == nil {
		e.Header = http.Header{}
	}
	maps.Copy(e.Header, f.header)
	return &e
}

// codeError returns the error with a code, as OSS would answer req with it.
func codeError(code string, req *request) *osserr.Error {
	if e := codesOfCalls(code, req); e != nil {
		return e
	}
	if e, ok := plainCodes[code]; ok {
		return &osserr.Error{Status: e.status, Code: code, EC: e.ec, Message: e.message}
	}
	return &osserr.Error{Status: http.StatusInternalServerError, Code: code, Message: code}
}

// codesOfCalls returns an error that has details of the call, or nil.
func codesOfCalls(code string, req *request) *osserr.Error {
	switch code {
	case "NoSuchUpload":
		return osserr.NoSuchUpload(noSuchUploadECs[req.op], req.uploadID)
	case "NoSuchBucket":
		return osserr.NoSuchBucket(req.bucket)
	case "NoSuchKey":
		return osserr.NoSuchKey(req.key)
	case "MethodNotAllowed":
		return osserr.MethodNotAllowed(req.Method, "OBJECT", http.MethodGet)
	case "FileAlreadyExists":
		ec := "0026-00000002"
		if req.op == OpCompleteMultipartUpload {
			ec = "0042-00000214"
		}
		return osserr.FileAlreadyExists(ec)
	case "InvalidAccessKeyId":
		return osserr.InvalidAccessKeyID(sign.AccessKeyID(req.Request))
	case "SecurityTokenExpired":
		return osserr.SecurityTokenExpired(sign.SecurityToken(req.Request))
	case "InvalidSecurityToken":
		return osserr.InvalidSecurityToken(sign.SecurityToken(req.Request))
	case "RequestTimeTooSkewed":
		requested, _, _ := sign.RequestTime(req.Request)
		return osserr.TimeTooSkewed(requested, req.start)
	}
	return nil
}

var noSuchUploadECs = map[Op]string{
	OpUploadPart:              osserr.ECUploadPart,
	OpUploadPartCopy:          osserr.ECPartCopy,
	OpCompleteMultipartUpload: osserr.ECComplete,
	OpAbortMultipartUpload:    osserr.ECAbort,
}

type plainCode struct {
	status      int
	ec, message string
}

// plainCodes are the other errors of OSS, as its documentation lists them by
// HTTP status code. An EC that it does not give is left out.
var plainCodes = map[string]plainCode{
	"CallbackFailed": {203, "0007-00000203", "Error status : 502."},

	"EntityTooLarge":   {400, "", "Your proposed upload exceeds the maximum allowed size."},
	"EntityTooSmall":   {400, "0042-00000213", "Your proposed upload smaller than the minimum allowed size."},
	"IncompleteBody":   {400, "", "You did not provide the number of bytes specified by the Content-Length HTTP header"},
	"InvalidArgument":  {400, "", "Invalid argument."},
	"InvalidDigest":    {400, osserr.ECDigestMismatch, "The Content-MD5 you specified was invalid."},
	"InvalidPart":      {400, "", "One or more of the specified parts could not be found or the specified entity tag might not have matched the part's entity tag."},
	"InvalidPartOrder": {400, "0042-00000209", "The list of parts was not in ascending order."},
	"MalformedXML":     {400, "0042-00000205", "The XML you provided was not well-formed or did not validate against our published schema."},
	"NotImplemented":   {400, "", "A header you provided implies functionality that is not implemented."},
	"RequestTimeout":   {400, "", "Your socket connection to the server was not read from or written to within the timeout period. Idle connections will be closed."},

	"AccessDenied":                        {403, "", "AccessDenied"},
	"AccessKeyIdAndSecurityTokenNotMatch": {403, "0002-00000004", "The OSS access key id and security token you provided does not match."},
	"InvalidObjectState":                  {403, "", "The operation is not valid for the object's state."},
	"SignatureDoesNotMatch":               {403, "0002-00000040", "The request signature we calculated does not match the signature you provided. Check your key and signing method."},
	"UserDisable":                         {403, "0003-00000801", "UserDisable"},

	"FileImmutable":        {409, "", "The object you specified is immutable."},
	"PartAlreadyExist":     {409, "", "For sequential multipart upload, you can't overwrite uploaded parts."},
	"PreconditionFailed":   {412, "", "At least one of the pre-conditions you specified did not hold."},
	"MissingContentLength": {411, "", "You must provide the Content-Length HTTP header."},

	"InternalError": {500, "", "Please contact the server administrator, oss@service.aliyun.com."},

	"ActiveRequestLimitExceeded":       {503, "", "Active request limit is exceeded."},
	"DownloadTrafficRateLimitExceeded": {503, "", "Please reduce your upload request traffic."},
	"MetaOperationQpsLimitExceeded":    {503, "", "Max meta operation qps limit is exceeded."},
	"QpsLimitExceeded":                 {503, "", "Max qps limit is exceeded."},
	"ServiceUnavailable":               {503, "", "Thread pool is almost full, please retry later."},
	"TotalQpsLimitExceeded":            {503, "", "Max total qps limit is exceeded."},
	"UploadTrafficRateLimitExceeded":   {503, "", "Please reduce your upload request traffic."},
}
