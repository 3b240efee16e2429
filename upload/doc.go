// Package upload brings media files to Alibaba Cloud OSS, whatever the network, the
// token or the process do meanwhile.
//
// A [Client] keeps a list of files. It splits each into parts, sends parts of
// several files at a time, retries what may pass, and keeps a checkpoint, so that a
// later process goes on where this one was killed. Callbacks tell what happens.
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
// [Client.Start] begins with the first, and [Client.Wait] returns when nothing is
// left to do; AddFile on a running client goes on by itself. STATES.md beside this
// file draws the states of a client and of a file, and what moves them.
//
// # Resuming
//
// A file of more than one part has a checkpoint on disk while it is under way: the
// upload ID, before the first part is sent, and each part that the server acknowledged:
// within 50 ms for a process that is killed, within 100 ms and the time that the disk
// takes to sync for a loss of power. Adding the same file with the same destination again, in
// this process or a later one, goes on with it: a part is sent again only if
// number, size, ETag and CRC64 do not agree between checkpoint and server. A file whose
// inode, device and times are all as they were, or a [Source] with the same
// fingerprint, vouches for its bytes. Where nothing does, after a copy, a restored
// backup, a touch or a chmod, on a system without change times (Windows), or in an
// [io/fs.FS] that tells less, the recorded parts are read and compared, and those with
// other bytes are sent again. A source of another size starts over, and what was sent
// of it is aborted; the log says so. After success nothing is left on disk. Where the checkpoints are kept, and what a store of your
// own has to do, tells package checkpoint.
//
// Where no checkpoint can be kept, for want of disk space or permission, the file
// fails with [ErrCheckpoint] before anything of it is sent; where one cannot be kept
// any more half way, the file fails then, and the next run finds at the server what
// was sent. With Options.CheckpointsOptional it goes on without, and a warning goes to
// the Logger. To keep none on purpose, give Options.Checkpoints a
// checkpoint.NewMemory().
//
// A second client or process that begins the same upload in parts gets [ErrInUse].
//
// # Integrity
//
// The CRC64 of each part is computed as the part is read, and compared with what the
// server computed; those of all parts, combined, are compared with that of the
// finished object. A file that changes while it is uploaded fails with
// [ErrFileChanged]: no object is made of two versions. (Of a file of one part, it may
// be there although the file failed, if the modification time was set back as well.)
// [Result.Verified] tells whether the server told its CRC64.
//
// # Credentials
//
// Options.Credentials is asked for credentials, and again when they expire; sts.Default
// finds those of the machine. Without it, [Client.Init] gives the first, OnTokenExpired
// asks for the next, and [Client.ResumeWithToken] gives them. Either way an expired token costs no part and
// no retry: the files wait, one request for a new token is made however many parts
// met the old one, and the same uploads go on. A token counts as expired when the
// server says so, or shortly before its Expiration. Without the right to do
// something (AccessDenied) the file fails; that is not expiry. [Client.SetToken]
// gives one file credentials of its own.
//
// # Media services
//
// With Options.Authorizer, files are added without a destination: ApsaraVideo VOD
// makes a video of each and says where its bytes go. What was made is remembered as
// the parts are, so that a retry or a crash does not make it twice. Package vod has
// that Authorizer, and says when to take which mode.
//
// # Retries
//
// What may pass by itself is tried again, Options.RetryCount times with growing
// pauses: network errors, overload and server errors, a checksum that does not
// match, an answer that cannot be read. OnRetry tells of each. A connection on which
// nothing moves for Options.StallTimeout is given up, and its request tried again.
// FAULTS.md beside this file tells what becomes of an upload in each case.
//
// A process that has too many files and sockets open (EMFILE, ENFILE) is no fault of the
// network: what cannot be opened is tried again for 10 minutes, without counting as a
// retry. A file that waits for its first token holds no descriptor, and no more files are
// started than the limit of the process (RLIMIT_NOFILE when the client was made) has
// room for.
//
// # Events
//
// See [Callbacks]. Each file that was started gets exactly one of OnSucceeded,
// OnFailed and OnCanceled.
//
// # Errors
//
// What ends a file is an [*Error]: the step, the file, the part, the code and
// request ID of OSS, and the cause. [errors.Is] finds the sentinels of this package
// in it. [Client.Wait] returns all of them as [Errors]. No text of an error, a log
// line or a checkpoint holds a secret.
//
// # Concurrency
//
// Options.Parallel is how many requests are in flight over all files. No slot stays
// empty while a file of the list has something to send; files are started in the
// order of the list. At most 256 files are started at a time (twice Parallel if that is
// more): so many may wait for a token or a destination before others have to wait.
// Memory does not grow with the size of parts or files: parts are read from the file as
// they are sent; only those of a Reader are held in memory. All methods may be called
// from any goroutine.
//
// # Ending and going on
//
// A program that is told to end closes the client: checkpoints stay, and the files that
// were under way end with [ErrClosed], which is no failure of theirs. The next run adds
// the same files again and goes on where they were; see the example of Client.Close.
package upload
