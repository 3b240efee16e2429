package source_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
	"github.com/vodupload/vodupload/upload/source"
	"github.com/vodupload/vodupload/upload/uploadtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	kib  = 1 << 10
	etag = `"v1"`
)

var modified = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func pattern(size int) []byte {
	data := make([]byte, size)
	for i := range data {
		data[i] = byte(i * 7 / 3)
	}
	return data
}

// An origin serves data. lie, if it is not nil, may answer a request instead, and returns
// whether it has.
type origin struct {
	*httptest.Server
	data []byte
	etag string
	lie  atomic.Pointer[func(w http.ResponseWriter, r *http.Request) bool]

	mu   sync.Mutex
	gets []string // the ranges that were asked for
}

func newOrigin(t *testing.T, size int) *origin {
	o := &origin{data: pattern(size), etag: etag}
	o.Server = httptest.NewServer(o)
	t.Cleanup(o.Server.Close)
	return o
}

func (o *origin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	o.gets = append(o.gets, strings.TrimPrefix(r.Header.Get("Range"), "bytes="))
	o.mu.Unlock()
	if lie := o.lie.Load(); lie != nil && (*lie)(w, r) {
		return
	}
	o.serve(w, r)
}

// serve answers as it should be.
func (o *origin) serve(w http.ResponseWriter, r *http.Request) {
	if o.etag != "" {
		w.Header().Set("Etag", o.etag)
	}
	http.ServeContent(w, r, "talk.mp4", modified, bytes.NewReader(o.data))
}

func (o *origin) lies(lie func(w http.ResponseWriter, r *http.Request) bool) { o.lie.Store(&lie) }

// asked returns the ranges that were asked for since the last call.
func (o *origin) asked() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	gets := o.gets
	o.gets = nil
	return gets
}

// transport is one that the end of the test closes.
func transport(t *testing.T) *http.Transport {
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}

