package osstest

import (
	"net/http"
	"strconv"
	"time"
)

// Fail answers a call with an error of OSS: its XML with message, EC and the
// elements that belong to the code, or the header x-oss-err where the method is
// HEAD. Status 0 is the code's own; a code that osstest does not know has 500.
// [Fault.Header] adds headers.
//
// By default the body is read first and no work is done ([Fault.BeforeWork]).
// With [Fault.BeforeBody] the answer comes before the body was read, with
// [Fault.AfterWork] the work was done all the same.
func Fail(op Op, status int, code string) *Fault {
	f := newFault(op, effectFail, beforeWork)
	f.spec.status, f.spec.code = status, code
	return f
}

// Throttle answers a call as OSS does when uploads come too fast: with 503
// UploadTrafficRateLimitExceeded, and with wait in the header
// x-oss-qos-delay-time, in milliseconds. It has the moment of [Fail].
func Throttle(op Op, wait time.Duration) *Fault {
	return Fail(op, http.StatusServiceUnavailable, "UploadTrafficRateLimitExceeded").
		Header("X-Oss-Qos-Delay-Time", strconv.FormatInt(wait.Milliseconds(), 10))
}

// ExpireToken makes the credentials expire that the call is signed with, as
// [Server.ExpireKey] does, and answers SecurityTokenExpired. Later calls with
// the same access key ID get that answer as well, from the server itself. It
// has the moment of [Fail].
func ExpireToken(op Op) *Fault {
	f := newFault(op, effectExpireToken, beforeWork)
	f.spec.code = "SecurityTokenExpired"
	return f
}

// HTML answers a call as a proxy on the way does: with a page of HTML and none
// of the headers of OSS. It has the moment of [Fail].
func HTML(op Op, status int) *Fault {
	f := newFault(op, effectHTML, beforeWork)
	f.spec.status = status
	return f
}

// EmptyAnswer answers a call with 200, no body, and none of the headers of OSS,
// and no work is done. It has the moment of [Fail].
func EmptyAnswer(op Op) *Fault { return newFault(op, effectEmptyAnswer, beforeWork) }

// Redirect answers a call with 307 and the header Location. An empty location
// is the address that was called. It has the moment of [Fail].
func Redirect(op Op, location string) *Fault {
	f := newFault(op, effectRedirect, beforeWork)
	f.spec.location = location
	return f
}

// Reset ends the connection with a TCP reset. By default that is before any of
// the body is read ([Fault.BeforeBody]).
//
// A client made of net/http repeats GET, HEAD and other calls without a body by
// itself, once, if it has used the connection before. Then only the log shows
// that the fault has hit.
func Reset(op Op) *Fault { return newFault(op, effectReset, beforeBody) }

// LoseAnswer does what the call asks for, and then resets the connection: not
// one byte of the answer arrives. It is Reset(op).AfterWork().
func LoseAnswer(op Op) *Fault { return Reset(op).AfterWork() }

// Disconnect ends the connection in the orderly way, as a server does with a
// connection that has been idle for too long. By default that is before any of
// the body is read ([Fault.BeforeBody]).
func Disconnect(op Op) *Fault { return newFault(op, effectDisconnect, beforeBody) }

// Truncate does what the call asks for, and ends the connection in the middle
// of the answer's body: its Content-Length promises more than comes. An answer
// without a body promises one byte; where there can be none (HEAD, 204) the
// header itself ends early. [Fault.InAnswer] sets another length.
func Truncate(op Op) *Fault { return Disconnect(op).InAnswer(halfway) }

// Hang makes a call wait until [Fault.Release], until the client goes away or
// until the server is closed. By default none of the body is read
// ([Fault.BeforeBody]). With [Fault.BeforeWork] the whole body is taken before,
// with [Fault.AfterWork] the work is done and only the answer does not come.
//
// While the body of a call is not read to its end, the server cannot see the
// client go, and the call is held until Release or Close.
func Hang(op Op) *Fault { return newFault(op, effectHang, beforeBody) }

// Delay makes a call wait for d, then continue. By default that is when the work is
// done, before the answer ([Fault.AfterWork]). It comes on top of other faults.
func Delay(op Op, d time.Duration) *Fault {
	f := newFault(op, effectDelay, afterWork)
	f.spec.delay = d
	return f
}

// SlowBody reads the body of a call at a rate of bytes per second; less than 1
// counts as 1. It comes on top of other faults.
//
// The operating systems' buffers take the first bytes of a body at once: over
// the loopback interface that is up to several MiB.
func SlowBody(op Op, bytesPerSecond int) *Fault {
	f := newFault(op, effectSlowBody, inBody)
	f.spec.rate = max(bytesPerSecond, 1)
	return f
}

// SlowAnswer sends the whole answer, header and body, at a rate of bytes per
// second; less than 1 counts as 1. At 20 and below it comes byte by byte. It
// comes on top of other faults.
func SlowAnswer(op Op, bytesPerSecond int) *Fault {
	f := newFault(op, effectSlowAnswer, inAnswer)
	f.spec.rate = max(bytesPerSecond, 1)
	return f
}

// LoseUpload aborts the multipart upload that the call is for, behind the
// client's back, and lets the call continue: it meets NoSuchUpload. Only calls
// with an upload ID are counted.
func LoseUpload(op Op) *Fault { return newFault(op, effectLoseUpload, beforeBody) }

// ClockSkew sets the server's clock off by d for the calls that it hits,
// ahead if d is positive: in the Date header, and in what the server thinks of
// the time of a request and of the age of a key. A request that is more than 15
// minutes off meets RequestTimeTooSkewed. Unlike other faults it hits all
// calls unless [Fault.Times] is set. It comes on top of other faults.
func ClockSkew(op Op, d time.Duration) *Fault {
	f := newFault(op, effectClockSkew, beforeBody).Always()
	f.spec.delay = d
	return f
}

// SetHeader sets a header of the answer, whatever the server thinks it should
// be. It comes on top of other faults.
func SetHeader(op Op, name, value string) *Fault {
	f := newFault(op, effectSetHeader, afterWork)
	f.spec.names, f.spec.value = []string{name}, value
	return f
}

// DropHeader leaves the named headers out of an answer that has at least one of
// them. Date can be among them, Content-Length cannot.
func DropHeader(op Op, names ...string) *Fault {
	f := newFault(op, effectDropHeader, afterWork)
	f.spec.names = names
	return f
}

// DropElement leaves the named elements out of the XML of an answer that has at
// least one of them, such as UploadId or ETag.
func DropElement(op Op, names ...string) *Fault {
	f := newFault(op, effectDropElement, afterWork)
	f.spec.names = names
	return f
}

// WrongETag changes the ETag of an answer, in its header and its XML, to
// another one of the same form.
func WrongETag(op Op) *Fault { return newFault(op, effectWrongETag, afterWork) }

// WrongCRC64 changes the CRC64 of an answer: the header x-oss-hash-crc64ecma,
// and the element HashCrc64ecma of a list of parts.
func WrongCRC64(op Op) *Fault { return newFault(op, effectWrongCRC64, afterWork) }
