package source_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/source"
)

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
