package osstest

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
)

// encodedCallback returns the parameter for a callback.
func encodedCallback(address, body, bodyType string) string {
	text, _ := json.Marshal(map[string]string{"callbackUrl": address, "callbackBody": body, "callbackBodyType": bodyType})
	return base64.StdEncoding.EncodeToString(text)
}

func encodedJSON(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

// A callbackServer records the calls that it gets.
type callbackServer struct {
	*httptest.Server
	calls chan callbackCall
}

type callbackCall struct {
	path, body string
	header     http.Header
	host       string
}

func newCallbackServer(t *testing.T, answer http.HandlerFunc) *callbackServer {
	s := &callbackServer{calls: make(chan callbackCall, 10)}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.calls <- callbackCall{r.URL.Path, string(body), r.Header, r.Host}
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func answerWith(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

func TestCallbackFillsInItsBody(t *testing.T) {
	_, c := newTestServer(t, nil)
	there := newCallbackServer(t, answerWith(200, `{"ok":true}`))
	tests := []struct {
		name, bodyType, body, want string
	}{
		{"a form", "", "b=${bucket}&o=${object}&e=${etag}&s=${size}&m=${mimeType}&v=${x:who}&n=${nothing}&c=1",
			"b=media&o=in%2Fa+b&e=900150983CD24FB0D6963F7D28E17F72&s=3&m=video%2Fmp4&v=me+%26+you&n=&c=1"},
		{"JSON", "application/json", `{"b":${bucket},"o":${object},"s":${size},"m":${mimeType},"v":${x:who},"n":${nothing}}`,
			`{"b":"media","o":"in/a b","s":3,"m":"video/mp4","v":"me \u0026 you","n":""}`},
		{"no variables", "", "hello", "hello"},
		{"half a variable", "", "a=${size", "a=${size"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := c.good("PUT", "/media/in/a%20b", "abc", "Content-Type", "video/mp4",
				"x-oss-callback", encodedCallback(there.URL+"/hook", test.body, test.bodyType),
				"x-oss-callback-var", encodedJSON(`{"x:who":"me & you"}`))
			if a.status != 200 || a.body != `{"ok":true}` || a.Get("Content-Type") != "application/json" {
				t.Errorf("got %d %q; want the callback server's answer", a.status, a.body)
			}
			if a.Get("Etag") == "" || a.Get("X-Oss-Hash-Crc64ecma") == "" {
				t.Error("the answer does not describe the object")
			}
			call := <-there.calls
			if call.body != test.want || call.path != "/hook" {
				t.Errorf("the callback was %s %q; want %q", call.path, call.body, test.want)
			}
		})
	}
}

func TestCallbackOfComplete(t *testing.T) {
	s, c := newTestServer(t, nil)
	there := newCallbackServer(t, answerWith(200, `{"id":7}`))
	id := c.initiate("/media/k", "Content-Type", "video/mp4")
	etag := c.part("/media/k", id, 1, "abc")
	param := encodedCallback(there.URL, "${object} ${size} ${mimeType}", "")
	a := c.good("POST", "/media/k?uploadId="+id, partList(1, etag), "x-oss-callback", param)
	if a.body != `{"id":7}` {
		t.Errorf("got body %q; want the callback server's answer", a.body)
	}
	if call := <-there.calls; call.body != "k 3 video%2Fmp4" {
		t.Errorf("the callback was %q", call.body)
	}
	if got := stored(t, s, "media", "k"); got != "abc" {
		t.Errorf("stored %q; want abc", got)
	}
}

func TestCallbackInTheQuery(t *testing.T) {
	_, c := newTestServer(t, nil)
	there := newCallbackServer(t, answerWith(200, `{}`))
	param := encodedCallback(there.URL, "${size}", "")
	query := "?callback=" + strings.NewReplacer("+", "%2B", "/", "%2F", "=", "%3D").Replace(param)
	c.good("PUT", "/media/k"+query, "abc")
	if call := <-there.calls; call.body != "3" {
		t.Errorf("the callback was %q; want 3", call.body)
	}
	c.refused(400, "InvalidArgument", "PUT", "/media/k"+query, "abc", "x-oss-callback", param)
}

func TestCallbackThatFailsLeavesTheObject(t *testing.T) {
	tests := []struct {
		name    string
		answer  http.HandlerFunc
		message string
	}{
		{"a redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusMovedPermanently)
		}, "Error status : 301."},
		{"an error", answerWith(500, "{}"), "Error status : 500."},
		{"no JSON", answerWith(200, "thanks"), "Response body is not valid json format."},
		{"more than 1 MB", answerWith(200, `"`+strings.Repeat("x", 1<<20)+`"`), "Error status : 400. User server return too long content-length value."},
		{"no length", func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "{")
			w.(http.Flusher).Flush()
			io.WriteString(w, "}")
		},
			"Error status : 400. User server return too long content-length value."},
		{"no answer", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "Cost too long time."},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, c := newTestServer(t, &Options{CallbackTimeout: 200 * time.Millisecond})
			if test.message != "Cost too long time." {
				s.opts.CallbackTimeout = time.Minute
			}
			there := newCallbackServer(t, test.answer)
			id := c.initiate("/media/k")
			etag := c.part("/media/k", id, 1, "abc")
			a := c.do("POST", "/media/k?uploadId="+id, partList(1, etag), "x-oss-callback", encodedCallback(there.URL, "a=b", ""))
			if a.status != 203 || a.Code != "CallbackFailed" || a.EC != "0007-00000203" || a.Message != test.message {
				t.Errorf("got %d %s %s %q; want 203 CallbackFailed 0007-00000203 %q", a.status, a.Code, a.EC, a.Message, test.message)
			}
			if a.Get("Etag") == "" || a.Get("X-Oss-Hash-Crc64ecma") == "" {
				t.Error("the answer does not describe the object")
			}
			if got := stored(t, s, "media", "k"); got != "abc" {
				t.Errorf("stored %q; want abc", got)
			}
		})
	}
}