func (o *origin) source(t *testing.T, opts *source.HTTPOptions) *source.HTTP {
	t.Helper()
	if opts == nil {
		opts = &source.HTTPOptions{}
	}
	if opts.Transport == nil {
		opts.Transport = transport(t)
	}
	src, err := source.NewHTTP(t.Context(), o.URL+"/talk.mp4", opts)
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// A destination is a server of OSS, and a store that clients share.
type destination struct {
	*osstest.Server
	store checkpoint.Store
}

func newDestination(t *testing.T) *destination {
	d := &destination{osstest.NewServer(&osstest.Options{Buckets: []string{"media"}}), checkpoint.NewMemory()}
	t.Cleanup(d.Close)
	return d
}

// upload uploads src as a process of its own does.
func (d *destination) upload(t *testing.T, src *source.HTTP) (upload.Result, error) {
	t.Helper()
	opts := uploadtest.Options(osstest.DefaultKey)
	opts.Checkpoints, opts.Parallel = d.store, 1
	client, err := upload.New(&opts)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	return client.Upload(t.Context(), upload.File{Path: src.Name(), Source: src, Endpoint: d.URL, Bucket: "media", Object: "talk.mp4"})
}

func (d *destination) content(t *testing.T) []byte {
	t.Helper()
	o, ok := d.Object("media", "talk.mp4")
	if !ok {
		t.Fatal("there is no object")
	}
	r, err := o.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestEachPartIsOneGET(t *testing.T) {
	for _, parts := range []int{1, 2, 32} {
		o, d := newOrigin(t, parts*100*kib-3), newDestination(t)
		src := o.source(t, nil)
		res, err := d.upload(t, src)
		if err != nil {
			t.Fatal(err)
		}
		if res.Parts != parts || !bytes.Equal(d.content(t), o.data) {
			t.Errorf("got %d parts, want %d; or the object has other bytes", res.Parts, parts)
		}
		if got := o.asked(); len(got) != 1+parts {
			t.Errorf("got %d requests for %d parts, want one each and one before: %q", len(got), parts, got)
		}
	}
}

func TestAnEmptyFile(t *testing.T) {
	for name, lie := range map[string]func(http.ResponseWriter, *http.Request) bool{
		"200": nil,
		"416": func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Content-Range", "bytes */0")
			w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
			return true
		},
	} {
		t.Run(name, func(t *testing.T) {
			o, d := newOrigin(t, 0), newDestination(t)
			if lie != nil {
				o.lies(lie)
			}
			if _, err := d.upload(t, o.source(t, nil)); err != nil {
				t.Fatal(err)
			}
			if len(d.content(t)) != 0 {
				t.Error("the object is not empty")
			}
		})
	}
}

// TestAnotherMachineReadsNothingAgain: it has another signed URL, which a redirect of
// another server leads from.
func TestAnotherMachineReadsNothingAgain(t *testing.T) {
	for name, c := range map[string]struct {
		etag   string
		sample int // parts that are read to be compared
	}{"strong ETag": {etag, 0}, "Last-Modified": {"", 1}} {
		t.Run(name, func(t *testing.T) {
			o, d := newOrigin(t, 800*kib), newDestination(t)
			o.etag = c.etag
			signed := func(signature string) *source.HTTP {
				src, err := source.NewHTTP(t.Context(), o.URL+"/talk.mp4?signature="+signature, &source.HTTPOptions{Transport: transport(t)})
				if err != nil {
					t.Fatal(err)
				}
				return src
			}
			d.Inject(osstest.Fail(osstest.OpUploadPart, 403, "AccessDenied").Part(6))
			if _, err := d.upload(t, signed("one")); err == nil {
				t.Fatal("want the error of part 6")
			}
			var got atomic.Int32 // without those that the first run has left under way
			o.lies(func(_ http.ResponseWriter, r *http.Request) bool {
				if r.URL.Query().Get("signature") == "two" {
					got.Add(1)
				}
				return false
			})
			res, err := d.upload(t, signed("two"))
			if err != nil {
				t.Fatal(err)
			}
			kept := res.ResumedParts
			if kept < 5 || !bytes.Equal(d.content(t), o.data) {
				t.Errorf("resumed %d parts, want 5 at least; or the object has other bytes", kept)
			}
			// A part that OSS got as the first run ended was never acknowledged: it is compared.
			if least := 1 + c.sample + 8 - kept; int(got.Load()) < least || int(got.Load()) > least+kept-5 {
				t.Errorf("got %d requests, want 1, %d to compare, one for each of %d parts, and one at most for each of %d more", got.Load(), c.sample, 8-kept, kept-5)
			}
		})
	}
}

// answer writes an answer to a request for a range, with everything as it should be, and
// then as change wants it.
func (o *origin) answer(w http.ResponseWriter, r *http.Request, change func(h http.Header, body []byte) (int, []byte)) bool {
	var first, last int
	if _, err := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-%d", &first, &last); err != nil {
		panic(err)
	}
	if first == last {
		return false // NewHTTP sees nothing of it
	}
	h := w.Header()
	h.Set("Etag", o.etag)
	h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", first, last, len(o.data)))
	status, body := change(h, o.data[first:last+1])
	if h.Get("Content-Length") == "" {
		h.Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(status)
	_, _ = w.Write(body)
	return true
}

func set(name, value string) func(http.Header, []byte) (int, []byte) {
	return func(h http.Header, body []byte) (int, []byte) {
		h.Set(name, value)
		return http.StatusPartialContent, body
	}
}

func status(code int) func(http.Header, []byte) (int, []byte) {
	return func(h http.Header, _ []byte) (int, []byte) {
		h.Del("Content-Range")
		return code, []byte("?")
	}
}

// raw answers with bytes that net/http would not write, and closes the connection.
func raw(text string, then func(io.Writer)) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		conn, buf, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		defer conn.Close()
		_ = buf.Flush()
		_, _ = io.WriteString(conn, text)
		if then != nil {
			then(conn)
		}
		return true
	}
}

