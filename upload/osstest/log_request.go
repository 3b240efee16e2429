package osstest

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// A Request is a call that the server has seen, as the log keeps it. It bears
// no secrets: signatures and security tokens are replaced in Header and Query.
// Of a text that is longer than OSS takes, the log keeps the first 2 KiB, and of
// Header and Query at most 16 KiB each.
//
// A call is in the log from the moment its header was read. Status and Code are
// there before the client gets the answer: a test that has the answer finds
// them.
type Request struct {
	// Seq counts the server's calls in the order in which they came, from 1.
	Seq int

	Op         Op // empty for what is no operation of OSS
	Method     string
	Bucket     string
	Key        string
	UploadID   string
	PartNumber int // 0: none

	// AccessKeyID is the one that the call names, whether the signature is
	// right or not. It is empty for anonymous calls.
	AccessKeyID string

	Header http.Header
	Query  url.Values

	// Status is that of the answer. It is 0 while there is none, and for a call
	// whose connection was broken before.
	Status int

	// Code is the OSS error code of the answer, empty on success.
	Code string

	RequestID  string
	BodyBytes  int64         // of the request's body, as far as it was read
	Start      time.Time     // by the server's clock
	Duration   time.Duration // until now for a call that is in flight
	RemoteAddr string

	// Fault is the fault that hit the call, or nil. If there were several,
	// it is the one that did not just come on top.
	Fault *Fault
}

// String returns the call in one line, for the messages of tests.
func (r Request) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "#%d %s %s/%s", r.Seq, r.name(), r.Bucket, r.Key)
	if r.PartNumber != 0 {
		fmt.Fprintf(&b, " part %d", r.PartNumber)
	}
	switch {
	case r.Status == 0:
		b.WriteString(": no answer")
	default:
		fmt.Fprintf(&b, ": %d", r.Status)
	}
	if r.Code != "" {
		b.WriteString(" " + r.Code)
	}
	if r.Fault != nil {
		fmt.Fprintf(&b, " by %v", r.Fault)
	}
	return b.String()
}

func (r Request) name() string {
	if r.Op == "" {
		return r.Method
	}
	return string(r.Op)
}