func TestCallbackTriesItsURLsInTurn(t *testing.T) {
	_, c := newTestServer(t, nil)
	first := newCallbackServer(t, answerWith(500, ""))
	second := newCallbackServer(t, answerWith(200, `{"n":2}`))
	third := newCallbackServer(t, answerWith(200, `{"n":3}`))
	urls := strings.Join([]string{first.URL, second.URL, third.URL}, ";")
	a := c.good("PUT", "/media/k", "abc", "x-oss-callback", encodedCallback(urls, "a=b", ""))
	if a.body != `{"n":2}` {
		t.Errorf("got %q; want the answer of the second server", a.body)
	}
	if len(first.calls) != 1 || len(second.calls) != 1 || len(third.calls) != 0 {
		t.Errorf("the servers got %d, %d and %d calls; want 1, 1, 0", len(first.calls), len(second.calls), len(third.calls))
	}
}

func TestCallbackParametersAreChecked(t *testing.T) {
	s, c := newTestServer(t, nil)
	tests := []struct{ name, param, vars, ec string }{
		{"not base64", "x123-*&", "", "0007-00000002"},
		{"no JSON", encodedJSON("{"), "", ""},
		{"longer than 5 KB", encodedCallback("http://h/", strings.Repeat("b", 5000), ""), "", ""},
		{"six URLs", encodedCallback("http://h/;http://h/;http://h/;http://h/;http://h/;http://h/", "b", ""), "", "0007-00000004"},
		{"a bad URL", encodedCallback("http://h:port/", "b", ""), "", "0007-00000004"},
		{"no body", encodedCallback("http://h/", "", ""), "", "0007-00000011"},
		{"a bad type", encodedCallback("http://h/", "b", "text/plain"), "", "0007-00000012"},
		{"bad variables", encodedCallback("http://h/", "b", ""), "???", "0007-00000002"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := c.refused(400, "InvalidArgument", "PUT", "/media/k", "abc", "x-oss-callback", test.param, "x-oss-callback-var", test.vars)
			if a.EC != test.ec {
				t.Errorf("got EC %q; want %q", a.EC, test.ec)
			}
		})
	}
	if _, ok := s.Object("media", "k"); ok {
		t.Error("an object was stored by a call that was refused")
	}
}
