package world

import (
	"io"
	"net/http"
	"strings"
	"sync"
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
	w.mu.Lock()
	defer w.mu.Unlock()
	last := &w.spans[len(w.spans)-1] // of this action: see note
	last.fault, last.to = f, time.Time{}
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
	w.stuck.add(object, !a.end)
	if a.end {
		return
	}
	for _, op := range []osstest.Op{osstest.OpUploadPart, osstest.OpPutObject} {
		w.server.Inject(osstest.Fail(op, http.StatusInternalServerError, "InternalError").Key(object).Always().Match(func(osstest.Request) bool {
			return w.stuck.has(object)
		}))
	}
}

// A flipper is the way to the server: some bodies arrive with a bit flipped.
type flipper struct{ w *world }

func (f flipper) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPut && r.ContentLength > 0 && f.w.takeFlip() {
		began := time.Now()
		r.Body = &flipped{ReadCloser: r.Body}
		defer func() {
			if r.Context().Err() != nil || time.Since(began) >= stallTimeout { // given up
				f.w.lateFlips.add(strings.TrimPrefix(r.URL.Path, "/"), true)
			}
		}()
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

// A counter counts what holds for an object at the moment.
type counter struct {
	mu sync.Mutex
	n  map[string]int
}

func (c *counter) add(object string, more bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if more {
		c.n[object]++
	} else {
		c.n[object]--
	}
}

func (c *counter) has(object string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n[object] > 0
}
