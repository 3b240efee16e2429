package dashboard

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload"
)

// A fakeClient has any list, and counts what is asked of it.
type fakeClient struct {
	mu    sync.Mutex
	stats upload.Stats
	state upload.State
	files []upload.FileInfo // the ID is the index + 1
	slow  time.Duration     // that a walk through the list takes
	grow  bool              // each question finds more bytes acknowledged

	walks, looks, asked int
	swept               []upload.SweepOptions
	left                []upload.Leftover
	sweepErr            error
	did                 []string
}

func (f *fakeClient) Stats() upload.Stats {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked++
	if f.grow {
		f.stats.AckedBytes++
	}
	return f.stats
}

func (f *fakeClient) Status() upload.State { return f.state }

func (f *fakeClient) All() iter.Seq[upload.FileInfo] {
	f.mu.Lock()
	f.walks++
	f.mu.Unlock()
	return func(yield func(upload.FileInfo) bool) {
		if f.slow > 0 {
			time.Sleep(f.slow)
		}
		for i := range f.files {
			if !yield(f.files[i]) {
				return
			}
		}
	}
}

func (f *fakeClient) File(id upload.FileID) (upload.FileInfo, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.looks++
	if id < 1 || int(id) > len(f.files) {
		return upload.FileInfo{}, upload.ErrFileNotExist
	}
	return f.files[id-1], nil
}

func (f *fakeClient) Sweep(_ context.Context, o upload.SweepOptions) ([]upload.Leftover, error) {
	f.swept = append(f.swept, o)
	return f.left, f.sweepErr
}

func (f *fakeClient) do(format string, args ...any) error {
	f.did = append(f.did, fmt.Sprintf(format, args...))
	return nil
}

func (f *fakeClient) Pause() error                      { return f.do("pause") }
func (f *fakeClient) Resume() error                     { return f.do("resume") }
func (f *fakeClient) SetParallel(n int) error           { return f.do("parallel %d", n) }
func (f *fakeClient) ResumeFile(id upload.FileID) error { return f.do("retry %d", id) }
func (f *fakeClient) CancelFile(id upload.FileID) error {
	if _, err := f.File(id); err != nil {
		return fmt.Errorf("%w: file %d", err, id)
	}
	return f.do("cancel %d", id)
}

// manyFiles is a list in which every state occurs.
func manyFiles(n int) []upload.FileInfo {
	began := time.Date(2026, 11, 27, 8, 0, 0, 0, time.UTC)
	files := make([]upload.FileInfo, n)
	for i := range files {
		f := &files[i]
		*f = upload.FileInfo{ID: upload.FileID(i + 1), Path: fmt.Sprintf("/media/in/film %06d.mp4", i+1), Bucket: "media",
			Object: fmt.Sprintf("in/%06d.mp4", i+1), Size: 1 << 30, State: upload.FileSucceeded, Started: began}
		switch {
		case i%1000 == 7:
			f.State, f.Err = upload.FileFailed, &upload.Error{Op: "UploadPart", Path: f.Path, Code: "AccessDenied", Status: 403, RequestID: "6A00"}
		case i%1000 == 8:
			f.State = upload.FileCanceled
		case i > n*3/4+5:
			f.State = upload.FileInit
			continue
		case i > n*3/4:
			f.State = upload.FileUploading
			continue
		}
		f.Ended = began.Add(time.Duration(i) * time.Second)
	}
	return files
}

// open is a dashboard that is closed with the test.
func open(t *testing.T, c client, opts *Options) *Dashboard {
	t.Helper()
	d, err := newDashboard(c, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

// ask makes one request, as a browser on this machine does.
func ask(d http.Handler, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Host, r.RemoteAddr = "127.0.0.1:8080", "127.0.0.1:40000"
	for i := 0; i < len(headers); i += 2 {
		switch headers[i] {
		case "Host":
			r.Host = headers[i+1]
		case "RemoteAddr":
			r.RemoteAddr = headers[i+1]
		default:
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	return w
}

// A viewing is a stream that is read in a bubble of fake time, without a socket.
type viewing struct {
	cancel context.CancelFunc
	pipe   *io.PipeWriter
	header http.Header
	ended  chan struct{}

	mu       sync.Mutex
	events   []event
	comments int
}

type event struct {
	topic, data string
	at          time.Time
}

func (v *viewing) Header() http.Header                { return v.header }
func (v *viewing) WriteHeader(int)                    {}
func (v *viewing) Write(p []byte) (int, error)        { return v.pipe.Write(p) }
func (v *viewing) Flush()                             {}
func (v *viewing) SetWriteDeadline(_ time.Time) error { return nil }

// view opens a stream. If it is slow, nothing of it is read until read is called.
func view(t *testing.T, d *Dashboard, query string) *viewing {
	v, pr := newViewing(t, d, query)
	go v.read(pr)
	return v
}

func newViewing(t *testing.T, d *Dashboard, query string) (*viewing, *io.PipeReader) {
	t.Helper()
	pr, pw := io.Pipe()
	ctx, cancel := context.WithCancel(context.Background())
	v := &viewing{cancel: cancel, pipe: pw, header: http.Header{}, ended: make(chan struct{})}
	r := httptest.NewRequest("GET", "/events"+query, nil).WithContext(ctx)
	r.Host, r.RemoteAddr = "localhost", "127.0.0.1:40000"
	go func() {
		defer close(v.ended)
		defer pw.Close()
		d.ServeHTTP(v, r)
	}()
	t.Cleanup(func() {
		cancel()
		pr.Close()
		<-v.ended
	})
	return v, pr
}

func (v *viewing) read(r io.Reader) {
	var e event
	for lines := bufio.NewReader(r); ; {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		name, value, _ := bytes.Cut(bytes.TrimSuffix(line, []byte("\n")), []byte(": "))
		v.mu.Lock()
		switch string(name) {
		case "event":
			e.topic = string(value)
		case "data":
			e.data, e.at = string(value), time.Now()
			v.events = append(v.events, e)
		case "":
			if bytes.HasPrefix(line, []byte(":")) {
				v.comments++
			}
		}
		v.mu.Unlock()
	}
}

// of returns the events of a topic.
func (v *viewing) of(topic string) (all []event) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, e := range v.events {
		if e.topic == topic {
			all = append(all, e)
		}
	}
	return all
}