// TestServersThatLie: what the first answer to part 1 says that is not so. Another version
// makes no object; what may pass is asked for again.
func TestServersThatLie(t *testing.T) {
	const size = 300*kib - 1
	type change = func(http.Header, []byte) (int, []byte)
	head := fmt.Sprintf("HTTP/1.1 206 Partial Content\r\nEtag: %s\r\nContent-Range: bytes 0-%d/%d\r\n", etag, 100*kib-1, size)
	for name, c := range map[string]struct {
		change change
		raw    func(http.ResponseWriter, *http.Request) bool
		want   error // nil: it passes
		text   string
	}{
		"200 with all of it": {change: func(h http.Header, _ []byte) (int, []byte) {
			h.Del("Content-Range")
			return http.StatusOK, pattern(size)
		}, want: upload.ErrFileChanged, text: "asked for a range"},
		"200 with the range":         {change: func(_ http.Header, b []byte) (int, []byte) { return 200, b }, want: upload.ErrFileChanged},
		"another total":              {change: set("Content-Range", fmt.Sprintf("bytes 0-%d/%d", 100*kib-1, size+1)), want: upload.ErrFileChanged, text: "it had 307199"},
		"an unknown total":           {change: set("Content-Range", fmt.Sprintf("bytes 0-%d/*", 100*kib-1)), want: errors.ErrUnsupported},
		"another ETag":               {change: set("Etag", `"v2"`), want: upload.ErrFileChanged, text: `ETag is "v2", it was "v1"`},
		"the ETag, weak":             {change: set("Etag", `W/"v1"`), want: upload.ErrFileChanged},
		"no ETag":                    {change: set("Etag", ""), want: upload.ErrFileChanged},
		"412":                        {change: status(412), want: upload.ErrFileChanged},
		"416":                        {change: status(416), want: upload.ErrFileChanged},
		"404":                        {change: status(404), want: upload.ErrFileNotExist},
		"410":                        {change: status(410), want: upload.ErrFileNotExist},
		"401":                        {change: status(401), want: fs.ErrPermission},
		"403":                        {change: status(403), want: fs.ErrPermission},
		"400":                        {change: status(400), want: fs.ErrInvalid, text: "400 Bad Request"},
		"501":                        {change: status(501), want: fs.ErrInvalid},
		"another start":              {change: set("Content-Range", fmt.Sprintf("bytes 1-%d/%d", 100*kib, size)), want: errors.ErrUnsupported, text: "answered with the bytes 1-102400, asked for 0-102399"},
		"another end":                {change: set("Content-Range", fmt.Sprintf("bytes 0-%d/%d", 100*kib, size)), want: errors.ErrUnsupported},
		"no Content-Range":           {change: set("Content-Range", ""), want: errors.ErrUnsupported},
		"items":                      {change: set("Content-Range", "items 0-102399/307199"), want: errors.ErrUnsupported},
		"a range backwards":          {change: set("Content-Range", "bytes 9-0/307199"), want: errors.ErrUnsupported},
		"a range beyond the total":   {change: set("Content-Range", "bytes 0-102399/5"), want: errors.ErrUnsupported},
		"a signed range":             {change: set("Content-Range", "bytes +0-102399/307199"), want: errors.ErrUnsupported},
		"a range beyond 64 bits":     {change: set("Content-Range", "bytes 0-102399/99999999999999999999"), want: errors.ErrUnsupported},
		"two of Content-Range":       {change: func(h http.Header, b []byte) (int, []byte) { h.Add("Content-Range", "bytes 0-1/2"); return 206, b }, want: errors.ErrUnsupported},
		"gzip":                       {change: set("Content-Encoding", "gzip"), want: errors.ErrUnsupported, text: "encoded (gzip)"},
		"multipart/byteranges":       {change: set("Content-Type", "multipart/byteranges; boundary=x"), want: errors.ErrUnsupported, text: "multipart"},
		"a short Content-Length":     {change: func(_ http.Header, b []byte) (int, []byte) { return 206, b[1:] }, want: errors.ErrUnsupported, text: "has 102399 bytes"},
		"206 of one byte more":       {change: func(_ http.Header, b []byte) (int, []byte) { return 206, append(b[:len(b):len(b)], 0) }, want: errors.ErrUnsupported},
		"an endless chunked body":    {raw: raw(head+"Transfer-Encoding: chunked\r\n\r\n", chunks(1<<20, false)), text: "does the server support ranges?"},
		"passes: it ends early":      {change: func(h http.Header, b []byte) (int, []byte) { h.Set("Content-Length", "102400"); return 206, b[:9] }},
		"passes: chunked, not ended": {raw: raw(head+"Transfer-Encoding: chunked\r\n\r\n", chunks(5000, false))},
		"passes: chunked and short":  {raw: raw(head+"Transfer-Encoding: chunked\r\n\r\n", chunks(5000, true))},
		"passes: closed and short":   {raw: raw(head+"Connection: close\r\n\r\nabc", nil)},
		"passes: negative length":    {raw: raw(head+"Content-Length: -1\r\n\r\nabc", nil)},
		"passes: no HTTP":            {raw: raw("SSH-2.0-OpenSSH\r\n", nil)},
		"passes: nothing":            {raw: raw("", nil)},
		"passes: an endless header":  {raw: raw("HTTP/1.1 206 Partial Content\r\n", forever("X-Filler: filler\r\n"))},
		"passes: 408":                {change: status(408)},
		"passes: 429":                {change: status(429)},
		"passes: 500":                {change: status(500)},
		"passes: 503":                {change: status(503)},
	} {
		t.Run(name, func(t *testing.T) {
			o, d := newOrigin(t, size), newDestination(t)
			tr := transport(t)
			tr.MaxResponseHeaderBytes = 64 << 10
			src := o.source(t, &source.HTTPOptions{Transport: tr})
			var lied atomic.Int32
			o.lies(func(w http.ResponseWriter, r *http.Request) bool {
				if r.Header.Get("Range") != "bytes=0-102399" || lied.Add(1) > 1 {
					return false
				}
				if c.raw != nil {
					return c.raw(w, r)
				}
				return o.answer(w, r, c.change)
			})
			_, err := d.upload(t, src)
			if strings.HasPrefix(name, "passes") {
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(d.content(t), o.data) {
					t.Error("the object has other bytes")
				}
				return
			}
			if err == nil || c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) {
				t.Fatalf("got %v, want %v %q", err, c.want, c.text)
			}
			if strings.Contains(err.Error(), "gave up after") {
				t.Errorf("it was asked for again: %v", err)
			}
			if len(d.Objects("media")) > 0 {
				t.Error("an object was made")
			}
		})
	}
}

