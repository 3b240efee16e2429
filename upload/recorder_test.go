package upload_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// A recorder keeps what the callbacks told, and fails the test as soon as that breaks
// a promise: one call at a time, nothing about a file before its start or after its
// end, exactly one end, and progress that neither goes back nor passes the total.
type recorder struct {
	t      testing.TB
	inside atomic.Int32
	// at, which may be nil, is called from within each callback, after it was
	// recorded.
	at func(c *upload.Client, name string, f upload.FileInfo)

	mu    sync.Mutex
	log   []string // "OnStarted a"
	files map[upload.FileID]*recorded
	ends  map[upload.FileID]int
}

// recorded is what was told of one file since it was started.
type recorded struct{ uploaded, total int64 }

func newRecorder(t testing.TB) *recorder {
	return &recorder{t: t, files: make(map[upload.FileID]*recorded), ends: make(map[upload.FileID]int)}
}

// callbacks returns all callbacks.
func (r *recorder) callbacks() upload.Callbacks {
	plain := func(name string) func(*upload.Client, upload.FileInfo) {
		return func(c *upload.Client, f upload.FileInfo) { r.enter(c, name, f, nil) }
	}
	return upload.Callbacks{
		OnStarted: func(c *upload.Client, f upload.FileInfo) { r.enter(c, "OnStarted", f, r.started) },
		OnProgress: func(c *upload.Client, f upload.FileInfo, uploaded, total int64) {
			r.enter(c, "OnProgress", f, func(f upload.FileInfo) { r.progress(f, uploaded, total) })
		},
		OnSucceeded: func(c *upload.Client, f upload.FileInfo, res upload.Result) {
			r.enter(c, "OnSucceeded", f, func(f upload.FileInfo) { r.succeeded(f, res) })
		},
		OnFailed: func(c *upload.Client, f upload.FileInfo, err error) {
			r.enter(c, "OnFailed", f, func(f upload.FileInfo) { r.failed(f, err) })
		},
		OnCanceled: func(c *upload.Client, f upload.FileInfo) { r.enter(c, "OnCanceled", f, r.canceled) },
		OnRetry: func(c *upload.Client, f upload.FileInfo, _ upload.Retry) {
			r.enter(c, "OnRetry", f, nil)
		},
		OnRetryResume:  plain("OnRetryResume"),
		OnTokenExpired: plain("OnTokenExpired"),
		OnFinished:     func(c *upload.Client) { r.enter(c, "OnFinished", upload.FileInfo{}, nil) },
	}
}

func (r *recorder) enter(c *upload.Client, name string, f upload.FileInfo, check func(upload.FileInfo)) {
	if r.inside.Add(1) != 1 {
		r.t.Errorf("%s of %s while another callback is being called", name, f.Object)
	}
	r.mu.Lock()
	r.log = append(r.log, strings.TrimSpace(name+" "+f.Object))
	if f.ID != 0 {
		if name != "OnStarted" && name != "OnCanceled" && r.files[f.ID] == nil {
			r.t.Errorf("%s of file %v (%s), which is not under way", name, f.ID, f.Object)
		}
		if check != nil {
			check(f)
		}
	}
	at := r.at
	r.mu.Unlock()
	if at != nil {
		at(c, name, f)
	}
	r.inside.Add(-1)
}

func (r *recorder) started(f upload.FileInfo) {
	if r.files[f.ID] != nil {
		r.t.Errorf("file %v (%s) was started twice", f.ID, f.Object)
	}
	if f.State != upload.FileUploading || f.Uploaded != 0 {
		r.t.Errorf("started with %+v", f)
	}
	r.files[f.ID] = &recorded{total: -1}
}

func (r *recorder) progress(f upload.FileInfo, uploaded, total int64) {
	have := r.files[f.ID]
	if have == nil {
		return
	}
	if uploaded < have.uploaded || total >= 0 && uploaded > total || f.Uploaded != uploaded || f.Size != total {
		r.t.Errorf("file %v (%s): progress %d of %d after %d of %d; its info says %d of %d", f.ID, f.Object, uploaded, total, have.uploaded, have.total, f.Uploaded, f.Size)
	}
	have.uploaded, have.total = uploaded, total
}

func (r *recorder) succeeded(f upload.FileInfo, res upload.Result) {
	if have := r.files[f.ID]; have != nil && (have.uploaded != res.Size || have.total != res.Size) {
		r.t.Errorf("file %v (%s) of %d bytes succeeded after progress %d of %d", f.ID, f.Object, res.Size, have.uploaded, have.total)
	}
	if f.State != upload.FileSucceeded || f.Result == nil || f.Err != nil || f.InFlight != 0 {
		r.t.Errorf("succeeded with %+v", f)
	}
	r.end(f)
}

func (r *recorder) failed(f upload.FileInfo, err error) {
	if f.State != upload.FileFailed || f.Err != err || err == nil || f.Result != nil {
		r.t.Errorf("failed with %v: %+v", err, f)
	}
	r.end(f)
}

func (r *recorder) canceled(f upload.FileInfo) {
	if f.State != upload.FileCanceled || f.InFlight != 0 {
		r.t.Errorf("canceled with %+v", f)
	}
	r.end(f)
}

