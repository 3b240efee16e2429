package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

const partSize = 100 << 10

const id = "01234567-89ab-cdef-0123-456789abcdef"

// Tests that wait do so at the same time, whatever the number of processors.
func TestMain(m *testing.M) {
	flag.Parse()
	_ = flag.Set("test.parallel", "8")
	os.Exit(m.Run())
}

// A site is the program with an OSS server, on loopback.
type site struct {
	t      *testing.T
	ctx    context.Context
	oss    *osstest.Server
	relay  *relay
	client *upload.Client
	url    string
	addr   string
	writes writes
}

// A watchedConn is a connection of the server whose writes are counted.
type watchedConn struct {
	net.Conn
	*writes
}

type writes struct{ begun, ended atomic.Int64 }

func (c *watchedConn) Write(b []byte) (int, error) {
	c.begun.Add(1)
	defer c.ended.Add(1)
	return c.Conn.Write(b)
}

type listener struct {
	net.Listener
	writes *writes
}

func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return &watchedConn{c, l.writes}, err
}

// blocked reports whether a write is under way, and no other has ended, for 50 ms.
func (w *writes) blocked() bool {
	ended := w.ended.Load()
	for range 50 {
		if w.ended.Load() != ended || w.begun.Load() == ended {
			return false
		}
		time.Sleep(time.Millisecond)
	}
	return true
}

