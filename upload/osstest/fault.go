package osstest

import (
	"maps"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vodupload/vodupload/upload/osstest/internal/broken"
)

// AnyOp, given to a constructor of faults, stands for every operation.
const AnyOp Op = ""

// A Fault is one thing that goes wrong on purpose. A constructor says what
// happens and to which operation; methods, which can be chained, say to which
// of its calls, and when in the call. [Server.Inject] puts it to work.
//
//	s.Inject(osstest.Fail(osstest.OpUploadPart, 503, "ServiceUnavailable").Nth(3))
//	s.Inject(osstest.Reset(osstest.OpUploadPart).InBody(64 << 10).Part(7).Times(2))
//	s.Inject(osstest.LoseAnswer(osstest.OpCompleteMultipartUpload))
//	s.Inject(osstest.Delay(osstest.AnyOp, 50*time.Millisecond).Always())
//
// # Which calls
//
// By default a fault hits the first call of its operation, once. [Fault.Nth]
// begins later, [Fault.Times] and [Fault.Always] hit more calls, and
// [Fault.Probability] leaves it to chance. [Fault.Part], [Fault.Bucket],
// [Fault.Key] and [Fault.Match] narrow down which calls are meant and counted.
//
// Of the faults that are due for a call, the one injected first gets it, and
// the others wait for the next. So faults that are injected together hit one call
// each. [Delay], [SlowBody], [SlowAnswer], [SetHeader] and [ClockSkew] are the
// exception: they describe the link and the server rather than a mishap, and come
// on top of whatever else hits the same call.
//
// A fault that finds nothing to do in a call is not spent on it: [WrongETag]
// waits for an answer that has an ETag.
//
// # When in the call
//
// [Fault.BeforeBody], [Fault.InBody], [Fault.BeforeWork], [Fault.AfterWork] and
// [Fault.InAnswer] move a fault within its call. Each constructor names the
// moment that its fault has by default, if it has one that can be moved.
//
// # Limits
//
// Faults that break a connection need HTTP/1.1. Where there is no connection to
// be had, as in a [net/http/httptest.ResponseRecorder] or over HTTP/2, they
// panic with [http.ErrAbortHandler].
//
// A Fault belongs to one server, and to one injection. Its methods that say
// which calls and when must not be called after Inject.
type Fault struct {
	spec faultSpec

	once     sync.Once // makes the channels
	fired    chan struct{}
	released chan struct{}
	first    sync.Once // closes fired
	release  sync.Once // closes released
	count    atomic.Int64
}

// faultSpec is what a test says about a fault.
type faultSpec struct {
	effect effect
	moment moment
	after  int64 // bytes, of inBody and inAnswer; halfway: see there

	op          Op
	bucket, key string // empty: any
	part        int    // 0: any
	match       []func(Request) bool

	nth         int
	times       int  // negative: for ever; 0: not said
	random      bool // Probability was said
	probability float64

	status   int
	code     string
	header   http.Header
	names    []string // of headers or elements
	value    string
	delay    time.Duration
	rate     int // bytes per second
	location string
}

// halfway, as the number of bytes of inAnswer, is the middle of the answer's
// body, or short of the header's end where there is no body.
const halfway = broken.Halfway

// An effect is what a fault does.
type effect uint8

const (
	effectNone effect = iota
	effectFail
	effectHTML
	effectEmptyAnswer
	effectRedirect
	effectExpireToken
	effectReset
	effectDisconnect
	effectHang
	effectDelay
	effectSlowBody
	effectSlowAnswer
	effectLoseUpload
	effectClockSkew
	effectSetHeader
	effectDropHeader
	effectDropElement
	effectWrongETag
	effectWrongCRC64
)

// additive reports whether the effect leaves room for another one in the same call.
func (e effect) additive() bool {
	switch e {
	case effectDelay, effectSlowBody, effectSlowAnswer, effectSetHeader, effectClockSkew:
		return true
	}
	return false
}

// holds reports whether the effect makes a call wait.
func (e effect) holds() bool { return e == effectDelay || e == effectHang }

// ends reports whether the effect answers or breaks the call itself.
func (e effect) ends() bool { return e >= effectFail && e <= effectDisconnect }

// altersAnswer reports whether the effect changes an answer that is otherwise right.
func (e effect) altersAnswer() bool { return e >= effectSetHeader }

// A moment is a point in a call.
type moment uint8

const (
	beforeBody moment = iota
	inBody
	beforeWork
	afterWork
	inAnswer
)

func newFault(op Op, e effect, at moment) *Fault {
	return &Fault{spec: faultSpec{op: op, effect: e, moment: at, nth: 1}}
}

// clone returns a copy that shares nothing with the original that could change.
func (f faultSpec) clone() faultSpec {
	f.header = maps.Clone(f.header)
	return f
}

func (f *Fault) init() {
	f.once.Do(func() {
		f.fired = make(chan struct{})
		f.released = make(chan struct{})
	})
}

// Fired returns a channel that is closed when the fault hits its first call.
// A test can wait for it:
//
//	hang := osstest.Hang(osstest.OpUploadPart)
//	s.Inject(hang)
//	…
//	<-hang.Fired() // a part is in flight now, and stays there
//	client.Pause()
//	hang.Release()
func (f *Fault) Fired() <-chan struct{} {
	f.init()
	return f.fired
}

// Count returns how many calls the fault has hit so far.
func (f *Fault) Count() int { return int(f.count.Load()) }

// Release ends a [Hang]: the calls that it holds continue, and those that come
// later are not held. It does nothing to other faults, and may be called more
// than once.
func (f *Fault) Release() {
	f.init()
	f.release.Do(func() { close(f.released) })
}

func (f *Fault) fire() {
	f.init()
	f.count.Add(1)
	f.first.Do(func() { close(f.fired) })
}
