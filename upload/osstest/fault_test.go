package osstest

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"
)

// isReset reports whether a client has seen a TCP reset. A write that comes after
// it fails with EPIPE; net/http may notice it while it reads, close the
// connection and report a write that came after that.
func isReset(err error) bool {
	return isPlainReset(err) || errors.Is(err, syscall.EPIPE) || errors.Is(err, net.ErrClosed)
}

// isPlainReset reports whether a read has met a TCP reset. Windows has a number of
// its own for it.
func isPlainReset(err error) bool {
	return err != nil && (errors.Is(err, syscall.ECONNRESET) || strings.Contains(err.Error(), "forcibly closed"))
}

// A fault in the upload of part 2, of 300 KiB, and what comes of it.
type faultCase struct {
	name  string
	fault *Fault
	check func(t *testing.T, f *faultTest, r reply)
	done  bool // the part is there
}

const partSize = 300 << 10

func runFaultCases(t *testing.T, tests []faultCase) {
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFaultTest(t, nil)
			f.Inject(test.fault)
			r := f.doContext(t.Context(), "PUT", f.part(2), zeros(partSize))
			test.check(t, f, r)
			f.AssertFired(t)
			want := "[1]"
			if test.done {
				want = "[1 2]"
			}
			if got := f.parts(); got != want {
				t.Errorf("the server has the parts %s, want %s", got, want)
			}
		})
	}
}

// refused wants an answer with a status and a code.
func refused(status int, code string) func(*testing.T, *faultTest, reply) {
	return func(t *testing.T, f *faultTest, r reply) {
		t.Helper()
		if r.err != nil || r.status != status || r.code != code {
			t.Errorf("got %d %q, %v; want %d %q", r.status, r.code, r.err, status, code)
		}
		logged := f.Requests(OpUploadPart)[0]
		if logged.Status != status || logged.Code != code || logged.Fault == nil {
			t.Errorf("log has %v, want %d %q and the fault", logged, status, code)
		}
	}
}

func TestRefusals(t *testing.T) {
	runFaultCases(t, []faultCase{
		{"status and code", Fail(OpUploadPart, 503, "ServiceUnavailable"), refused(503, "ServiceUnavailable"), false},
		{"the code's own status", Fail(OpUploadPart, 0, "InvalidDigest"), refused(400, "InvalidDigest"), false},
		{"a code that nobody knows", Fail(OpUploadPart, 0, "Whatever"), refused(500, "Whatever"), false},
		{"while the client sends", Fail(OpUploadPart, 403, "AccessDenied").BeforeBody(), refused(403, "AccessDenied"), false},
		{"in the body", Fail(OpUploadPart, 403, "AccessDenied").InBody(1000), refused(403, "AccessDenied"), false},
		{"although the work was done", Fail(OpUploadPart, 500, "InternalError").AfterWork(), refused(500, "InternalError"), true},
		{"in the answer is after the work", Fail(OpUploadPart, 500, "InternalError").InAnswer(3), refused(500, "InternalError"), true},
		{"NoSuchUpload", Fail(OpUploadPart, 0, "NoSuchUpload"), refused(404, "NoSuchUpload"), false},
		{"HTML", HTML(OpUploadPart, 502), refused(502, ""), false},
		{"HTML after the work", HTML(OpUploadPart, 504).AfterWork(), refused(504, ""), true},
		{"empty answer", EmptyAnswer(OpUploadPart), refused(200, ""), false},
		{"empty answer after the work", EmptyAnswer(OpUploadPart).AfterWork(), refused(200, ""), true},
		{"redirect", Redirect(OpUploadPart, "http://other.example/"), refused(307, ""), false},
	})
}