func newSite(t *testing.T) *site {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	s := &site{t: t, ctx: ctx, oss: osstest.NewServer(&osstest.Options{Buckets: []string{"media"}})}
	t.Cleanup(s.oss.Close)
	client, err := upload.New(&upload.Options{
		Credentials: sts.Static(sts.Credentials{AccessKeyID: osstest.DefaultKey.AccessKeyID, AccessKeySecret: osstest.DefaultKey.AccessKeySecret}),
		Checkpoints: checkpoint.NewMemory(), PartSize: partSize, RetryInterval: time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.client = client
	s.relay = &relay{
		client: client, endpoint: s.oss.URL, bucket: "media", prefix: "in/", largest: 10 << 20,
		patience: 20 * time.Second, running: make(chan struct{}, 3), log: slog.New(slog.DiscardHandler),
	}
	// Small buffers, so that a browser that takes nothing is noticed.
	server := httptest.NewUnstartedServer(s.relay.handler())
	server.Listener = listener{server.Listener, &s.writes}
	server.Config.ConnState = func(c net.Conn, state http.ConnState) {
		if state == http.StateNew {
			_ = c.(*watchedConn).Conn.(*net.TCPConn).SetWriteBuffer(4 << 10)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	t.Cleanup(func() { _ = client.Close() }) // before the server, which waits for its handlers
	s.url, s.addr = server.URL, server.Listener.Addr().String()
	return s
}

func content(n int) []byte { return bytes.Repeat([]byte("0123456789"), n/10+1)[:n] }

// put uploads as a browser does.
func (s *site) put(id string, body io.Reader) (int, string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.ctx, "PUT", s.url+"/upload/"+id+"?name=My+talk.MP4", body)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.do(r)
}

func (s *site) do(r *http.Request) (int, string) {
	s.t.Helper()
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

// begin connects, announces an upload of size bytes and sends some of it.
func (s *site) begin(id string, size int, sent []byte) net.Conn {
	s.t.Helper()
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = c.Close() })
	_, err = fmt.Fprintf(c, "PUT /upload/%s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n%s", id, s.addr, size, sent)
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// watch returns the events of an upload, until the last or until the test has ended.
func (s *site) watch(id string) <-chan []event {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.ctx)
	var reading sync.WaitGroup
	s.t.Cleanup(func() { cancel(); reading.Wait() })
	r, err := http.NewRequestWithContext(ctx, "GET", s.url+"/progress/"+id, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil || res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/event-stream" {
		s.t.Fatal(res, err)
	}
	all := make(chan []event, 1)
	reading.Go(func() {
		defer res.Body.Close()
		var got []event
		defer func() { all <- got }()
		for lines := bufio.NewReader(res.Body); ; {
			line, err := lines.ReadString('\n')
			if err != nil { // what came of a line whose end did not is no event
				return
			}
			if data, ok := strings.CutPrefix(line, "data: "); ok {
				var e event
				if err := json.Unmarshal([]byte(data), &e); err != nil {
					s.t.Error(err)
				}
				got = append(got, e)
			}
		}
	})
	return all
}

// last returns the last event of an upload.
func (s *site) last(events <-chan []event) event {
	s.t.Helper()
	all := <-events
	if len(all) == 0 {
		s.t.Fatal("no events came")
	}
	return all[len(all)-1]
}

// nothing wants no object, and no upload that stays at the server.
func (s *site) nothing() {
	s.t.Helper()
	if n := len(s.oss.Objects("media")); n > 0 {
		s.t.Errorf("%d objects are there, want none", n)
	}
	for len(s.oss.Uploads("media")) > 0 || len(s.client.Files()) > 0 {
		select {
		case <-s.ctx.Done():
			s.t.Fatalf("%d uploads stay at the server, %d files in the list", len(s.oss.Uploads("media")), len(s.client.Files()))
		case <-time.After(time.Millisecond):
		}
	}
	if n := len(s.oss.Objects("media")); n > 0 {
		s.t.Errorf("%d objects are there, want none", n)
	}
}

func TestUploadIsPassedOn(t *testing.T) {
	for name, wrap := range map[string]func(io.Reader) io.Reader{
		"with a length":    func(r io.Reader) io.Reader { return r },
		"without a length": func(r io.Reader) io.Reader { return struct{ io.Reader }{r} },
	} {
		for _, size := range []int{0, 10, partSize, 5*partSize + 1} {
			t.Run(fmt.Sprint(size, " bytes ", name), func(t *testing.T) {
				s := newSite(t)
				temp := t.TempDir()
				t.Setenv("TMPDIR", temp)
				events := s.watch(id)
				want := content(size)
				status, text := s.put(id, wrap(bytes.NewReader(want)))
				var answer struct {
					Object string
					Size   int
				}
				if err := json.Unmarshal([]byte(text), &answer); err != nil || status != 200 || answer.Size != size {
					t.Fatalf("got %d %s", status, text)
				}
				o, ok := s.oss.Object("media", answer.Object)
				if !ok || !strings.HasPrefix(answer.Object, "in/") || !strings.HasSuffix(answer.Object, ".mp4") {
					t.Fatalf("no object %s", answer.Object)
				}
				r, err := o.Open()
				if err != nil {
					t.Fatal(err)
				}
				defer r.Close()
				if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, want) {
					t.Errorf("the object has %d other bytes, %v", len(got), err)
				}
				all := <-events
				end := all[len(all)-1]
				if end.Object != answer.Object || end.Uploaded != int64(size) || end.Size != int64(size) {
					t.Errorf("the last event is %+v", end)
				}
				for i := 1; i < len(all); i++ {
					if all[i].Uploaded < all[i-1].Uploaded {
						t.Errorf("the progress goes back: %+v", all)
					}
				}
				if left, _ := os.ReadDir(temp); len(left) > 0 {
					t.Errorf("%d temporary files", len(left))
				}
			})
		}
	}
}

// A browser that disappears while it sends leaves nothing at the server.
func TestBrowserThatDisappears(t *testing.T) {
	for name, tt := range map[string]struct {
		sent int
		bye  func(net.Conn)
	}{
		"before the first byte":    {0, func(c net.Conn) { _ = c.Close() }},
		"in the first part":        {10, func(c net.Conn) { _ = c.Close() }},
		"after some parts":         {3*partSize + 10, func(c net.Conn) { _ = c.Close() }},
		"one byte before the end":  {5*partSize - 1, func(c net.Conn) { _ = c.Close() }},
		"with a reset":             {3*partSize + 10, func(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0); _ = c.Close() }},
		"by ending its half alone": {3*partSize + 10, func(c net.Conn) { _ = c.(*net.TCPConn).CloseWrite() }},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			events := s.watch(id)
			tt.bye(s.begin(id, 5*partSize, content(tt.sent)))
			if e := s.last(events); e.Error != "the upload has broken off" {
				t.Errorf("the last event is %+v", e)
			}
			s.nothing()
		})
	}
}

