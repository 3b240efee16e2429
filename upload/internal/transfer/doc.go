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
// An upload ID that the server no longer knows leads back to initiate, once.
//
// # Who retries
//
// Only [upload.call]: it takes a slot and the current credentials, makes one
// request, and sorts the error. The request itself is never repeated below it.
package transfer