// chunks writes n bytes in chunks, and the last chunk if they are to end.
func chunks(n int, end bool) func(io.Writer) {
	return func(w io.Writer) {
		for ; n > 0; n -= 1000 {
			if _, err := fmt.Fprintf(w, "3e8\r\n%s\r\n", pattern(1000)); err != nil {
				return
			}
		}
		if end {
			_, _ = io.WriteString(w, "0\r\n\r\n")
		}
	}
}

// forever writes text until the other side has had enough.
func forever(text string) func(io.Writer) {
	return func(w io.Writer) {
		for {
			if _, err := io.WriteString(w, text); err != nil {
				return
			}
		}
	}
}

// TestNewHTTPRefuses: what the first request finds.
func TestNewHTTPRefuses(t *testing.T) {
	header := func(name, value string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("Etag", etag)
			w.Header().Set("Content-Range", "bytes 0-0/100")
			w.Header().Set(name, value)
			w.WriteHeader(206)
			_, _ = w.Write([]byte("x"))
			return true
		}
	}
	bare := func(status int) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(status); return true }
	}
	for name, c := range map[string]struct {
		lie  func(http.ResponseWriter, *http.Request) bool
		want error
		text string
	}{
		"no ranges": {func(w http.ResponseWriter, _ *http.Request) bool { _, _ = w.Write([]byte("all of it")); return true },
			errors.ErrUnsupported, "give the file as File.Reader"},
		"a weak ETag":           {header("Etag", `W/"v1"`), errors.ErrUnsupported, "AllowWeak"},
		"a malformed ETag":      {header("Etag", `v1`), errors.ErrUnsupported, "neither an ETag"},
		"no identity":           {header("Etag", ""), errors.ErrUnsupported, "neither an ETag"},
		"an unknown size":       {header("Content-Range", "bytes 0-0/*"), errors.ErrUnsupported, ""},
		"another range":         {header("Content-Range", "bytes 0-1/100"), errors.ErrUnsupported, "asked for 0-0"},
		"gzip":                  {header("Content-Encoding", "gzip"), errors.ErrUnsupported, "encoded"},
		"multipart/byteranges":  {header("Content-Type", "multipart/byteranges; boundary=x"), errors.ErrUnsupported, "multipart"},
		"404":                   {bare(404), upload.ErrFileNotExist, "404 Not Found"},
		"403":                   {bare(403), fs.ErrPermission, "403 Forbidden"},
		"304":                   {bare(304), fs.ErrInvalid, "304 Not Modified"},
		"a redirect to itself":  {redirect("/talk.mp4"), errors.ErrUnsupported, "more than 10 times"},
		"a redirect to nothing": {redirect(""), errors.ErrUnsupported, "no URL"},
		"a redirect to a file":  {redirect("file:///etc/passwd"), errors.ErrUnsupported, "no URL"},
		"a redirect to no URL":  {redirect("http://[::1"), errors.ErrUnsupported, "no URL"},
		"modified within this second": {func(w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("Date", modified.Format(http.TimeFormat))
			return header("Etag", "")(modifiedNow{w}, r)
		}, errors.ErrUnsupported, "try again in a second"},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOrigin(t, 100)
			o.lies(c.lie)
			_, err := source.NewHTTP(t.Context(), o.URL+"/talk.mp4?sig=secret", &source.HTTPOptions{Transport: transport(t)})
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) || !strings.Contains(err.Error(), "/talk.mp4: ") {
				t.Errorf("got %v, want %v %q", err, c.want, c.text)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("the error has the query: %v", err)
			}
		})
	}
	for _, url := range []string{"", "talk.mp4", "ftp://h/x", "http://", "http://u:pa#ss@h/", "http://h/\x00", "http://[::1"} {
		if _, err := source.NewHTTP(t.Context(), url, nil); !errors.Is(err, upload.ErrInvalidArgument) || strings.Contains(err.Error(), "pa") {
			t.Errorf("%q: got %v, want ErrInvalidArgument", url, err)
		}
	}
}

