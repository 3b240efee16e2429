// Package filelist decides which file of a client is in which state, which one
// starts next, and what Wait waits for.
//
// It is pure: no lock, no clock, no goroutine, no context and no I/O. A [List] takes
// commands of the user (Add, Do, Cancel, Delete, Retry) and reports of runs and
// clean-ups (Progress, Ended, Cleaned), and answers with [Effect] values that its
// owner carries out in their order. The owner guards it with one lock.
//
// # Lanes
//
// Files of the queue are started by AddFile's order while the client is started, each
// with a slot from the budget of requests. Direct files, those of Client.Upload, are
// started in every state but paused and closed, before the queue, and up to
// [Limits].Parallel of them without a slot: the queue could hold all slots for as long
// as it lasts.
//
// # Phases
//
// A file's [FileState] is what users see. Its [Phase] is what is happening to it:
//
//	idle         nothing; it has ended, or the client does not start files
//	waiting      for its turn
//	running      a run works on it
//	interrupted  its run was interrupted, and has not ended yet
//	cleaning     what it left at the server and on disk is being removed, or will be
//
// # Namesakes
//
// A deleted file that is still running or cleaning holds its key. A file that is added
// with the same key meanwhile waits until the key is free, so that the two do not work
// on one checkpoint.
//
// # Groups
//
// A file of a [Group] waits until the files of lower ranks have succeeded. It keeps its
// state meanwhile. Where one of them has ended without success, and nothing of the lower
// ranks is left to come, the file fails with a [*GroupError]: the list must not stay
// unfinished for want of a decision of the user's. Setting back the file that is named,
// then the one that waited, has both uploaded.
package filelist
