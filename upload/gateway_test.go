package upload_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// A gateway stands between a client and the server, and changes what passes.
type gateway struct {
	transport http.Transport
	answer    func(*http.Response, []byte) []byte                  // may be nil
	request   func(*http.Request, []byte) ([]byte, *http.Response) // may be nil; of POST
}

func (b *testbed) through(g *gateway) {
	b.t.Cleanup(g.transport.CloseIdleConnections)
	b.opts.HTTPClient = &http.Client{Transport: g}
}

func (g *gateway) RoundTrip(r *http.Request) (*http.Response, error) {
	if g.request != nil && r.Method == http.MethodPost && r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		body, refusal := g.request(r, body)
		if refusal != nil {
			return refusal, nil
		}
		r = r.Clone(r.Context())
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		r.Header.Set("Content-Length", fmt.Sprint(len(body)))
	}
	res, err := g.transport.RoundTrip(r)
	if err != nil || g.answer == nil {
		return res, err
	}
	body, err := io.ReadAll(res.Body)
	res.Body.Close()
	if err != nil {
		return nil, err
	}
	body = g.answer(res, body)
	res.Body = io.NopCloser(bytes.NewReader(body))
	if r.Method != http.MethodHead {
		res.ContentLength = int64(len(body))
	}
	return res, nil
}

var (
	etagElement = regexp.MustCompile(`<ETag>[^<]*</ETag>`)
	partElement = regexp.MustCompile(`<PartNumber>(\d+)</PartNumber><ETag>"([^<]*)"</ETag>`)
)

// gives returns a gateway whose ETags look otherwise than those of OSS, and that takes
// them back in that form only. back is what it wants to see for the server's.
func gives(t *testing.T, header, back func(tag string) string) *gateway {
	var mu sync.Mutex
	tags := make(map[string]string) // of the server, by part number
	bare := func(s string) string { return strings.Trim(s, `"`) }
	return &gateway{
		answer: func(res *http.Response, body []byte) []byte {
			if tag := res.Header.Get("ETag"); tag != "" {
				mu.Lock()
				tags[res.Request.URL.Query().Get("partNumber")] = bare(tag)
				mu.Unlock()
				res.Header.Set("ETag", header(bare(tag)))
			}
			return etagElement.ReplaceAllFunc(body, func(m []byte) []byte {
				tag := strings.NewReplacer("<ETag>", "", "</ETag>", "", "&#34;", "", "&quot;", "", `"`, "").Replace(string(m))
				return []byte("<ETag>" + header(tag) + "</ETag>")
			})
		},
		request: func(r *http.Request, body []byte) ([]byte, *http.Response) {
			mu.Lock()
			defer mu.Unlock()
			for _, m := range partElement.FindAllStringSubmatch(string(body), -1) {
				real, ok := tags[m[1]]
				if !ok {
					real = strings.ToUpper(m[2]) // of an earlier run
				}
				if m[2] != back(real) {
					t.Errorf("part %s: got ETag %q, want %q", m[1], m[2], back(real))
					return nil, &http.Response{StatusCode: 400, Body: io.NopCloser(strings.NewReader("<Error><Code>InvalidPart</Code></Error>"))}
				}
				body = bytes.Replace(body, []byte(m[0]), fmt.Appendf(nil, `<PartNumber>%s</PartNumber><ETag>"%s"</ETag>`, m[1], real), 1)
			}
			return body, nil
		},
	}
}

// Servers and gateways that give other ETags than OSS's, and compare exactly.
func TestETagsOfOtherServers(t *testing.T) {
	same := func(tag string) string { return tag }
	none := func(string) string { return "" }
	quoted := func(f func(string) string) func(string) string {
		return func(tag string) string { return `"` + f(tag) + `"` }
	}
	weak := func(tag string) string { return `W/"` + strings.ToLower(tag) + `"` }
	for _, tt := range []struct {
		name         string
		header, back func(tag string) string
		resumes      bool
	}{
		{"as OSS", quoted(same), same, true},
		{"in lower case", quoted(strings.ToLower), strings.ToLower, true},
		{"without quotation marks", same, same, true},
		{"weak", weak, strings.ToLower, true},
		{"empty, as of the emulator", quoted(none), none, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newTestbed(t)
			rec := b.recorded()
			b.through(gives(t, tt.header, tt.back))
			for _, f := range []upload.File{b.bytesOf("one", 50*kib), b.bytesOf("parts", 450*kib)} {
				res, err := b.client().Upload(b.ctx, f)
				if err != nil || !res.Verified {
					t.Fatalf("%s: got %+v, %v", f.Object, res, err)
				}
				b.sameBytes(f)
			}
			if n := rec.told("OnRetry", ""); n > 0 {
				t.Errorf("%d retries, want none", n)
			}
			if !tt.resumes {
				return
			}
			t.Run("a checkpoint with the ETags in upper case resumes", func(t *testing.T) {
				f := b.bytesOf("resumed", 450*kib)
				b.opts.HTTPClient = nil
				leave(b, f)
				b.through(gives(t, tt.header, tt.back))
				res, err := b.client().Upload(b.ctx, f)
				if err != nil || res.ResumedParts == 0 || res.SentBytes > res.Size-res.ResumedBytes {
					t.Errorf("got %+v, %v; want what was there to count, and Complete once", res, err)
				}
				b.sameBytes(f)
			})
		})
	}
}