// modifiedNow has the time of the modification in each answer.
type modifiedNow struct{ http.ResponseWriter }

func (w modifiedNow) WriteHeader(status int) {
	w.Header().Set("Last-Modified", modified.Format(http.TimeFormat))
	w.ResponseWriter.WriteHeader(status)
}

func redirect(to string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusFound)
		return true
	}
}

func TestAllowWeak(t *testing.T) {
	o, d := newOrigin(t, 250*kib), newDestination(t)
	o.etag = `W/"v1"`
	src := o.source(t, &source.HTTPOptions{AllowWeak: true})
	if src.StrongFingerprint() {
		t.Error("the fingerprint is strong")
	}
	if _, err := d.upload(t, src); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(d.content(t), o.data) {
		t.Error("the object has other bytes")
	}
	o.etag = `W/"v2"`
	if _, err := src.ReadAt(make([]byte, 9), 0); !errors.Is(err, upload.ErrFileChanged) {
		t.Errorf("got %v, want ErrFileChanged", err)
	}
}

func TestConditions(t *testing.T) {
	for _, c := range []struct{ etag, match, unmodified string }{
		{etag, etag, ""},
		{"", "", modified.Format(http.TimeFormat)},
	} {
		o := newOrigin(t, 100)
		o.etag = c.etag
		src := o.source(t, nil)
		o.lies(func(w http.ResponseWriter, r *http.Request) bool {
			if h := r.Header; h.Get("If-Match") != c.match || h.Get("If-Unmodified-Since") != c.unmodified || h.Get("Accept-Encoding") != "identity" {
				t.Errorf("got %v, want If-Match %q, If-Unmodified-Since %q", h, c.match, c.unmodified)
			}
			return false
		})
		if n, err := src.ReadAt(make([]byte, 9), 95); n != 5 || err != io.EOF {
			t.Errorf("got %d, %v, want 5 bytes and io.EOF", n, err)
		}
	}
}

