package world

import (
	"io"
	"net/http"
	"time"

	"github.com/vodupload/vodupload/upload/osstest"
)

// fault makes the server misbehave.
func (w *world) fault(a action) {
	if a.ev.Kind == flipBit {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.flips += a.ev.Times
		return
	}
	if a.ev.Kind == stuck {
		w.stick(a)
		return
	}
	f := newFault(a.ev).Times(a.ev.Times)
	w.faults = append(w.faults, f)
	w.server.Inject(f)
}

func newFault(e event) *osstest.Fault {
	switch e.Kind {
	case internalError:
		return osstest.Fail(e.Op, http.StatusInternalServerError, "InternalError")
	case throttled:
		return osstest.Throttle(e.Op, 5*time.Second)
	case loseAnswer:
		return osstest.LoseAnswer(e.Op)
	case hang:
		return osstest.Hang(e.Op)
	case hangAfterWork:
		return osstest.Hang(e.Op).AfterWork()
	case badGateway:
		return osstest.HTML(e.Op, http.StatusBadGateway)
	case breakBody:
		return osstest.Reset(e.Op).InBody(1000)
	case loseUpload:
		return osstest.LoseUpload(e.Op)
	case denied:
		return osstest.Fail(e.Op, http.StatusForbidden, "AccessDenied")
	case otherClock:
		return osstest.ClockSkew(e.Op, 20*time.Minute)
	}
	panic("no fault")
}

// stick lets the server answer 500 to all that makes up a file, until the event ends.
func (w *world) stick(a action) {
	object := w.files[a.ev.File].object()
	w.mu.Lock()
	if a.end {
		w.stuck[object]--
	} else {
		w.stuck[object]++
	}
	w.mu.Unlock()
	if a.end {
		return
	}
	for _, op := range []osstest.Op{osstest.OpUploadPart, osstest.OpPutObject} {
		w.server.Inject(osstest.Fail(op, http.StatusInternalServerError, "InternalError").Key(object).Always().Match(func(osstest.Request) bool {
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.stuck[object] > 0
		}))
	}
}

// A flipper is the way to the server: some bodies arrive with a bit flipped.
type flipper struct{ w *world }

func (f flipper) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPut && r.ContentLength > 0 && f.w.takeFlip() {
		r.Body = &flipped{ReadCloser: r.Body}
	}
	f.w.server.ServeHTTP(rw, r)
}

func (w *world) takeFlip() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.flips == 0 {
		return false
	}
	w.flips--
	return true
}

// A flipped body has another first byte.
type flipped struct {
	io.ReadCloser
	done bool
}

func (f *flipped) Read(p []byte) (int, error) {
	n, err := f.ReadCloser.Read(p)
	if n > 0 && !f.done {
		p[0] ^= 1
		f.done = true
	}
	return n, err
}
