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

// Requests returns the calls that the log has, oldest first: all of them, or
// those of the given operations. The log keeps the newest 100,000, unless
// Options.KeepRequests sets another number, and never more than about 256 MiB.
func (s *Server) Requests(ops ...Op) []Request {
	var requests []Request
	for _, e := range s.requests.kept(ops) {
		requests = append(requests, e.redacted())
	}
	return requests
}

// Count returns how many calls the server has seen, since its start or since
// [Server.ResetRequests]: all of them, or those of the given operations.
func (s *Server) Count(ops ...Op) int { return s.requests.count(ops) }

// InFlight returns how many calls are in flight: all of them, or those of the
// given operations. A call is in flight from the moment its header was read
// until the last byte of its answer is sent, or its connection is broken.
func (s *Server) InFlight(ops ...Op) int { return s.requests.inFlight(ops) }

// MaxInFlight returns the greatest number of calls that were in flight at the
// same time, since the server's start or since [Server.ResetRequests]: of all
// of them, or of those of the given operations. With operations it sees as far
// back as the log goes.
//
// A call that its client has given up counts until the server notices; such a
// client can seem to have more calls in flight than it has.
func (s *Server) MaxInFlight(ops ...Op) int { return s.requests.maxInFlight(ops) }

// ResetRequests empties the log and resets Count and MaxInFlight. Seq continues,
// and calls in flight remain so.
func (s *Server) ResetRequests() { s.requests.reset() }
