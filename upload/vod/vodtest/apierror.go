package vodtest

import "net/http"

// An apiError is a refusal of VOD.
type apiError struct {
	status  int
	code    string
	message string
}

// The refusals, as the VOD documentation (error codes of each call) and the error
// center of the RPC gateway word them.
var refusals = []*apiError{
	{404, "InvalidAction.NotFound", "Specified api is not found, please check your url and method."},
	{400, "InvalidVersion", "Specified parameter Version is not valid."},
	{400, "InvalidSignatureMethod", "Specified signature method is not valid."},
	{404, "InvalidAccessKeyId.NotFound", "Specified access key is not found."},
	{400, "InvalidSecurityToken.Expired", "Specified SecurityToken is expired."},
	{400, "SignatureNonceUsed", "Specified signature nonce was used already."},
	{400, "InvalidTimeStamp.Format", "Specified time stamp or date value is not well formatted."},
	{400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired."},
	{400, "InvalidFileName.Extension", "The specified FileName's extension is illegal."},
	{400, "IllegalCharacters", "The specified parameter contains illegal emoticon or special characters."},
	{400, "LengthExceededMax", "The specified parameter length has exceeded max value."},
	{400, "TagsExceededMax", "The specified Tags count has exceeded max value."},
	{400, "InvalidParameter", "The specified parameter is not valid."},
	{404, "InvalidVideo.NotFound", "The video does not exist."},
	{400, "InvalidVideo.Damaged", "The video has been damaged."},
	{404, "InvalidTemplateGroupId.NotFound", "The TemplateGroupId does not exist."},
	{404, "InvalidStorage.NotFound", "The StorageLocation does not exist."},
	{403, "Forbidden", "User not authorized to operate on the specified resource."},
	{403, "Forbidden.InitFailed", "Initialization of the account's VOD service has failed while opening service."},
	{403, "OperationDenied", "Your account does not open VOD service."},
	{403, "OperationDenied.Suspended", "Your VOD service is suspended."},
	{400, "Throttling.User", "Request was denied due to user flow control."},
	{500, "InternalError", "The request processing has failed due to some unknown error, exception or failure."},
	{503, "ServiceUnavailable", "The request has failed due to a temporary failure of the server."},
	{503, "AddVideoFailed", "An error occurred while adding the video."},
}

// refusal returns the one with the given code, or one of status 400 for a code that
// this server has no words for.
func refusal(code string) *apiError {
	for _, r := range refusals {
		if r.code == code {
			return r
		}
	}
	return &apiError{http.StatusBadRequest, code, "The request was refused."}
}

// missing is the refusal of a call that lacks a parameter.
func missing(name string) *apiError {
	return &apiError{http.StatusBadRequest, "Missing" + name, name + " is mandatory for this action."}
}
