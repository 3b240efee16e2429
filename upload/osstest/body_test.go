package osstest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vodupload/vodupload/upload/osstest/internal/storage"
)

// wantBlobs checks how many bodies a directory has, and that none is
// half-written. In memory there is nothing to check.
func wantBlobs(t *testing.T, dir string, want int) {
	t.Helper()
	if dir == "" {
		return
	}
	if got := files(t, filepath.Join(dir, "blobs")); len(got) != want {
		t.Errorf("got %d bodies in the directory; want %d: %v", len(got), want, got)
	}
	if got := files(t, filepath.Join(dir, "incoming")); len(got) != 0 {
		t.Errorf("got files that are half-written: %v", got)
	}
}

func files(t testing.TB, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// rawCall sends a signed call's head and the given bytes over a connection of
// its own.
func rawCall(t *testing.T, c *testClient, r *http.Request, body string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", r.URL.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	var head strings.Builder
	fmt.Fprintf(&head, "%s %s HTTP/1.1\r\nHost: %s\r\n", r.Method, r.URL.RequestURI(), r.URL.Host)
	r.Header.Write(&head)
	head.WriteString("\r\n")
	if _, err := io.WriteString(conn, head.String()+body); err != nil {
		t.Fatal(err)
	}
	return conn
}

func readAnswer(t *testing.T, conn net.Conn) (*http.Response, string) {
	t.Helper()
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

func TestBrokenBodyLeavesNothing(t *testing.T) {
	bothModes(t, func(t *testing.T, opts *Options) {
		s, c := newTestServer(t, opts)
		id := c.initiate("/media/k")
		part := "/media/k?partNumber=1&uploadId=" + id
		tests := []struct{ name, path, framing, body string }{
			{"a part", part, "Content-Length", letters(600 << 10)},
			{"a part in chunks", part, "Transfer-Encoding", "5\r\nhello\r\n4"},
			{"an object", "/media/k", "Content-Length", letters(600 << 10)},
			{"an object in chunks", "/media/k", "Transfer-Encoding", "5\r\nhello\r\n"},
		}
		values := map[string]string{"Content-Length": "1000000", "Transfer-Encoding": "chunked"}
		for _, test := range tests {
			t.Run(test.name, func(t *testing.T) {
				r := c.request("PUT", test.path, nil)
				r.Header.Set(test.framing, values[test.framing])
				conn := rawCall(t, c, r, test.body)
				if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
					t.Fatal(err)
				}
				resp, body := readAnswer(t, conn)
				if resp.StatusCode != 400 || !strings.Contains(body, "<Code>IncompleteBody</Code>") {
					t.Errorf("got %d %s; want 400 IncompleteBody", resp.StatusCode, body)
				}
				if parts := s.Uploads("media")[0].Parts; len(parts) != 0 {
					t.Errorf("got parts %v; want none", parts)
				}
				if _, ok := s.Object("media", "k"); ok {
					t.Error("there is an object")
				}
				wantBlobs(t, opts.Dir, 0)
			})
		}
	})
}

func TestRefusedBodyLeavesNothing(t *testing.T) {
	bothModes(t, func(t *testing.T, opts *Options) {
		s, c := newTestServer(t, opts)
		c.refused(400, "InvalidDigest", "PUT", "/media/k", "abc", "Content-MD5", emptyMD5)
		if _, ok := s.Object("media", "k"); ok {
			t.Error("there is an object")
		}
		wantBlobs(t, opts.Dir, 0)
	})
}

func TestPartOfAnUploadThatEndsMeanwhile(t *testing.T) {
	bothModes(t, func(t *testing.T, opts *Options) {
		s, c := newTestServer(t, opts)
		id := c.initiate("/media/k")
		body, sender := io.Pipe()
		r := c.request("PUT", "/media/k?partNumber=1&uploadId="+id, body)
		r.ContentLength = -1
		w := httptest.NewRecorder()
		answered := make(chan struct{})
		go func() {
			defer close(answered)
			s.ServeHTTP(w, r)
		}()
		io.WriteString(sender, "half") // is read by the operation itself, which has found the upload
		s.AbortUpload("media", "k", id)
		sender.Close()
		<-answered
		if w.Code != 404 || !strings.Contains(w.Body.String(), "<Code>NoSuchUpload</Code>") {
			t.Errorf("got %d %s; want 404 NoSuchUpload", w.Code, w.Body)
		}
		wantBlobs(t, opts.Dir, 0)
	})
}

func TestChunkedBodyIsTaken(t *testing.T) {
	bothModes(t, func(t *testing.T, opts *Options) {
		s, c := newTestServer(t, opts)
		body := letters(storage.ChunkSize + 1000)
		c.send(c.request("PUT", "/media/k", io.MultiReader(strings.NewReader(body))))
		if stored(t, s, "media", "k") != body {
			t.Error("stored other bytes than were sent")
		}
		c.send(c.request("PUT", "/media/empty", io.MultiReader(strings.NewReader(""))))
		if o, ok := s.Object("media", "empty"); !ok || o.Size != 0 || o.CRC64 != 0 {
			t.Errorf("got object %+v; want an empty one", o)
		}
	})
}

func TestBodyNeedsALength(t *testing.T) {
	_, c := newTestServer(t, nil)
	id := c.initiate("/media/k")
	for _, path := range []string{"/media/k", "/media/k?partNumber=1&uploadId=" + id} {
		conn := rawCall(t, c, c.request("PUT", path, nil), "")
		resp, body := readAnswer(t, conn)
		if resp.StatusCode != 411 || !strings.Contains(body, "<Code>MissingContentLength</Code>") ||
			!strings.Contains(body, "You must provide the Content-Length HTTP header.") {
			t.Errorf("%s: got %d %s; want 411 MissingContentLength", path, resp.StatusCode, body)
		}
	}
}

func TestBodyTooLong(t *testing.T) {
	_, c := newTestServer(t, nil)
	r := c.request("PUT", "/media/k", nil)
	r.Header.Set("Content-Length", "5368709121")
	resp, body := readAnswer(t, rawCall(t, c, r, "")) // answered before a byte is sent
	if resp.StatusCode != 400 || !strings.Contains(body, "<Code>EntityTooLarge</Code>") || !strings.Contains(body, "<ProposedSize>5368709121</ProposedSize>") {
		t.Errorf("got %d %s; want 400 EntityTooLarge", resp.StatusCode, body)
	}
	t.Run("in chunks", func(t *testing.T) {
		b := &boundedBody{r: zeroReader{}, n: maxPartSize - 10}
		n, err := io.Copy(io.Discard, io.LimitReader(b, 1000))
		if aerr := bodyError(err); aerr.Code != "EntityTooLarge" {
			t.Errorf("read %d bytes: %v; want EntityTooLarge", n, err)
		}
	})
}

func TestIdleBodyTimesOut(t *testing.T) {
	s, c := newTestServer(t, &Options{BodyTimeout: 50 * time.Millisecond})
	r := c.request("PUT", "/media/k", nil)
	r.Header.Set("Content-Length", "10")
	resp, body := readAnswer(t, rawCall(t, c, r, "half"))
	if resp.StatusCode != 400 || !strings.Contains(body, "<Code>RequestTimeout</Code>") || !resp.Close {
		t.Errorf("got %d %s; want 400 RequestTimeout and the connection closed", resp.StatusCode, body)
	}
	if _, ok := s.Object("media", "k"); ok {
		t.Error("there is an object")
	}
}

func TestBodyOfARequestThatHasEndedIsNotRead(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b := &idleBody{io.NopCloser(strings.NewReader("abc")), ctx, http.NewResponseController(httptest.NewRecorder()), time.Minute}
	if n, err := b.Read(make([]byte, 3)); n != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("read %d bytes, %v; want none, and that the context has ended", n, err)
	}
}

func TestTrafficLimitSlowsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := New(&Options{Buckets: []string{"media"}})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		c := &testClient{t: t, s: s, url: "http://localhost", key: DefaultKey, now: time.Now}
		body := letters(1024000) // ten seconds at the lowest limit
		for _, method := range []string{"PUT", "GET"} {
			start := time.Now()
			w := httptest.NewRecorder()
			s.ServeHTTP(w, c.request(method, "/media/k", strings.NewReader(body), "x-oss-traffic-limit", "819200"))
			if took := time.Since(start); w.Code != 200 || took != 10*time.Second {
				t.Errorf("%s: got %d after %v; want 200 after 10s", method, w.Code, took)
			}
			if got := w.Header().Get("X-Oss-Qos-Delay-Time"); method == "PUT" && got != "10000" {
				t.Errorf("%s: got x-oss-qos-delay-time %q; want 10000", method, got)
			}
		}
	})
}