func TestRefusalsLookLikeTheRealOnes(t *testing.T) {
	f := newFaultTest(t, nil)
	answer := func(fault *Fault) reply {
		f.Inject(fault)
		return f.do("PUT", f.part(2), "x")
	}
	t.Run("the XML has message and EC", func(t *testing.T) {
		r := answer(Fail(OpUploadPart, 404, "NoSuchUpload"))
		for _, want := range []string{"<EC>0042-00000104</EC>", "<UploadId>" + f.uploadID + "</UploadId>", "<RequestId>" + r.header.Get("x-oss-request-id") + "<"} {
			if !strings.Contains(r.body, want) {
				t.Errorf("no %s in %s", want, r.body)
			}
		}
	})
	t.Run("throttling has the time to wait", func(t *testing.T) {
		r := answer(Throttle(OpUploadPart, 1500*time.Millisecond))
		if got := r.header.Get("x-oss-qos-delay-time"); r.status != 503 || got != "1500" {
			t.Errorf("got %d with x-oss-qos-delay-time %q, want 503 with 1500", r.status, got)
		}
	})
	t.Run("headers of choice", func(t *testing.T) {
		r := answer(HTML(OpUploadPart, 503).Header("Retry-After", "7"))
		if got := r.header.Get("Retry-After"); got != "7" {
			t.Errorf("Retry-After is %q, want 7", got)
		}
	})
	t.Run("a proxy has no headers of OSS", func(t *testing.T) {
		r := answer(HTML(OpUploadPart, 502))
		if r.header.Get("x-oss-request-id") != "" || r.header.Get("Content-Type") != "text/html" || !strings.Contains(r.body, "502 Bad Gateway") {
			t.Errorf("got %v\n%s", r.header, r.body)
		}
	})
	t.Run("an error after the work has no ETag", func(t *testing.T) {
		r := answer(Fail(OpUploadPart, 500, "InternalError").AfterWork())
		if got := r.header.Get("ETag"); got != "" {
			t.Errorf("ETag is %s, want none", got)
		}
	})
	t.Run("a failed callback keeps the ETag", func(t *testing.T) {
		r := answer(Fail(OpUploadPart, 0, "CallbackFailed").AfterWork())
		if r.status != 203 || r.code != "CallbackFailed" || r.header.Get("ETag") == "" {
			t.Errorf("got %d %s with ETag %q, want 203 CallbackFailed with one", r.status, r.code, r.header.Get("ETag"))
		}
	})
	t.Run("a redirect leads back without a location", func(t *testing.T) {
		r := answer(Redirect(OpUploadPart, ""))
		if got := r.header.Get("Location"); r.status != 307 || got != f.URL+f.part(2) {
			t.Errorf("got %d to %q, want 307 to %q", r.status, got, f.URL+f.part(2))
		}
	})
	t.Run("HEAD has its error in a header", func(t *testing.T) {
		f.Inject(Fail(OpHeadObject, 503, "ServiceUnavailable"))
		r := f.do("HEAD", "/media/object", "")
		if r.status != 503 || r.code != "ServiceUnavailable" || r.body != "" {
			t.Errorf("got %d %q and body %q", r.status, r.code, r.body)
		}
		if logged := f.Requests(OpHeadObject)[0]; logged.Code != "ServiceUnavailable" {
			t.Errorf("log has %v", logged)
		}
	})
	f.AssertFired(t)
}

// fails wants the call to fail, with an error that ok accepts.
func fails(ok func(error) bool) func(*testing.T, *faultTest, reply) {
	return func(t *testing.T, f *faultTest, r reply) {
		t.Helper()
		if r.err == nil || !ok(r.err) {
			t.Errorf("got %d and error %v", r.status, r.err)
		}
		if logged := f.Requests(OpUploadPart)[0]; logged.Fault == nil {
			t.Errorf("log has %v, want the fault", logged)
		}
	}
}

// isEnd reports whether a client has seen the orderly end of a connection. While
// it sends, it may find out by a failing write.
func isEnd(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || isReset(err) ||
		strings.Contains(err.Error(), "server closed idle connection")
}

// isAny is for an answer that ends in its header: what the client makes of the
// fragment is up to it.
func isAny(error) bool { return true }

func TestBrokenConnections(t *testing.T) {
	runFaultCases(t, []faultCase{
		{"reset before the body", Reset(OpUploadPart), fails(isReset), false},
		{"reset in the body", Reset(OpUploadPart).InBody(64 << 10), fails(isReset), false},
		{"reset at the end of a shorter body", Reset(OpUploadPart).InBody(1 << 20), fails(isReset), false},
		{"reset before the work", Reset(OpUploadPart).BeforeWork(), fails(isReset), false},
		{"answer lost", LoseAnswer(OpUploadPart), fails(isReset), true},
		{"reset in the answer", Reset(OpUploadPart).InAnswer(20), fails(isAny), true},
		{"end before the body", Disconnect(OpUploadPart), fails(isEnd), false},
		{"end in the body", Disconnect(OpUploadPart).InBody(64 << 10), fails(isEnd), false},
		{"end before the work", Disconnect(OpUploadPart).BeforeWork(), fails(isEnd), false},
		{"end after the work", Disconnect(OpUploadPart).AfterWork(), fails(isEnd), true},
		{"end in the answer", Disconnect(OpUploadPart).InAnswer(20), fails(isAny), true},
		{"answer truncated", Truncate(OpUploadPart), fails(isEnd), true},
	})
}

// TestTheWire looks at what net/http interprets: the bytes that come and the way
// in which a connection ends.
func TestTheWire(t *testing.T) {
	tests := []struct {
		name  string
		fault *Fault
		bytes int // that come; -1 is all
		reset bool
	}{
		{"reset before the body", Reset(OpUploadPart), 0, true},
		{"reset in the body", Reset(OpUploadPart).InBody(3), 0, true},
		{"reset before the work", Reset(OpUploadPart).BeforeWork(), 0, true},
		{"answer lost", LoseAnswer(OpUploadPart), 0, true},
		{"end before the body", Disconnect(OpUploadPart), 0, false},
		{"end in the body", Disconnect(OpUploadPart).InBody(3), 0, false},
		{"end before the work", Disconnect(OpUploadPart).BeforeWork(), 0, false},
		{"end after the work", Disconnect(OpUploadPart).AfterWork(), 0, false},
		{"end in the answer", Disconnect(OpUploadPart).InAnswer(20), 20, false},
		{"end before the last byte of the answer", Disconnect(OpUploadPart).InAnswer(1 << 20), -2, false},
		{"slow answer", SlowAnswer(OpUploadPart, 1<<20), -1, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFaultTest(t, nil)
			f.Inject(test.fault)
			body := "a body"
			if !test.reset {
				// What nobody has read must not make a reset of an orderly end.
				body = strings.Repeat("x", 4<<20)
			}
			got, err := f.raw(f.request(t.Context(), "PUT", f.part(2), strings.NewReader(body)))
			if isPlainReset(err) != test.reset || err != nil && !test.reset {
				t.Errorf("the connection ended with %v, want a reset: %v", err, test.reset)
			}
			switch test.bytes {
			case -1:
				if !strings.HasSuffix(got, "\r\n\r\n") {
					t.Errorf("got %q, want the whole answer", got)
				}
			case -2:
				if !strings.HasSuffix(got, "\r\n\r") {
					t.Errorf("got %q, want all but the last byte of the answer", got)
				}
			default:
				if len(got) != test.bytes {
					t.Errorf("got %q, want %d bytes", got, test.bytes)
				}
			}
		})
	}
}

