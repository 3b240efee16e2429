// Package vod uploads by way of ApsaraVideo VOD: the service makes a video of each
// file, and says where its bytes go and with which credentials.
//
//	client, err := vod.NewClient(provider, &vod.ClientOptions{Region: "cn-shanghai"})
//	...
//	authorizer, err := vod.NewAuthorizer(client, nil)
//	...
//	uploads, err := upload.New(&upload.Options{Authorizer: authorizer})
//	...
//	result, err := uploads.Upload(ctx, upload.File{
//		Path: "talk.mp4",
//		Info: &upload.Info{Title: "A talk"},
//	})
//	fmt.Println(result.VideoID)
//
// # Which mode to take
//
// There are three ways to bring a file to Alibaba Cloud with package upload.
//
// OSS direct: the file is added with endpoint, bucket and object, and the client has
// credentials for that bucket. Take it if the bucket is yours: the objects are for
// your own use, or a workflow of the Media Processing Service (MPS) starts on them.
// This package is not needed.
//
// VOD with auths: the file is added without a destination. Some other program, which
// alone may call VOD, makes the video and hands over its ID, UploadAddress and
// UploadAuth; OnStarted gives them to [upload.Client.SetUploadAuthAndAddress], and
// OnTokenExpired gives a fresh UploadAuth for FileInfo.VideoID to
// [upload.Client.ResumeWithAuth]. Take it if the machine that uploads must not be able to
// do anything but that. The other program uses [Client.CreateUploadVideo] and
// [Client.RefreshUploadVideo], and sends the [Handover] of what they return: printed or
// encoded in any other way, an UploadAuth says "[hidden]". Package vodserver is such a
// program as an [net/http.Handler], with a rule for who may ask for what.
//
// VOD with STS: the file is added without a destination, and Options.Authorizer is an
// [Authorizer] with STS credentials that may call VOD. Take it for all else: videos
// are made, credentials renewed and uploads resumed without a line of yours.
//
// # One video for one file
//
// The ID of a video is durable before the first byte of the file is sent, and a run
// after a crash, a Pause or a failure resumes with the same video and the parts that
// are there. VOD has no way to repeat CreateUploadVideo without making a second
// video. So a call whose answer was lost is not repeated: the file fails with
// [upload.ErrAnswerLost], in this process or, if it was killed at that moment, in the
// next, and whoever tries again then has decided to. Refusals that may pass
// (throttling, overload) are tried again.
//
// If the video was deleted meanwhile (InvalidVideo.NotFound), a new one is made.
// Images cannot be resumed: each run makes a new one. A canceled file leaves a video
// without bytes in the media library: this package deletes no video.
//
// # Hearing from VOD
//
// VOD notifies a server of yours when a video was uploaded, transcoded and so on. A
// [Receiver] verifies that it is VOD who does, and returns typed events.
//
// # Coming from another client
//
//	Android and iOS               web                            here
//	init(callback)                -                              OnStarted: SetUploadAuthAndAddress
//	init(key, secret, token, …)   setSTSToken                    NewClient, NewAuthorizer, Options.Authorizer
//	addFile(path, vodInfo)        addFile(file, …, userData)     AddFile(upload.File{Path, Info})
//	addFile(path, endpoint, …)    setSTSTokenDirectlyUpload      AddFile with Endpoint, Bucket, Object
//	setUploadAuthAndAddress       setUploadAuthAndAddress        SetUploadAuthAndAddress
//	resumeWithAuth                resumeUploadWithAuth           ResumeWithAuth
//	resumeWithToken               resumeUploadWithSTSToken       nothing: the provider of NewClient is asked
//	deleteFile, clearFiles        deleteFile, cleanList          DeleteFile, ClearFiles
//	cancelFile, resumeFile        cancelFile, resumeFile         CancelFile, ResumeFile
//	listFiles                     listFiles                      Files
//	start, stop                   startUpload, stopUpload        Start, Stop
//	pause, resume                 stopUpload, startUpload        Pause, Resume
//	setPartSize                   partSize                       Options.PartSize
//	setTranscodeMode(false)       -                              Info.NoProcess
//	setTemplateGroupId            userData                       AuthorizerOptions.TemplateGroupID
//	setWorkflowId                 userData                       AuthorizerOptions.WorkflowID
//	setStorageLocation            userData                       AuthorizerOptions.StorageLocation
//	setAppId                      userData                       AuthorizerOptions.AppID
//	setRegion                     region                         ClientOptions.Region
//	onUploadStarted               onUploadstarted                OnStarted
//	onUploadProgress              onUploadProgress               OnProgress
//	onUploadSucceed               onUploadSucceed                OnSucceeded, Result.VideoID
//	onUploadFailed                onUploadFailed                 OnFailed
//	onUploadTokenExpired          onUploadTokenExpired           OnTokenExpired, without an Authorizer; FileInfo.VideoID
//	onUploadRetry, …RetryResume   -                              OnRetry, OnRetryResume
//	-                             onUploadCanceled, onUploadEnd  OnCanceled, OnFinished
//
// # Errors
//
// What VOD refuses is an [openapi.Error] with its code and request ID; [errors.Is]
// finds the sentinels of this package in it. What is checked here before anything is
// sent is [ErrParameter]. A file that fails because of VOD has VOD's code in its
// [upload.Error]. No text holds a secret.
//
// Package vodtest has the service in this process, for tests.
package vod