// end forgets the file: what is told of it now, before it is started again, is an
// error.
func (r *recorder) end(f upload.FileInfo) {
	if r.files[f.ID] != nil {
		r.ends[f.ID]++
	}
	delete(r.files, f.ID)
}

// told returns how often a callback was called for an object; an empty object means
// any.
func (r *recorder) told(name, object string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, line := range r.log {
		if line == name+" "+object || object == "" && strings.Split(line, " ")[0] == name {
			n++
		}
	}
	return n
}

// of returns the names of the callbacks of an object, in order, with OnProgress once
// however often it was called in a row.
func (r *recorder) of(object string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var names []string
	for _, line := range r.log {
		if name, ok := strings.CutSuffix(line, " "+object); ok {
			names = append(names, strings.TrimPrefix(name, "On"))
		}
	}
	return strings.Join(slices.Compact(names), " ")
}

// open returns how many files were started and got no end.
func (r *recorder) open() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.files)
}

// recorded gives the testbed's clients a recorder.
func (b *testbed) recorded() *recorder {
	r := newRecorder(b.t)
	b.opts.Callbacks = r.callbacks()
	return r
}

// A direct transport hands requests to a server without a socket, so that time can be
// that of a synctest bubble.
type direct struct{ server *osstest.Server }

// directEndpoint is an address, so that bucket names stay out of the host name.
const directEndpoint = "http://127.0.0.1:1"

func (d direct) RoundTrip(req *http.Request) (*http.Response, error) {
	in := req.Clone(req.Context())
	in.RequestURI, in.RemoteAddr = req.URL.RequestURI(), "127.0.0.1:2"
	if in.Host == "" {
		in.Host = req.URL.Host
	}
	if in.Body == nil {
		in.Body = http.NoBody
	}
	answered := make(chan *http.Response, 1)
	go func() {
		rec := httptest.NewRecorder()
		defer close(answered)
		defer func() {
			if p := recover(); p != nil && p != http.ErrAbortHandler {
				panic(p)
			}
		}()
		d.server.ServeHTTP(rec, in)
		answered <- rec.Result()
	}()
	var res *http.Response
	err := error(syscall.ECONNRESET) // of a fault that breaks the connection
	select {
	case answer, ok := <-answered:
		if ok {
			res, err = answer, nil
		}
	case <-req.Context().Done():
		err = req.Context().Err()
	}
	if req.Body != nil {
		_ = req.Body.Close()
	}
	return res, err
}

// newDirectTestbed is a testbed without sockets and without files, for synctest.
func newDirectTestbed(t *testing.T) *testbed {
	t.Helper()
	server, err := osstest.New(&osstest.Options{Buckets: []string{bucket}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	b := &testbed{t: t, ctx: t.Context(), server: server}
	b.useMemory()
	b.opts.HTTPClient = &http.Client{Transport: direct{server}}
	return b
}

// bytesOf is a file in memory; its bytes are told by its name.
func (b *testbed) bytesOf(object string, size int) upload.File {
	data := bytes.Repeat([]byte(object+" "), size/(len(object)+1)+1)[:size]
	endpoint := b.server.URL
	if endpoint == "" {
		endpoint = directEndpoint
	}
	return upload.File{
		Path: "memory/" + object, Source: upload.NewSource(bytes.NewReader(data), int64(size), "v1"),
		Endpoint: endpoint, Bucket: bucket, Object: object,
	}
}

// sameBytes fails the test unless the object has the bytes of the source.
func (b *testbed) sameBytes(f upload.File) {
	b.t.Helper()
	want := must(io.ReadAll(io.NewSectionReader(f.Source, 0, f.Source.Size())))
	if !bytes.Equal(b.content(f.Object), want) {
		b.t.Errorf("object %s has other bytes than its source", f.Object)
	}
}

// add adds files to a client's list.
func (b *testbed) add(c *upload.Client, files ...upload.File) []upload.FileID {
	b.t.Helper()
	var ids []upload.FileID
	for _, f := range files {
		id, err := c.AddFile(f)
		if err != nil {
			b.t.Fatal(err)
		}
		ids = append(ids, id)
	}
	return ids
}

// until waits for a state of a file. It looks when something happens at the server,
// and often enough besides.
func (b *testbed) until(c *upload.Client, id upload.FileID, want upload.FileState) upload.FileInfo {
	b.t.Helper()
	var f upload.FileInfo
	b.eventually(fmt.Sprintf("file %v to be %s", id, want), func() bool {
		var err error
		if f, err = c.File(id); err != nil {
			b.t.Fatal(err)
		}
		return f.State == want
	})
	return f
}

// eventually waits until done, and fails the test if that does not come before the
// testbed's time is over.
func (b *testbed) eventually(what string, done func() bool) {
	b.t.Helper()
	for !done() {
		select {
		case <-time.After(time.Millisecond):
		case <-b.ctx.Done():
			b.t.Fatalf("waited in vain for %s", what)
		}
	}
}

func (b *testbed) useMemory() {
	b.store = checkpoint.NewMemory()
	b.opts = upload.Options{
		Credentials: sts.Static(defaultKey), Checkpoints: b.store,
		PartSize: 100 * kib, RetryInterval: time.Millisecond,
	}
}
