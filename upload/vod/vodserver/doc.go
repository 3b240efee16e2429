// Package vodserver hands out addresses and auths of ApsaraVideo VOD to a program's users:
// what sts/appserver is for tokens of STS, it is for uploads by VOD. A phone, a browser or
// a client of package upload asks it for a video, uploads with what it gets, and asks for
// a fresh auth when that expires. None of them can call VOD, or send anything but the one
// file.
//
//	gate, err := appserver.NewGate(&appserver.Options{Authenticate: whoAsks})
//	...
//	handler, err := vodserver.New(vodClient, gate, nil)
//	...
//	http.Handle("/vod/", http.StripPrefix("/vod", handler))
//
// # Requests
//
//	POST /CreateUploadVideo    Title, FileName; FileSize, Description, CateId, Tags, CoverURL
//	POST /CreateUploadImage    ImageExt, ImageType, Title, Description, CateId, Tags
//	POST /RefreshUploadVideo   VideoId
//
// Parameters have VOD's names, in any case, and stand in the query, in a form or in a JSON
// object. A GET of RefreshUploadVideo is answered too, since it changes nothing; a GET of
// the others is not. Parameters that decide what the account pays for, and whom VOD calls
// (TemplateGroupId, WorkflowId, StorageLocation, AppId, UserData), are refused: the program
// sets them in [Options.Check]. Others are ignored.
//
// # Answers
//
// A success is what VOD answered, as the clients for mobile and the web take it:
//
//	RequestId, VideoId, UploadAddress, UploadAuth
//	RequestId, ImageId, ImageURL, FileURL, UploadAddress, UploadAuth
//
// with StatusCode and status 200. A failure has the form of package appserver: StatusCode
// and status, ErrorCode, ErrorMessage and RequestId, under its own HTTP status. What VOD
// says beyond its code is in the log only.
//
// # Who may do what
//
// The gate, one of package appserver, says who asks: see there for its rules about host
// names, pages of other sites, and limits. [Options.Check] sees each request to create
// something, and may refuse or change it.
//
// Whoever may refresh a video may overwrite its file. So only the user for whom a video was
// made can: the handler knows that of the last 10,000 videos that it has made. A program
// that runs more than once, or for longer, remembers it itself: [Options.Created] and
// [Options.MayRefresh].
//
// # Secrets
//
// Neither the log nor an error nor a failure's answer has a secret in it.
package vodserver
