// Package upload uploads media files to Alibaba Cloud OSS, whatever happens to the
// network, the token or the process in the meantime.
//
// A [Client] keeps a list of files. It splits each into parts, sends the parts of
// several files at a time, retries what may succeed later, and keeps a checkpoint, so
// that a later process resumes where this one was killed. Callbacks report what happens.
//
//	client, err := upload.New(&upload.Options{Credentials: provider})
//	...
//	defer client.Close()
//	result, err := client.Upload(ctx, upload.File{
//		Path:     "talk.mp4",
//		Endpoint: "oss-cn-hangzhou.aliyuncs.com",
//		Bucket:   "media",
//		Object:   "in/talk.mp4",
//	})
//
// [Client.Upload] is for one file. For many, [Client.AddFile] fills the list,
// [Client.Start] starts them in order, and [Client.Wait] returns when nothing is left to
// do. A file that is added to a running client starts by itself. [Client.Files] returns the
// list, and [Client.All] iterates over a long one. An [ObjectOptions] has the properties of
// the object, from Content-Type to encryption; all files of a list may share one.
//
// # States
//
// [Client.Pause], [Client.Stop], [Client.CancelFile], [Client.DeleteFile] and
// [Client.ClearFiles] return at once, while requests in flight are still being
// interrupted: after Stop, Wait returns when they have ended; after a cancel, OnCanceled is
// called. STATES.md beside this file draws the states of a client and of a file, and what
// changes them. [Client.Status] returns StateExpired for a started client that waits for a
// new token.
//
// # Folders
//
// [Client.AddDir] adds the files of a folder, and leads nowhere out of it, whatever links
// there are. With File.IfExists, files whose objects exist are skipped, or those whose
// objects have the same bytes, size or date, or they fail; of a folder of which most is there, a list of
// the bucket costs one request for each thousand files. A [Group] has files wait for
// others: with AddDirOptions.PlaylistsLast the segments of an HLS or DASH stream are all
// stored before the playlists that name them.
//
// # Resuming
//
// A file of more than one part has a checkpoint on disk while its upload is under way. It
// has the upload ID before the first part is sent, and then each part that the server
// acknowledged: within 50 ms where the process is killed; where the power fails, within
// 100 ms and the time that the disk takes to sync. Adding the same file with the same
// destination again, in this process or a later one, resumes the upload. A part is sent
// again only if number, size, ETag and CRC64 do not agree between checkpoint and server.
//
// The recorded parts count if the source vouches for its bytes: a file whose inode, device
// and times are all unchanged, or a [Source] with the same fingerprint (package
// upload/source has one for files on a web server, read by ranges). Otherwise (after a
// copy, a restored backup, a touch or a chmod; on a system without change times, which
// Windows is; in an [io/fs.FS] that has no inodes and change times) the recorded parts are
// read and compared, and those with other bytes are sent again. A source of another size
// starts over: the log says so, and what was sent of it is aborted.
//
// After success nothing is left on disk. Package checkpoint documents where checkpoints
// are kept and how to write your own store.
//
// If no checkpoint can be kept, for lack of disk space or permission, the file fails with
// [ErrCheckpoint] before any of it is sent. If that happens half way, the file fails then,
// and the next run asks the server what was sent. With Options.CheckpointsOptional the
// upload continues without a checkpoint, and the Logger gets a warning. To keep none on
// purpose, set Options.Checkpoints to a checkpoint.NewMemory().
//
// A second client or process that starts the same upload in parts gets [ErrInUse].
//
// # Many machines
//
// Machines that share a store of checkpoints ([checkpoint.Shared], package
// upload/fleet/jetstream has one) resume each other's uploads: where one dies, another
// continues with the very same upload ID, as soon as the lease of the first has ended. A
// file waits for that, see Options.ClaimWait; FileInfo.Waiting and a warning in the log
// name the holder. Give files of a shared file system a File.SourceName.
//
// A machine that was stopped, or cut off from the store, for two thirds of its lease has
// lost its claim. What it has in flight is ended, the file fails with [ErrClaimLost], and
// nothing is sent for it any more that changes an object or an upload: before each
// InitiateMultipartUpload, CompleteMultipartUpload and AbortMultipartUpload, and before the
// last bytes of each PutObject, the store is asked whether the claim still holds. What
// remains is one request that is on its way when the machine is stopped: OSS does not know
// of claims. Where each object has a name of its own, IfExists Fail closes that gap, too.
// In the night: somebody else has the file, or nobody. Look for it at the other machines
// and at the object before you resume it; then look why the machine did not renew its
// lease (stopped, swapping, cut off, its clock set forward).
//
// The store is asked for liveness and thrift only, never about bytes: what it loses costs
// that parts are sent again, or an upload that [Client.Sweep] finds. A Sweep of the
// server's list knows the uploads of all machines that share the store, and of no others.
// [Result].CompletedByOther says that another machine made the object just before.
//
// # Integrity
//
// The CRC64 of each part is computed while the part is read, and compared with the one
// that the server computed. Those of all parts are combined and compared with that of the
// finished object; [Result.Verified] reports whether the server returned one. [Client.Stat]
// returns that of an object at any later time, [NewCRC64] computes it, and [Client.Objects]
// lists what a bucket has. A file that changes during its upload fails with [ErrFileChanged]:
// no object is made of two versions. (A file of one part may be stored although it failed, if
// its modification time was set back as well.)
//
// One case is beyond what a client sees: a PutObject whose bytes the network altered, which
// was given up after a long silence, and which reaches the server only after the right one.
// [Client.Stat] shows it, some minutes later.
//
// # Credentials
//
// Options.Credentials is asked for credentials, and again when they expire; sts.Default
// finds those of the machine. Without it, [Client.Init] sets the first, OnTokenExpired
// asks for the next, and [Client.ResumeWithToken] sets them. Either way an expired token
// costs no part and no retry: the files wait, one request for a new token is made however
// many parts met the old one, and the same uploads continue. A token has expired when the
// server says so, or shortly before its Expiration. Where a permission is missing
// (AccessDenied) the file fails; that is not expiry. [Client.SetToken] sets credentials
// for one file. File.Credentials gives a file a Provider of its own, which the files that
// give the same one share: one client uploads into the buckets of many customers.
//
// # Media services
//
// With Options.Authorizer, files are added without a destination: ApsaraVideo VOD creates
// a video for each and returns where to upload it. The video is recorded as the parts are,
// so that a retry or a crash does not create another. Package vod has such an Authorizer,
// and documents which mode to choose. Where only another program may call VOD, it gives
// this one an address and an auth for each file: [Client.SetUploadAuthAndAddress].
//
// # Telling a backend
//
// OSS can tell a server of yours that an object is stored ([Callback]). That server has to
// know that it is OSS who says so, and that it is about an upload of yours: package
// osscallback verifies both. Package vod has the same for the notifications of VOD.
//
// # Retries
//
// What may succeed later is retried up to Options.RetryCount times with growing pauses:
// network errors, overload and server errors, a checksum that does not match, an answer
// that cannot be read. OnRetry reports each. A request that makes no progress for
// Options.StallTimeout is ended and retried.
//
// An outage is the endpoint's and not the file's. Where an endpoint has answered before,
// and now nothing gets through to it but network errors, 502, 503 and 504, its files wait,
// without a slot and without spending retries, and one request at a time is made to see
// whether it is back: 2 s after the begin, then a twentieth of the outage apart, up to 15 s.
// Then all continue at once. Options.OutageWait bounds that. FAULTS.md beside this file lists how an
// upload ends for each fault in each request, and for faults of its source.
//
// A process that has too many files and sockets open (EMFILE, ENFILE) does not blame the
// network: what cannot be opened is tried again for 10 minutes, without counting as a
// retry. A file that waits for its first token holds no descriptor, and no more files are
// started than the limit of the process (RLIMIT_NOFILE when the client was made) has
// room for.
//
// # Events
//
// See [Callbacks]. Each file that was started gets exactly one of OnSucceeded,
// OnFailed and OnCanceled. File.Tag, a value of yours, comes back in each [FileInfo], and
// File.OnProgress reports the progress of one file. A callback that cannot get what its
// file needs, a destination for example, ends it with [Client.FailFile].
//
// Options.Observer is for programs that measure: an [Observer] sees each file and each
// request begin and end. Package dashboard draws a page of what it sees, and the module
// upload/otelupload makes metrics and traces of it for OpenTelemetry; [MultiObserver]
// combines the two.
//
// # Waiting
//
// A file that waits says so: FileInfo.Waiting has what it waits for (credentials, a
// destination, the network, a pause that the server asked for, a claim that another client
// has, a namesake, or lower ranks of its group), since when, and what the last attempt to
// get it failed with; OnWaiting is called with the same. That holds for files that are kept
// from being started, too; those that only wait for their turn have none. A [Waiting] is
// printed as one line. Where a context ends first, the error of Upload, Wait
// or the file names what was waited for. A Provider's error that does not pass by itself
// (see sts.Permanent: 401, 403, 404, an answer that cannot be read) ends the wait within
// seconds, and [Client.Start] refuses to start files whose credentials nobody could give.
//
// # Errors
//
// The error of a file is an [*Error], in FileInfo.Err too: the request, the file, the
// part, the code and request ID of OSS, and the cause. [errors.Is] finds the sentinels of
// this package in it. [Client.Wait] returns those of all files as [Errors]. No error, log
// line or checkpoint contains a secret. TROUBLESHOOTING.md, beside this package's source,
// says what to do about each.
//
// # Concurrency
//
// Options.Parallel is the number of requests in flight over all files. No slot stays
// empty while a file of the list has something to send; files are started in the
// order of the list. At most 256 files are started at a time (twice Parallel if that is
// more): while so many wait for a token or a destination, no other file starts. Memory
// does not grow with the size of parts or files: parts are read from the file as they are
// sent, and only those of a Reader are held in memory. All methods may be called from any
// goroutine.
//
// # Tests
//
// Package osstest is an OSS in the process of a test, and package uploadtest has options
// that retry within milliseconds and leave nothing on the machine.
//
// # Shutting down
//
// Before a program exits, it closes the client: checkpoints stay, and the files that were
// under way end with [ErrClosed], which is no fault of theirs. The next run adds the same
// files again and resumes; see the example of Client.Close. [Client.Shutdown] is Close with
// a context; neither waits until files are uploaded, which is what Wait does.
//
// # Running for months
//
// [Client.SetParallel] and [Client.SetBandwidthLimit] change the limits while files are
// uploaded, and [Client.FollowTimetable] has the bandwidth follow the time of day. With
// Options.ForgetEnded, files leave the list when they have ended, so that it does not grow
// and the same file can be added again. Without it, one that has ended keeps at
// most 400 bytes, names of 130 characters included, and what Options.ForgetEnded says
// beside. Wait reports what failed since the last Wait. In a
// container, Options.CheckpointDir has to be on a volume, or Options.Checkpoints a store
// that machines share: otherwise checkpoints end with the container.
//
// # For services
//
// A service makes one client for as long as it runs, and calls Start once. Then
//
//   - [Client.Upload] is for a caller who waits for one file, as the handler of a request
//     does. A body is passed on while it arrives, without a temporary file, as File.Reader
//     with File.Size: examples/webstream does so, and sends the progress to the browser.
//   - [Client.AddFile] is for files that wait their turn in the list: [Client.WaitFile]
//     returns the result of one of them; callbacks find the job that it belongs to in
//     File.Tag.
//   - File.Credentials has the Provider of each customer. Files that wait for credentials
//     count as started (see Concurrency): give a customer's Provider a timeout, so that one
//     whose token server is down does not keep others from being started.
//   - Options.ForgetEnded keeps the list short. A WaitFile that begins after its file has
//     left the list is too late: use Upload, or the callbacks, where that may be.
//   - Wait is not needed: it returns when the whole list has ended, which may be never.
//   - Options.CheckpointDir is on a volume, so that the next container resumes.
//   - On SIGTERM, [Client.Shutdown] ends what is under way within its context, and keeps the
//     checkpoints. Files of a Reader fail with [ErrClosed], and nothing of them stays.
//
// # Coming from the mobile and web clients
//
// The programs for Android, iOS and the web that upload to a bucket with a token look the
// same here; Example (MobileClient) is one of them, line by line. Package vod has the table
// for ApsaraVideo VOD.
//
//	theirs                                          here
//	new VODUploadClientImpl(…), new VODUpload({…})  New(&Options{Callbacks: …})
//	new AliyunUpload.Vod({…})                       New(&Options{Callbacks: …})
//	VODUploadCallback, VODUploadListener            Callbacks
//	HTTP GET of the app server, JSON                sts.NewHTTP, as Options.Credentials
//	init(id, secret, token, expiration)             Init(sts.Credentials{…}); not with a Provider
//	addFile(path, endpoint, bucket, object)         AddFile(File{Path, Endpoint, Bucket, Object})
//	addFile(…, vodInfo), addFile(…, userData)       File.Info
//	start(), startUpload()                          Start(ctx), and Wait(ctx) before the program ends
//	pause(), resume(), stop(), stopUpload()         Pause, Resume, Stop
//	resumeWithToken(id, secret, token, expiration)  ResumeWithToken(sts.Credentials{…})
//	setSTSToken(info, …)                            SetToken(f.ID, …)
//	deleteFile(i), clearFiles(), cleanList()        DeleteFile(id), ClearFiles
//	cancelFile(i), resumeFile(i), listFiles()       CancelFile(id), ResumeFile(id), Files
//	onUploadStarted(info), onUploadstarted(info)    OnStarted(c, f)
//	onUploadSucceed(info)                           OnSucceeded(c, f, result)
//	onUploadFailed(info, code, message)             OnFailed(c, f, err): the code is in [Error]
//	onUploadProgress(info, uploaded, total)         OnProgress(c, f, uploaded, total)
//	onUploadTokenExpired(info)                      OnTokenExpired(c, f); not with a Provider
//	onUploadRetry(info, code, message)              OnRetry(c, f, retry)
//	onUploadRetryResume(info)                       OnRetryResume(c, f)
//	onUploadCanceled(info), onUploadEnd()           OnCanceled(c, f), OnFinished(c)
//	partSize, parallel                              Options.PartSize, Options.Parallel
//	retryCount, retryDuration                       Options.RetryCount, Options.RetryInterval
//
// What is different: files have a [FileID], which no other file ever gets, in place of an
// index. The boolean that Android's onUploadStarted returns has no counterpart: CancelFile
// in OnStarted refuses a file. Several files are sent at a time, and each may wait without
// holding up the others. The web client gives onUploadProgress the total first, and since
// 1.3 a fraction in place of bytes. An upload resumes in a later process, too. resumeFile
// continues where the file failed, and does not only set it back. The same file to the
// same destination is refused while it is in the list, not afterwards.
package upload
