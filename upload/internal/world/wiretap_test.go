package world

import (
	"bytes"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"
)

// A call is a request as the client has made it.
type call struct {
	method, object, uploadID, part string
	initiates                      bool
}

func callOf(r *http.Request) call {
	q := r.URL.Query()
	return call{
		method: r.Method, object: strings.TrimPrefix(r.URL.Path, "/"),
		uploadID: q.Get("uploadId"), part: q.Get("partNumber"),
		initiates: r.Method == http.MethodPost && q.Has("uploads"),
	}
}

func (c call) String() string {
	name := c.method + " " + c.object
	if c.uploadID != "" {
		name += " of upload " + c.uploadID
	}
	if c.part != "" {
		name += " part " + c.part
	}
	if c.initiates {
		name += ", initiating"
	}
	return name
}

func (c call) aborts() bool { return c.method == http.MethodDelete && c.uploadID != "" }

// sends reports whether the call carries bytes of a file.
func (c call) sends() bool { return c.method == http.MethodPut }

// known is what the clients know of an upload.
type known struct {
	object string
	at     time.Time
	by     *process
	failed int // attempts to abort it
}

// A wiretap hears what the processes send, and what answers reach them.
type wiretap struct {
	w *world

	mu      sync.Mutex
	uploads map[string]*known // by upload ID, whose answers came
	strikes map[call]int      // answers of 500 in a row
}

// A tapped transport is that of one process.
type tapped struct {
	p    *process
	next http.RoundTripper

	mu       sync.Mutex
	inFlight int
}

func (t *tapped) count(by int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.inFlight += by
	limit, justSet := t.p.parallel.Load(), t.p.parallelAt.Load() == time.Now().UnixNano()
	if by > 0 && int64(t.inFlight) > limit && !justSet {
		t.p.violated("%d requests are under way, Parallel is %d", t.inFlight, limit)
	}
}

func (t *tapped) RoundTrip(req *http.Request) (*http.Response, error) {
	t.count(1)
	defer t.count(-1)
	c := callOf(req)
	res, err := t.next.RoundTrip(req)
	if err == nil && c.initiates {
		err = whole(res)
	}
	if err == nil && res.StatusCode == http.StatusForbidden {
		t.p.w.tokens.refuse(req.Header.Get("Authorization"))
	}
	t.p.signOfLife()
	t.p.w.tap.hear(t.p, c, res, err)
	if err != nil {
		return nil, err
	}
	return res, nil
}

// whole reads an answer to its end.
func whole(res *http.Response) error {
	body, err := io.ReadAll(res.Body)
	res.Body.Close()
	res.Body = io.NopCloser(bytes.NewReader(body))
	return err
}

func outcome(res *http.Response, err error) string {
	if err != nil {
		return err.Error()
	}
	return res.Status
}

var uploadIDElement = regexp.MustCompile(`<UploadId>([^<]*)</UploadId>`)

// hear records what came back.
func (t *wiretap) hear(p *process, c call, res *http.Response, err error) {
	if p.dead.Load() {
		return
	}
	if c.initiates && err == nil {
		t.w.mayBegin(c.object)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	ok := err == nil && res.StatusCode/100 == 2
	t.w.trace("%v: %s", c, outcome(res, err))
	switch {
	case c.initiates && ok:
		body, _ := io.ReadAll(res.Body)
		res.Body = io.NopCloser(bytes.NewReader(body))
		if m := uploadIDElement.FindSubmatch(body); m != nil {
			t.uploads[string(m[1])] = &known{object: c.object, at: time.Now(), by: p}
		}
	case c.aborts() && !ok && (err != nil || res.StatusCode != http.StatusNotFound):
		if u := t.uploads[c.uploadID]; u != nil {
			u.failed++
		}
	}
	if !c.sends() {
		return
	}
	if err != nil || res.StatusCode != http.StatusInternalServerError {
		delete(t.strikes, c)
		return
	}
	if t.strikes[c]++; t.strikes[c] > 1+retryCount {
		t.w.violated("part %q of %s was answered by 500 for the %d. time in a row, RetryCount is %d", c.part, c.object, t.strikes[c], retryCount)
	}
}

// anew forgets the answers to a file's requests, or all files': another run may begin.
func (t *wiretap) anew() {
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.strikes)
}

func (t *wiretap) upload(id string) (known, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	u := t.uploads[id]
	if u == nil {
		return known{}, false
	}
	return *u, true
}
