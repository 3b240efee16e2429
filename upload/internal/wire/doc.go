// Package wire makes the calls to OSS that an upload needs, each once: it does
// not retry, it does not wait for tokens, it keeps no state of an upload. It is
// the only package that knows the OSS SDK.
//
// # Calls
//
// A [Client] holds the connections, an [Object] is one object at one endpoint as
// seen by it, and [Remote] is the set of its calls. Every call gets its own
// context, its own headers and, where it has one, its own [Body], so that any
// number of them may run at the same time.
//
// # Errors
//
// A call that fails returns an *[Error], always. Its [Class] says what is to be
// done about it; one function decides that from the answer's status, headers and
// code, or from the error of the connection, and never from text.
//
// # Integrity
//
// The CRC64 of a body is computed while the connection reads it, and is compared
// with the one in the server's answer. A body is cut off when its call returns:
// net/http may continue reading after an early answer (golang/go#12796), and what it
// reads then counts for nothing.
//
// # Watchdog
//
// A request whose body stops, trickles, or is not answered is ended by this
// package, because net/http and the kernel would wait for hours. See
// [Options.StallTimeout].
//
// # Clocks
//
// OSS refuses requests whose date is more than 15 minutes off. The offset of the
// server's clock is learned from such a refusal, kept for each host, and applied
// to the later requests.
package wire
