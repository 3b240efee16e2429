package upload_test

import (
	"errors"
	"io"
	"net/http"
	"sync/atomic"

	"github.com/vodupload/vodupload/upload/osstest"
)

// transportKinds are what careless implementations of http.RoundTripper do.
var transportKinds = []struct {
	name, what string
	odd        func(m *meddler, r *http.Request) (*http.Response, error)
}{
	{"transport: no body", "returns the server's answer without a Body", func(m *meddler, r *http.Request) (*http.Response, error) {
		res, err := m.Transport.RoundTrip(r)
		if err == nil {
			res.Body.Close()
			res.Body = nil
		}
		return res, err
	}},
	{"transport: nothing", "sends nothing, and returns neither an answer nor an error", func(m *meddler, _ *http.Request) (*http.Response, error) {
		m.unsent.Add(1)
		return nil, nil
	}},
	{"transport: answer and error", "returns the server's answer together with an error", func(m *meddler, r *http.Request) (*http.Response, error) {
		res, err := m.Transport.RoundTrip(r)
		if err == nil {
			err = errors.New("no luck")
		}
		return res, err
	}},
	{"transport: panic", "panics before it sends anything", func(m *meddler, _ *http.Request) (*http.Response, error) {
		m.unsent.Add(1)
		panic("torn")
	}},
	{"transport: panic in the body", "returns the server's answer with a Body whose Read panics", func(m *meddler, r *http.Request) (*http.Response, error) {
		res, err := m.Transport.RoundTrip(r)
		if err == nil {
			res.Body = tornBody{res.Body}
		}
		return res, err
	}},
}

type tornBody struct{ io.ReadCloser }

func (tornBody) Read([]byte) (int, error) { panic("torn") }

// A meddler is a transport that does something odd to one request of an operation.
type meddler struct {
	*http.Transport
	op     osstest.Op
	left   atomic.Int32 // requests of op until that one, with it
	odd    func(m *meddler, r *http.Request) (*http.Response, error)
	struck atomic.Bool
	unsent atomic.Int32 // requests that the server did not get
}

// meddle has the HTTP client do something odd to the nth request of op.
func (r *trial) meddle(op osstest.Op, nth int, odd func(*meddler, *http.Request) (*http.Response, error)) *meddler {
	r.odd = &meddler{Transport: r.transport, op: op, odd: odd}
	r.odd.left.Store(int32(nth))
	r.opts.HTTPClient = &http.Client{Transport: r.odd}
	return r.odd
}

func (m *meddler) RoundTrip(r *http.Request) (*http.Response, error) {
	if operation(r) != m.op || m.left.Add(-1) != 0 {
		return m.Transport.RoundTrip(r)
	}
	m.struck.Store(true)
	return m.odd(m, r)
}

func (m *meddler) disarm() { m.left.Store(0) }

func operation(r *http.Request) osstest.Op {
	q := r.URL.Query()
	switch {
	case r.Method == http.MethodPut && q.Has("partNumber"):
		return osstest.OpUploadPart
	case r.Method == http.MethodPut:
		return osstest.OpPutObject
	case r.Method == http.MethodPost && q.Has("uploads"):
		return osstest.OpInitiateMultipartUpload
	case r.Method == http.MethodPost:
		return osstest.OpCompleteMultipartUpload
	case r.Method == http.MethodDelete:
		return osstest.OpAbortMultipartUpload
	case r.Method == http.MethodHead:
		return osstest.OpHeadObject
	case q.Has("uploadId"):
		return osstest.OpListParts
	case q.Has("uploads"):
		return osstest.OpListMultipartUploads
	}
	return osstest.AnyOp
}
