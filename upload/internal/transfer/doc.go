// Package transfer brings the bytes of one source to one object.
//
// A [Session] composes the steps. What a step decides is a pure function over
// plain values, with a table test: the plan of the parts ([NewPlan]), what is left
// to send after a resume (reconcile), how an error is answered (budget, over the
// classes of package wire), whether an object is the one that was meant
// (matches), which uploads are leftovers (candidates). Reading, sending and keeping
// checkpoints stand around them.
//
// # One upload
//
// A source that fits into one part goes by PutObject. A larger one claims its
// checkpoint, resumes the recorded upload or initiates a new one, sends the parts
// that are missing, and completes:
//
//	claim -> resume (ListParts, reconcile) or initiate -> parts -> complete -> verify
//
// An upload ID that the server no longer knows leads back to initiate, once. Parts
// that Complete refuses are compared with the server's list again, once, before
// that.
//
// # Who makes requests
//
// Only a [caller], and only it retries: for each attempt it takes a slot and the current
// credentials, makes one request, and sorts the error. The request itself is never
// repeated below it. No slot is held during a pause or a wait for credentials. Each run of
// a file, each clean-up and each sweep has a caller of its own.
//
// # How it ends
//
// [Session.Run] returns when nothing of the upload is under way any more. An upload
// that failed or was interrupted can be resumed: it stays at the server, and its
// checkpoint in the store. Three words say how one that cannot be resumed is removed:
//
//   - abort: the server's AbortMultipartUpload, repeated until the upload is gone there.
//   - discard: what a run does with its own upload, because the source changed or the
//     caller canceled with [ErrAbandon]: once its parts have stopped, the upload is
//     aborted, and its checkpoint removed or replaced by that of the next one. A failure
//     is a warning.
//   - abandon: the same for an upload that no run has claimed ([Session.Abandon]). It
//     claims the checkpoint for that, and returns the error.
//
// Where the server does not let an upload be aborted, its checkpoint stays, for
// [Service.Sweep] to find it by.
package transfer