// One that disappears when all was read, and the last parts are on their way, too.
func TestBrowserThatDisappearsAtTheEnd(t *testing.T) {
	s := newSite(t)
	hold := osstest.Hang(osstest.OpUploadPart).Nth(2)
	s.oss.Inject(hold)
	events := s.watch(id)
	c := s.begin(id, 3*partSize, content(3*partSize))
	<-hold.Fired()
	_ = c.Close()
	if e := s.last(events); e.Error == "" {
		t.Errorf("the last event is %+v", e)
	}
	hold.Release()
	s.nothing()
}

// A body without its end is no object, whatever its beginning says.
func TestBodyThatBreaksOff(t *testing.T) {
	for name, tail := range map[string]string{
		"chunks without the last":     "a\r\n0123456789\r\n",
		"a chunk that is cut":         "64\r\n0123456789",
		"a chunk that is none":        "a\r\n0123456789\r\nxyz\r\n",
		"the end without its newline": "a\r\n0123456789\r\n0\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			events := s.watch(id)
			c, err := net.Dial("tcp", s.addr)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			fmt.Fprintf(c, "PUT /upload/%s HTTP/1.1\r\nHost: %s\r\nTransfer-Encoding: chunked\r\n\r\n%s", id, s.addr, tail)
			_ = c.(*net.TCPConn).CloseWrite()
			if e := s.last(events); e.Error != "the upload has broken off" {
				t.Errorf("the last event is %+v", e)
			}
			s.nothing()
		})
	}
}

func TestBrowserThatStalls(t *testing.T) {
	s := newSite(t)
	s.relay.patience = 100 * time.Millisecond // events would have as little: the board is asked
	bar := s.relay.progress.watch(id)
	c := s.begin(id, 5*partSize, content(2*partSize+10))
	answer, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || answer.StatusCode != http.StatusRequestTimeout {
		t.Errorf("got %v, %v, want 408", answer, err)
	}
	if e, _, _ := bar.latest(); e.Error != "the upload has stalled" {
		t.Errorf("the last event is %+v", e)
	}
	s.nothing()
}

// The deadline is for what the browser does: OSS may take longer, in the middle and at the
// end, and an upload as a whole may.
func TestSlowOSSIsNoStall(t *testing.T) {
	t.Parallel()
	const patience = 5 * time.Second // of which a busy machine takes some
	for name, op := range map[string]osstest.Op{"in the middle": osstest.OpUploadPart, "at the end": osstest.OpCompleteMultipartUpload} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.relay.patience = patience
			hold := osstest.Hang(op)
			s.oss.Inject(hold)
			go func() {
				<-hold.Fired()
				time.Sleep(patience + time.Second)
				hold.Release()
			}()
			if status, text := s.put(id, bytes.NewReader(content(20*partSize))); status != 200 {
				t.Errorf("got %d %s", status, text)
			}
		})
	}
	t.Run("of an empty file", func(t *testing.T) {
		t.Parallel()
		s := newSite(t)
		s.relay.patience = patience
		hold := osstest.Hang(osstest.OpPutObject)
		s.oss.Inject(hold)
		go func() {
			<-hold.Fired()
			time.Sleep(patience + time.Second)
			hold.Release()
		}()
		if status, text := s.put(id, http.NoBody); status != 200 {
			t.Errorf("got %d %s", status, text)
		}
	})
	t.Run("a slow browser", func(t *testing.T) {
		t.Parallel()
		s := newSite(t)
		s.relay.patience = patience
		c := s.begin(id, 6, nil)
		for range 6 { // longer than the patience, altogether
			time.Sleep(patience / 5)
			fmt.Fprint(c, "x")
		}
		answer, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil || answer.StatusCode != 200 {
			t.Errorf("got %v, %v", answer, err)
		}
	})
}

// dead connects a browser that asks for events and takes none, and one that does.
func (s *site) dead() (other <-chan []event, p *bar) {
	s.t.Helper()
	slow, err := net.Dial("tcp", s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = slow.Close() })
	_ = slow.(*net.TCPConn).SetReadBuffer(4 << 10)
	fmt.Fprintf(slow, "GET /progress/%s HTTP/1.1\r\nHost: %s\r\n\r\n", id, s.addr)
	other = s.watch(id)
	p, _ = s.relay.progress.begin(id)
	for s.watchers(p) < 2 {
		time.Sleep(time.Millisecond)
	}
	return other, p
}

