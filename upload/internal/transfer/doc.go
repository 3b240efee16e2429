// Package transfer brings the bytes of one source to one object.
//
// [Service.Run] composes the steps. What a step decides is a pure function over
// plain values, with a table test: the plan of the parts ([NewPlan]), what is left
// to send after a resume (reconcile), how an error is answered (budget, over the
// classes of package wire), whether an object is the one that was meant
// (isOurs). Reading, sending and keeping checkpoints stand around them.
//
// # One upload
//
// A source that fits into one part goes by PutObject. A larger one claims its
// checkpoint, takes up the recorded upload or initiates a new one, sends the parts
// that are missing, and completes:
//
//	claim -> resume (ListParts, reconcile) or initiate -> parts -> complete -> verify
//
// An upload ID that the server no longer knows leads back to initiate, once. Parts
// that Complete refuses are compared with the server's list again, once, before
// that.
//
// # Who retries
//
// Only [upload.retry]: it takes a slot and the current credentials, makes one
// request, and sorts the error. The request itself is never repeated below it. No
// slot is held during a pause or a wait for credentials.
//
// # How it ends
//
// [Service.Run] returns when nothing of the upload is under way any more. An upload
// that failed or was interrupted can go on later: it stays at the server, and its
// checkpoint in the store. One that cannot, because its source changed or the
// caller gave it up with [ErrAbandon], is aborted after its parts have stopped, and
// its checkpoint deleted. Where the server does not let it be aborted, the
// checkpoint stays, for [Service.Sweep] to find it by.
package transfer
