// Package webhook is what the handlers of requests from a service have in common: they
// read a body of bounded size that the next handler can read again, take headers that are
// there exactly once, answer in JSON of known length, and log refusals without letting a
// flood fill the disk.
package webhook
