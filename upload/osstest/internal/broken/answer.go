package broken

import (
	"bytes"
	"maps"
	"net/http"
	"strconv"
)

// An Answer is the ResponseWriter of an operation. It passes on what it gets,
// unless it is kept: then it collects the answer until [Answer.Take], so that no
// fault takes effect while the operation holds a lock.
type Answer struct {
	W       http.ResponseWriter
	Kept    bool
	Over    func() bool                 // whether the connection is broken
	Begin   func(status int)            // called before the head is sent
	Sending func(body []byte, end bool) // called before a piece of the body is sent; end: there is no more

	status int // 0: none yet
	body   bytes.Buffer
	left   int64 // bytes of the body that are still to come; negative: not known
}

// Header returns the header of the answer.
func (a *Answer) Header() http.Header { return a.W.Header() }

// Status returns the status of the answer, or 0 if it has none yet.
func (a *Answer) Status() int { return a.status }

// WriteHeader sends the head of the answer, or keeps its status.
func (a *Answer) WriteHeader(status int) {
	switch {
	case a.Over():
		return
	case a.status == 0:
		a.Start(status)
	}
	if !a.Kept {
		a.W.WriteHeader(status)
	}
}

// Start is WriteHeader for a caller that sends the head itself.
func (a *Answer) Start(status int) {
	a.status = status
	if a.Kept {
		return
	}
	a.left = -1
	if n, err := strconv.ParseInt(a.Header().Get("Content-Length"), 10, 64); err == nil {
		a.left = n
	}
	a.Begin(status)
}

// Write sends a piece of the body, or keeps it. It returns [Err] if the call is
// over.
func (a *Answer) Write(p []byte) (int, error) {
	if a.Over() {
		return 0, Err
	}
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	if a.Kept {
		return a.body.Write(p)
	}
	if a.left >= 0 {
		a.left = max(a.left-int64(len(p)), 0)
	}
	// Where the length is not known, net/http sends the end of the answer when
	// the operation is done.
	a.Sending(p, a.left == 0)
	return a.W.Write(p)
}

// Forget drops what is kept of the answer.
func (a *Answer) Forget() {
	a.status = 0
	a.body.Reset()
}

// SetHeader puts h in place of the whole header.
func (a *Answer) SetHeader(h http.Header) {
	clear(a.Header())
	maps.Copy(a.Header(), h)
}

// Body returns the body that is kept. It is good until SetBody.
func (a *Answer) Body() []byte { return a.body.Bytes() }

// SetBody puts body in place of the one that is kept.
func (a *Answer) SetBody(body []byte) {
	a.body = bytes.Buffer{}
	a.body.Write(body)
}

// Take returns an answer that was kept, to a request with the given method. From
// then on the Answer passes on what it gets. The header has the body's length.
func (a *Answer) Take(method string) (status int, body []byte) {
	a.Kept = false
	status, body = a.status, a.body.Bytes()
	if status == 0 {
		status = http.StatusOK
	}
	a.status = 0
	if !MayHaveBody(method, status) {
		return status, nil
	}
	a.Header().Set("Content-Length", strconv.Itoa(len(body)))
	return status, body
}

// MayHaveBody reports whether an answer with a status can have a body.
func MayHaveBody(method string, status int) bool {
	return method != http.MethodHead && status != http.StatusNoContent && status != http.StatusNotModified
}