func TestReadAt(t *testing.T) {
	o := newOrigin(t, 100)
	src := o.source(t, nil)
	o.asked()
	for _, c := range []struct {
		len, n int
		off    int64
		err    error
	}{{9, 9, 0, nil}, {9, 9, 91, nil}, {9, 5, 95, io.EOF}, {9, 0, 100, io.EOF}, {9, 0, 1 << 40, io.EOF}, {0, 0, 5, nil}} {
		p := make([]byte, c.len)
		n, err := src.ReadAt(p, c.off)
		if n != c.n || err != c.err || n > 0 && !bytes.Equal(p[:n], o.data[c.off:c.off+int64(n)]) {
			t.Errorf("%d bytes at %d: got %d, %v, want %d, %v", c.len, c.off, n, err, c.n, c.err)
		}
	}
	if _, err := src.ReadAt(make([]byte, 1), -1); !errors.Is(err, upload.ErrInvalidArgument) {
		t.Errorf("got %v, want ErrInvalidArgument", err)
	}
	for _, s := range [][2]int64{{-1, 1}, {0, 0}, {0, 101}, {100, 1}, {1, 1<<63 - 1}} {
		if _, err := src.Section(t.Context(), s[0], s[1]); !errors.Is(err, upload.ErrInvalidArgument) {
			t.Errorf("Section(%d, %d): got %v, want ErrInvalidArgument", s[0], s[1], err)
		}
	}
	if got := o.asked(); len(got) != 3 {
		t.Errorf("got %q, want three requests", got)
	}
}