func (s *site) watchers(p *bar) int {
	s.relay.progress.mu.Lock()
	defer s.relay.progress.mu.Unlock()
	return p.watchers
}

// A browser that takes no events holds up nobody.
func TestBrowserThatTakesNoEvents(t *testing.T) {
	s := newSite(t)
	other, p := s.dead()
	for n := int64(0); n%1000 > 0 || !s.writes.blocked(); n++ {
		if s.ctx.Err() != nil {
			t.Fatal("no write to the slow browser is blocked")
		}
		p.set(event{Uploaded: n, Size: 1 << 62})
		time.Sleep(10 * time.Microsecond)
	}
	p.end(event{Object: "in/a"})
	if e := s.last(other); e.Object != "in/a" {
		t.Errorf("the other browser's last event is %+v", e)
	}
	if n := s.watchers(p); n == 0 {
		t.Error("the other browser's last event came when the slow one was gone")
	}
}

// It loses its connection after a while.
func TestBrowserThatTakesNoEventsIsLeft(t *testing.T) {
	s := newSite(t)
	s.relay.patience = 300 * time.Millisecond
	_, p := s.dead()
	for n := int64(0); s.watchers(p) > 1; n++ {
		if s.ctx.Err() != nil {
			t.Fatal("the slow browser is still connected")
		}
		p.set(event{Uploaded: n, Size: 1 << 62})
		time.Sleep(10 * time.Microsecond)
	}
	p.end(event{Object: "in/a"})
}

// A browser whose connection broke asks again, and finds out how it ended.
func TestEventsAfterTheEnd(t *testing.T) {
	s := newSite(t)
	if status, text := s.put(id, strings.NewReader("x")); status != 200 {
		t.Fatal(status, text)
	}
	if e := s.last(s.watch(id)); e.Object == "" || e.Uploaded != 1 {
		t.Errorf("the last event is %+v", e)
	}
	s.relay.progress.mu.Lock()
	defer s.relay.progress.mu.Unlock()
	if n := len(s.relay.progress.bars); n != 1 {
		t.Errorf("%d uploads are known, want 1", n)
	}
}

func TestEventsOfNoUploadAreForgotten(t *testing.T) {
	s := newSite(t)
	ctx, cancel := context.WithCancel(s.ctx)
	r, _ := http.NewRequestWithContext(ctx, "GET", s.url+"/progress/"+id, nil)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	_ = res.Body.Close()
	known := func() int {
		s.relay.progress.mu.Lock()
		defer s.relay.progress.mu.Unlock()
		return len(s.relay.progress.bars)
	}
	for known() > 0 {
		if s.ctx.Err() != nil {
			t.Fatal("the upload that never began is still known")
		}
		time.Sleep(time.Millisecond)
	}
}

func TestRequestsThatAreRefused(t *testing.T) {
	s := newSite(t)
	large, _ := http.NewRequestWithContext(s.ctx, "PUT", s.url+"/upload/"+id, bytes.NewReader(content(11<<20)))
	form, _ := http.NewRequestWithContext(s.ctx, "PUT", s.url+"/upload/x", strings.NewReader("a"))
	foreign, _ := http.NewRequestWithContext(s.ctx, "PUT", s.url+"/upload/"+id, strings.NewReader("a"))
	foreign.Header.Set("Origin", "https://evil.example")
	get, _ := http.NewRequestWithContext(s.ctx, "GET", s.url+"/progress/x", nil)
	for name, tt := range map[string]struct {
		r    *http.Request
		want int
	}{
		"more than the largest":    {large, 413},
		"an ID that is none":       {form, 400},
		"progress, too":            {get, 400},
		"a page of another site's": {foreign, 403},
	} {
		if status, text := s.do(tt.r); status != tt.want {
			t.Errorf("%s: got %d %s, want %d", name, status, text, tt.want)
		}
	}
	if status, text := s.put(id, struct{ io.Reader }{bytes.NewReader(content(11 << 20))}); status != 413 {
		t.Errorf("more than the largest, without a length: got %d %s, want 413", status, text)
	}
	s.nothing()
}