// A server that does not give the CRC64 of what it has stored.
func TestNoCRC64(t *testing.T) {
	without := func(only string) *gateway {
		return &gateway{answer: func(res *http.Response, body []byte) []byte {
			if only == "" || res.Request.Method == only {
				res.Header.Del("x-oss-hash-crc64ecma")
			}
			return body
		}}
	}
	t.Run("is a warning, once for each client", func(t *testing.T) {
		b := newTestbed(t)
		b.through(without(""))
		log := &leak{}
		b.opts.Logger = slog.New(slog.NewTextHandler(log, nil))
		c := b.client()
		for _, f := range []upload.File{b.bytesOf("one", 50*kib), b.bytesOf("parts", 450*kib)} {
			res, err := c.Upload(b.ctx, f)
			if err != nil || res.Verified {
				t.Errorf("got %+v and %v, want it not verified", res, err)
			}
			b.sameBytes(f)
		}
		if err := c.Close(); err != nil { // a run writes its last line after Upload has returned
			t.Error(err)
		}
		if n := strings.Count(log.text.String(), "x-oss-hash-crc64ecma"); n != 1 {
			t.Errorf("%d warnings, want one: %s", n, log.text.String())
		}
	})
	for _, tt := range []struct {
		name, only string
		size       int
		ok         bool
	}{
		{"one part", "", 50 * kib, false},
		{"parts", "", 450 * kib, false},
		{"parts, of Complete only: HEAD has it", "POST", 450 * kib, true},
	} {
		t.Run("with RequireCRC, "+tt.name, func(t *testing.T) {
			b := newTestbed(t)
			rec := b.recorded()
			b.through(without(tt.only))
			b.opts.RequireCRC = true
			f := b.bytesOf("a", tt.size)
			res, err := b.client().Upload(b.ctx, f)
			var e *upload.Error
			switch {
			case tt.ok && (err != nil || !res.Verified):
				t.Errorf("got %+v and %v, want it verified", res, err)
			case !tt.ok && (!errors.Is(err, upload.ErrNoCRC) || !errors.As(err, &e) || e.Code != upload.CodeNoCRC):
				t.Errorf("got %v, want ErrNoCRC", err)
			}
			if n := rec.told("OnRetry", ""); n > 0 {
				t.Errorf("%d retries, want none: the next answer would be the same", n)
			}
		})
	}
	t.Run("with RequireCRC, of Complete and HEAD: nothing is left to resume", func(t *testing.T) {
		b := newTestbed(t)
		b.through(&gateway{answer: func(res *http.Response, body []byte) []byte {
			if res.Request.Method != http.MethodPut {
				res.Header.Del("x-oss-hash-crc64ecma")
			}
			return body
		}})
		b.opts.RequireCRC = true
		_, err := b.client().Upload(b.ctx, b.bytesOf("a", 450*kib))
		if !errors.Is(err, upload.ErrNoCRC) {
			t.Errorf("got %v, want ErrNoCRC", err)
		}
		b.clean()
	})
}

// A firewall's refusal has the numbers of a file's.
func TestRefusedConnectionIsNotTheFile(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  error
	}{
		{"EACCES", &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.EACCES)}},
		{"EPERM", &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.EPERM)}},
		{"ENOENT of a socket", &net.OpError{Op: "dial", Net: "unix", Err: os.NewSyscallError("connect", syscall.ENOENT)}},
		{"EACCES of a transport of one's own", syscall.EACCES},
		{"EPERM while sending", &net.OpError{Op: "write", Net: "tcp", Err: os.NewSyscallError("write", syscall.EPERM)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newTestbed(t)
			b.opts.RetryCount = 2
			rec := b.recorded()
			b.opts.HTTPClient = &http.Client{Transport: failing{tt.err}}
			_, err := b.client().Upload(b.ctx, b.bytesOf("a", 50*kib))
			var e *upload.Error
			if !errors.As(err, &e) || e.Code != upload.CodeClientException || !errors.Is(err, tt.err) {
				t.Errorf("got %v, want %s and the cause", err, upload.CodeClientException)
			}
			if n := rec.told("OnRetry", ""); n != 2 {
				t.Errorf("%d retries, want 2", n)
			}
		})
	}
}

type failing struct{ err error }

func (f failing) RoundTrip(r *http.Request) (*http.Response, error) { return nil, f.err }

// A server that has everything and answers nothing: the error says what to set.
func TestUnansweredRequestNamesTheTimeout(t *testing.T) {
	b := newTestbed(t)
	b.opts.StallTimeout, b.opts.RetryCount = 20*time.Millisecond, 1
	hang := osstest.Hang(osstest.OpPutObject).Always()
	b.server.Inject(hang)
	defer hang.Release()
	_, err := b.client().Upload(b.ctx, b.bytesOf("a", kib))
	if err == nil || strings.Count(err.Error(), "Options.StallTimeout") != 1 {
		t.Errorf("got %v, want Options.StallTimeout in it", err)
	}
	b.server.ClearFaults()
	b.server.Inject(osstest.Fail(osstest.OpPutObject, 500, "InternalError").Times(2))
	b.opts.StallTimeout = 0 // the default: an answer may take longer than 20 ms
	_, err = b.client().Upload(b.ctx, b.bytesOf("b", kib))
	if err == nil || strings.Contains(err.Error(), "Options.StallTimeout") {
		t.Errorf("got %v, want no word of a timeout", err)
	}
}