// raw sends a request on a connection of its own, and reads to the end.
func (f *faultTest) raw(r *http.Request) (string, error) {
	conn, err := net.Dial("tcp", strings.TrimPrefix(f.URL, "http://"))
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := r.Write(conn); err != nil {
		return "", err
	}
	text, err := io.ReadAll(conn)
	return string(text), err
}

func TestResetInBodyReadsSoMuchAndNoMore(t *testing.T) {
	f := newFaultTest(t, nil)
	f.Inject(Reset(OpUploadPart).InBody(1234))
	f.do("PUT", f.part(2), strings.Repeat("x", partSize))
	if got := f.Requests(OpUploadPart)[0].BodyBytes; got != 1234 {
		t.Errorf("the server has read %d bytes, want 1234", got)
	}
}

func TestTruncate(t *testing.T) {
	f := newFaultTest(t, nil)
	t.Run("cuts a body in two", func(t *testing.T) {
		f.Inject(Truncate(OpGetObject))
		r := f.do("GET", "/media/object", "")
		if !errors.Is(r.err, io.ErrUnexpectedEOF) || r.body != "object" || r.header.Get("Content-Length") != "12" {
			t.Errorf("got %q of %s bytes, %v; want half of 12 and an unexpected EOF", r.body, r.header.Get("Content-Length"), r.err)
		}
	})
	t.Run("promises a body where there is none", func(t *testing.T) {
		f.Inject(Truncate(OpUploadPart))
		r := f.do("PUT", f.part(2), "x")
		if r.status != 200 || !errors.Is(r.err, io.ErrUnexpectedEOF) {
			t.Errorf("got %d, %v; want 200 and an unexpected EOF", r.status, r.err)
		}
	})
	t.Run("cuts the header of HEAD", func(t *testing.T) {
		f.Inject(Truncate(OpHeadObject))
		r := f.do("HEAD", "/media/object", "")
		if r.err == nil {
			t.Errorf("got %d, want an error", r.status)
		}
	})
	f.AssertFired(t)
}

func TestWithoutAConnectionTheHandlerAborts(t *testing.T) {
	for _, fault := range []*Fault{Reset(OpGetObject), LoseAnswer(OpGetObject), Truncate(OpGetObject)} {
		t.Run(fault.String(), func(t *testing.T) {
			f := newFaultTest(t, nil)
			f.Inject(fault)
			defer func() {
				if got := recover(); got != http.ErrAbortHandler {
					t.Errorf("panic with %v, want http.ErrAbortHandler", got)
				}
				if n := f.InFlight(); n != 0 {
					t.Errorf("%d calls in flight, want 0", n)
				}
			}()
			r := f.request(t.Context(), "GET", "/media/object", nil)
			f.ServeHTTP(&bareWriter{header: http.Header{}}, r)
			t.Error("ServeHTTP returned")
		})
	}
}

func TestFaultsUnderTLS(t *testing.T) {
	for _, protocol := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(protocol, func(t *testing.T) {
			f := newFaultTest(t, nil)
			server := httptest.NewUnstartedServer(f)
			server.EnableHTTP2 = protocol == "HTTP/2.0"
			server.StartTLS()
			defer server.Close()
			f.URL, f.client = server.URL, server.Client()
			for _, fault := range []*Fault{
				Reset(OpUploadPart), LoseAnswer(OpUploadPart), Disconnect(OpUploadPart).InBody(2), Truncate(OpUploadPart),
			} {
				f.Inject(fault)
				if r := f.do("PUT", f.part(2), "a body"); r.err == nil {
					t.Errorf("%v: got %d, want an error", fault, r.status)
				}
			}
			if got := f.good("GET", "/media/object", "").body; got != "object bytes" {
				t.Errorf("got %q after the faults, want the object", got)
			}
			f.AssertFired(t)
		})
	}
}

// A bareWriter has no connection.
type bareWriter struct{ header http.Header }

func (w *bareWriter) Header() http.Header         { return w.header }
func (w *bareWriter) WriteHeader(int)             {}
func (w *bareWriter) Write(p []byte) (int, error) { return len(p), nil }