// TestRenew: the signature expires in the middle of the film.
func TestRenew(t *testing.T) {
	o, d := newOrigin(t, 600*kib), newDestination(t)
	var valid atomic.Value
	valid.Store("1")
	o.lies(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Query().Get("signature") == valid.Load() {
			return false
		}
		w.WriteHeader(http.StatusForbidden)
		return true
	})
	var renewals atomic.Int32
	src, err := source.NewHTTP(t.Context(), o.URL+"/talk.mp4?signature=1", &source.HTTPOptions{
		Transport: transport(t),
		Renew: func(context.Context) (string, error) {
			renewals.Add(1)
			return o.URL + "/talk.mp4?signature=" + valid.Load().(string), nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	print := src.Fingerprint()
	valid.Store("2")
	var refused sync.WaitGroup
	for i := range 8 {
		refused.Go(func() {
			if _, err := src.ReadAt(make([]byte, 1), int64(i)); err != nil {
				t.Error(err)
			}
		})
	}
	refused.Wait()
	if n := renewals.Load(); n != 1 {
		t.Errorf("Renew was called %d times for 8 requests at once, want once", n)
	}
	valid.Store("3")
	if _, err := d.upload(t, src); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(d.content(t), o.data) || src.Fingerprint() != print || renewals.Load() != 2 {
		t.Errorf("the object has other bytes, or the fingerprint changed, or Renew was called %d times, want twice", renewals.Load())
	}

	t.Run("in vain", func(t *testing.T) {
		o.lies(func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(http.StatusForbidden); return true })
		renewals.Store(0)
		if _, err := src.ReadAt(make([]byte, 1), 0); !errors.Is(err, fs.ErrPermission) || renewals.Load() > 2 {
			t.Errorf("got %v after %d renewals, want fs.ErrPermission after 2 at most", err, renewals.Load())
		}
	})
}

func TestRenewThatFails(t *testing.T) {
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		url  string
		err  error
		want error
	}{
		"an error": {"", broken, broken},
		"no URL":   {"://secret", nil, errors.ErrUnsupported},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOrigin(t, 100)
			src := o.source(t, &source.HTTPOptions{Renew: func(context.Context) (string, error) { return c.url, c.err }})
			o.lies(func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(http.StatusUnauthorized); return true })
			if _, err := src.ReadAt(make([]byte, 1), 0); !errors.Is(err, c.want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

// TestRedirectIsPinned: and where it has expired, the way is found again from its
// beginning. The other server gets no secret.
func TestRedirectIsPinned(t *testing.T) {
	cdn := newOrigin(t, 300*kib)
	var valid atomic.Value
	valid.Store("1")
	cdn.lies(func(w http.ResponseWriter, r *http.Request) bool {
		if _, _, ok := r.BasicAuth(); ok || r.Header.Get("X-Key") != "" || r.Header.Get("Cookie") != "" {
			t.Errorf("the other server got %v", r.Header)
		}
		if r.URL.Query().Get("token") == valid.Load() {
			return false
		}
		w.WriteHeader(http.StatusForbidden)
		return true
	})
	front := newOrigin(t, 0)
	front.lies(func(w http.ResponseWriter, r *http.Request) bool {
		if user, password, _ := r.BasicAuth(); user != "user" || password != "pass" || r.Header.Get("X-Key") != "secret" {
			t.Errorf("the server itself got %v", r.Header)
		}
		if r.URL.Path != "/second" {
			http.Redirect(w, r, "/second", http.StatusFound)
		} else {
			http.Redirect(w, r, cdn.URL+"/talk.mp4?token="+valid.Load().(string), http.StatusTemporaryRedirect)
		}
		return true
	})
	src, err := source.NewHTTP(t.Context(), strings.Replace(front.URL, "://", "://user:pass@", 1)+"/talk.mp4", &source.HTTPOptions{
		Transport: transport(t), Authorize: func(h http.Header) { h.Set("X-Key", "secret"); h.Set("Cookie", "a=b") },
	})
	if err != nil {
		t.Fatal(err)
	}
	if src.Name() != front.URL+"/talk.mp4" {
		t.Errorf("got name %s", src.Name())
	}
	d := newDestination(t)
	if _, err := d.upload(t, src); err != nil {
		t.Fatal(err)
	}
	if n := len(front.asked()); n != 2 {
		t.Errorf("the first server got %d requests, want 2", n)
	}
	valid.Store("2")
	if _, err := src.ReadAt(make([]byte, 1), 0); err != nil {
		t.Error(err)
	}
	if !bytes.Equal(d.content(t), cdn.data) {
		t.Error("the object has other bytes")
	}
}

func TestDowngradeIsRefused(t *testing.T) {
	plain := newOrigin(t, 100)
	secure := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { redirect(plain.URL+"/talk.mp4")(w, r) }))
	defer secure.Close()
	_, err := source.NewHTTP(t.Context(), secure.URL+"/talk.mp4", &source.HTTPOptions{Transport: secure.Client().Transport})
	if err == nil || !strings.Contains(err.Error(), "from https to http") {
		t.Errorf("got %v, want the downgrade", err)
	}
	if len(plain.asked()) > 0 {
		t.Error("the redirect was followed")
	}
}

