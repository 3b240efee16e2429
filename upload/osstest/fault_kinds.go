package osstest

import (
	"net/http"
	"slices"
	"time"
)

// A FaultKind is a kind of fault with a name and reasonable numbers, for a test
// that runs each of them over each operation.
type FaultKind struct {
	// Name is fit for the name of a subtest.
	Name string

	// New returns a fault of the kind, for the first call of an operation.
	New func(op Op) *Fault

	// Transient says that a client should ride the fault out by itself. The
	// others need new credentials, another address or a person.
	Transient bool
}

// FaultKinds returns all kinds of faults, in groups: what OSS answers, what
// others on the way answer, broken connections, waits, and altered answers.
// Those that hang do so until the server closes: the client needs a timeout.
func FaultKinds() []FaultKind {
	return slices.Concat(refusalKinds(), strangerKinds(), connectionKinds(), waitKinds(), alteredKinds())
}

// failing returns a kind that answers with an error.
func failing(status int, code string, transient bool) FaultKind {
	return FaultKind{code, func(op Op) *Fault { return Fail(op, status, code) }, transient}
}

func refusalKinds() []FaultKind {
	return []FaultKind{
		failing(500, "InternalError", true),
		failing(503, "ServiceUnavailable", true),
		failing(503, "TotalQpsLimitExceeded", true),
		failing(400, "RequestTimeout", true),
		failing(429, "TooManyRequests", true),
		failing(403, "AccessDenied", false),
		failing(403, "InvalidAccessKeyId", false),
		{"throttled", func(op Op) *Fault { return Throttle(op, 20*time.Millisecond) }, true},
		{"503 before the body", func(op Op) *Fault { return Fail(op, 503, "ServiceUnavailable").BeforeBody() }, true},
		{"403 before the body", func(op Op) *Fault { return Fail(op, 403, "AccessDenied").BeforeBody() }, false},
		{"500 after the work", func(op Op) *Fault { return Fail(op, 500, "InternalError").AfterWork() }, true},
		{"token expired", ExpireToken, false},
		{"upload lost", LoseUpload, true},
		{"clock ahead", func(op Op) *Fault { return ClockSkew(op, 20*time.Minute) }, true},
		{"clock behind", func(op Op) *Fault { return ClockSkew(op, -20*time.Minute) }, true},
	}
}

func strangerKinds() []FaultKind {
	return []FaultKind{
		{"HTML 502", func(op Op) *Fault { return HTML(op, http.StatusBadGateway) }, true},
		{"HTML 503", func(op Op) *Fault { return HTML(op, http.StatusServiceUnavailable) }, true},
		{"HTML 504 after the work", func(op Op) *Fault { return HTML(op, http.StatusGatewayTimeout).AfterWork() }, true},
		{"HTML 200", func(op Op) *Fault { return HTML(op, http.StatusOK).Header("ETag", `"5f-63a"`) }, true},
		{"empty 200", EmptyAnswer, true},
		{"empty 200 after the work", func(op Op) *Fault { return EmptyAnswer(op).AfterWork() }, true},
		{"redirect", func(op Op) *Fault { return Redirect(op, "") }, false},
	}
}

func connectionKinds() []FaultKind {
	return []FaultKind{
		{"reset before the body", Reset, true},
		{"reset in the body", func(op Op) *Fault { return Reset(op).InBody(1000) }, true},
		{"reset before the work", func(op Op) *Fault { return Reset(op).BeforeWork() }, true},
		{"answer lost", LoseAnswer, true},
		{"reset in the answer", func(op Op) *Fault { return Reset(op).InAnswer(20) }, true},
		{"closed before the body", Disconnect, true},
		{"closed in the body", func(op Op) *Fault { return Disconnect(op).InBody(1000) }, true},
		{"closed after the work", func(op Op) *Fault { return Disconnect(op).AfterWork() }, true},
		{"answer truncated", Truncate, true},
	}
}

func waitKinds() []FaultKind {
	return []FaultKind{
		{"hang before the body", Hang, true},
		{"hang in the body", func(op Op) *Fault { return Hang(op).InBody(1000) }, true},
		{"hang before the work", func(op Op) *Fault { return Hang(op).BeforeWork() }, true},
		{"hang after the work", func(op Op) *Fault { return Hang(op).AfterWork() }, true},
		{"hang in the answer", func(op Op) *Fault { return Hang(op).InAnswer(20) }, true},
		{"delay before the body", func(op Op) *Fault { return Delay(op, 20*time.Millisecond).BeforeBody() }, true},
		{"delay before the answer", func(op Op) *Fault { return Delay(op, 20*time.Millisecond) }, true},
		{"slow body", func(op Op) *Fault { return SlowBody(op, 1<<20) }, true},
		{"slow answer", func(op Op) *Fault { return SlowAnswer(op, 20_000) }, true},
	}
}

func alteredKinds() []FaultKind {
	return []FaultKind{
		{"wrong ETag", WrongETag, true},
		{"wrong CRC64", WrongCRC64, true},
		{"no ETag", func(op Op) *Fault { return DropHeader(op, "ETag") }, true},
		{"no CRC64", func(op Op) *Fault { return DropHeader(op, "x-oss-hash-crc64ecma") }, true},
		{"no request ID", func(op Op) *Fault { return DropHeader(op, "x-oss-request-id") }, true},
		{"no date", func(op Op) *Fault { return DropHeader(op, "Date") }, true},
		{"no upload ID", func(op Op) *Fault { return DropElement(op, "UploadId") }, true},
		{"slowed down", func(op Op) *Fault { return SetHeader(op, "x-oss-qos-delay-time", "20") }, true},
	}
}