// Two uploads of one ID would mix their progress; and too many would take too much memory.
func TestUploadsAtTheSameTime(t *testing.T) {
	s := newSite(t)
	events := s.watch(id)
	c := s.begin(id, 10, nil)
	for len(s.client.Files()) == 0 {
		time.Sleep(time.Millisecond)
	}
	if status, text := s.put(id, strings.NewReader("other")); status != 409 {
		t.Errorf("got %d %s, want 409", status, text)
	}
	for i := range 2 {
		s.begin(fmt.Sprintf("0000000%d-0000-0000-0000-000000000000", i), 10, nil)
	}
	for len(s.client.Files()) < 3 {
		time.Sleep(time.Millisecond)
	}
	if status, text := s.put("00000009-0000-0000-0000-000000000000", strings.NewReader("fourth")); status != 503 {
		t.Errorf("got %d %s, want 503", status, text)
	}
	fmt.Fprint(c, "0123456789")
	if e := s.last(events); e.Object == "" || e.Size != 10 {
		t.Errorf("the last event is %+v", e)
	}
}

// A form type must not make the server parse the body.
func TestBodyOfAFormTypeIsPassedOn(t *testing.T) {
	s := newSite(t)
	r, _ := http.NewRequestWithContext(s.ctx, "PUT", s.url+"/upload/"+id+"?name=a.txt", strings.NewReader("a=1&b=2"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if status, text := s.do(r); status != 200 || !strings.Contains(text, `"size":7`) {
		t.Errorf("got %d %s, want all 7 bytes", status, text)
	}
}

// When OSS refuses the file, the browser learns that it has failed, and no more.
func TestOSSRefuses(t *testing.T) {
	s := newSite(t)
	s.oss.Inject(osstest.Fail(osstest.OpUploadPart, 403, "AccessDenied"))
	events := s.watch(id)
	c := s.begin(id, 50*partSize, content(3*partSize)) // and waits for the answer
	answer, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || answer.StatusCode != 502 {
		t.Errorf("got %v, %v, want 502", answer, err)
	}
	if e := s.last(events); e.Error != "the file could not be stored" {
		t.Errorf("the last event is %+v", e)
	}
	s.nothing()
}

// The program ends while a browser sends: the upload is aborted, and the browser is told.
func TestShutdown(t *testing.T) {
	t.Parallel() // it waits: the browser neither sends the rest nor hangs up
	s := newSite(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = l.Addr().String()
	s.url = "http://" + s.addr
	ctx, stop := context.WithCancel(s.ctx)
	done := make(chan error, 1)
	go func() { done <- serve(ctx, l, s.relay.handler(), s.client) }()
	events := s.watch(id)
	hold := osstest.Hang(osstest.OpUploadPart)
	s.oss.Inject(hold)
	s.begin(id, 5*partSize, content(3*partSize))
	<-hold.Fired()
	hold.Release()
	stop()
	if e := s.last(events); e.Error != "the server is shutting down" {
		t.Errorf("the last event is %+v", e)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if n := len(s.oss.Uploads("media")); n > 0 {
		t.Errorf("%d uploads stay at the server, want none", n)
	}
}

// Without an account, the program brings an OSS server of its own.
func TestRun(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	r, w := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- run(ctx, []string{"-addr", "127.0.0.1:0"}, w) }()
	var url string
	lines := bufio.NewScanner(r)
	for url == "" && lines.Scan() {
		if _, after, ok := strings.Cut(lines.Text(), "open "); ok {
			url, _, _ = strings.Cut(after, " ")
		}
	}
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if !strings.Contains(string(text), "EventSource") {
		t.Errorf("the page is %s", text)
	}
	q, _ := http.NewRequest("PUT", url+"upload/"+id+"?name=a.mp4", strings.NewReader("x"))
	res, err = http.DefaultClient.Do(q)
	if err != nil || res.StatusCode != 200 {
		t.Fatal(res, err)
	}
	_ = res.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
