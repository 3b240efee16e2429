package osstest

import (
	"bytes"
	"maps"
	"net/http"
	"strconv"
)

// An answer is the ResponseWriter of an operation. It passes on what it gets,
// unless a fault needs the answer whole: then it keeps it until the operation
// is done, so that no fault strikes while the operation holds a lock.
type answer struct {
	x      *exchange
	w      http.ResponseWriter
	status int // 0: none yet
	kept   bool
	body   bytes.Buffer // of an answer that is kept
	left   int64        // bytes of the body that are still to come; negative: not known
}

func (a *answer) Header() http.Header { return a.w.Header() }

func (a *answer) WriteHeader(status int) {
	if a.x.over {
		return
	}
	if a.kept {
		if a.status == 0 {
			a.status = status
		}
		return
	}
	if a.status == 0 {
		a.status = status
		a.begin()
	}
	a.w.WriteHeader(status)
}

// begin notes in the log how a call is answered, before the client can know.
func (a *answer) begin() {
	if a.x.skew != 0 {
		took := a.x.s.now().Sub(a.x.req.start.Add(-a.x.skew))
		a.Header().Set("X-Oss-Server-Time", strconv.FormatInt(took.Milliseconds(), 10))
	}
	if n, err := strconv.ParseInt(a.Header().Get("Content-Length"), 10, 64); err == nil {
		a.left = n
	}
	a.x.s.requests.answer(a.x.log, a.status, codeInHeader(a.Header()))
}

func (a *answer) Write(p []byte) (int, error) {
	if a.x.over {
		return 0, errOver
	}
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	if a.kept {
		return a.body.Write(p)
	}
	a.note(p)
	return a.w.Write(p)
}

// note keeps the log up with the body of an answer. A call counts as answered
// before its last byte is sent: a client that has the answer may send its next
// request at once, and must not be found to have one too many in flight.
func (a *answer) note(p []byte) {
	if code := codeInBody(a.status, p); code != "" {
		a.x.s.requests.answer(a.x.log, a.status, code)
	}
	if a.left < 0 {
		return // net/http sends the end of the answer when the operation is done
	}
	if a.left -= int64(len(p)); a.left <= 0 {
		a.x.s.requests.leave(a.x.log)
	}
}

// forget drops what is kept of the answer.
func (a *answer) forget() {
	a.status = 0
	a.body.Reset()
}

func (a *answer) setHeader(h http.Header) {
	clear(a.Header())
	maps.Copy(a.Header(), h)
}

// send sends an answer that was kept.
func (x *exchange) send() {
	a := &x.answer
	a.kept = false
	status, body := a.status, a.body.Bytes()
	if status == 0 {
		status = http.StatusOK
	}
	a.status = 0
	if x.mayHaveBody(status) {
		a.Header().Set("Content-Length", strconv.Itoa(len(body)))
	} else {
		body = nil
	}
	if x.sentByHand() {
		x.sendByHand(status, body)
		return
	}
	a.WriteHeader(status)
	if len(body) > 0 {
		a.Write(body)
	}
}

func (x *exchange) mayHaveBody(status int) bool {
	return x.req.Method != http.MethodHead && status != http.StatusNoContent && status != http.StatusNotModified
}