func TestStall(t *testing.T) {
	for name, begin := range map[string]bool{"before the answer": false, "within the body": true} {
		t.Run(name, func(t *testing.T) {
			o := newOrigin(t, 100)
			src := o.source(t, &source.HTTPOptions{StallTimeout: 30 * time.Millisecond})
			release := make(chan struct{})
			defer close(release)
			o.lies(func(w http.ResponseWriter, r *http.Request) bool {
				return o.answer(w, r, func(h http.Header, b []byte) (int, []byte) {
					if begin {
						h.Set("Content-Length", "9")
						w.WriteHeader(206)
						_, _ = w.Write(b[:1])
						_ = http.NewResponseController(w).Flush()
					}
					select {
					case <-release:
					case <-r.Context().Done():
					}
					panic(http.ErrAbortHandler)
				})
			})
			_, err := src.ReadAt(make([]byte, 9), 0)
			var timeout net.Error
			if err == nil || !strings.Contains(err.Error(), "nothing came from the server for 30ms") || !(errors.As(err, &timeout) || isTimeout(err)) {
				t.Errorf("got %v, want the stall", err)
			}
		})
	}
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

func TestSectionEndsWithItsContext(t *testing.T) {
	o := newOrigin(t, 100)
	src := o.source(t, nil)
	o.lies(func(_ http.ResponseWriter, r *http.Request) bool { <-r.Context().Done(); return true })
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	time.AfterFunc(10*time.Millisecond, func() { cancel(enough) })
	if _, err := src.Section(ctx, 0, 9); !errors.Is(err, enough) {
		t.Errorf("got %v, want the cause", err)
	}
}

// A brokenTransport says what it was asked for, and not in one form.
type brokenTransport struct{ after *atomic.Int32 }

func (b brokenTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if b.after.Add(-1) >= 0 {
		return http.DefaultTransport.RoundTrip(req)
	}
	_, password, _ := req.BasicAuth()
	return nil, fmt.Errorf("GET %s failed (query %s, %s, password %s, header %s)", req.URL, req.URL.RawQuery, req.URL.Query().Get("sig"), password, req.Header.Get("X-Key"))
}

func TestNoSecretInErrors(t *testing.T) {
	defer http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	o := newOrigin(t, 100)
	after := new(atomic.Int32)
	after.Store(1)
	u := strings.Replace(o.URL, "://", "://user:pass-secret@", 1) + "/talk.mp4?sig=a%2Fsecret&user=b"
	src, err := source.NewHTTP(t.Context(), u, &source.HTTPOptions{Transport: brokenTransport{after}, Authorize: func(h http.Header) { h.Set("X-Key", "key-secret") }})
	if err != nil {
		t.Fatal(err)
	}
	_, err = src.ReadAt(make([]byte, 1), 0)
	for ; err != nil; err = errors.Unwrap(err) {
		if strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err.Error()), "secret") {
			t.Errorf("got %v", err)
		}
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if text := fmt.Sprintf(verb, src); strings.Contains(text, "secret") {
			t.Errorf("%s: %s", verb, text)
		}
	}
}

func TestRetryAfterIsTheLeastPause(t *testing.T) {
	o := newOrigin(t, 100)
	src := o.source(t, nil)
	for text, want := range map[string]time.Duration{
		"7": 7 * time.Second, modified.Add(time.Minute).Format(http.TimeFormat): time.Minute,
		"": 0, "soon": 0, "-5": 0, modified.Add(-time.Hour).Format(http.TimeFormat): 0,
	} {
		o.lies(func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Date", modified.Format(http.TimeFormat))
			w.Header().Set("Retry-After", text)
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		})
		_, err := src.ReadAt(make([]byte, 1), 0)
		var asks interface{ RetryAfter() time.Duration }
		if !errors.As(err, &asks) || asks.RetryAfter() != want {
			t.Errorf("%q: got %v, want %v", text, err, want)
		}
	}
}
