package wire

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// What speaks another protocol, or is another service, says so in the error.
func TestOtherServices(t *testing.T) {
	banner := func(text string) func(t *testing.T) string {
		return func(t *testing.T) string {
			return serveRaw(t, func(c *serverConn) {
				fmt.Fprint(c.TCPConn, text)
				_ = c.CloseWrite()
				<-c.stop
			})
		}
	}
	page := func(status int, kind, text string) func(t *testing.T) string {
		return func(t *testing.T) string {
			return serve(t, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				w.Header().Set("Content-Type", kind)
				w.WriteHeader(status)
				_, _ = io.WriteString(w, text)
			})
		}
	}
	for _, tt := range []struct {
		name   string
		tls    bool // the endpoint is asked with https
		server func(t *testing.T) string
		want   string
		class  Class
	}{
		{"http to a TLS port", false, func(t *testing.T) string {
			s := httptest.NewUnstartedServer(nil)
			s.Config.ErrorLog = quiet
			s.StartTLS()
			t.Cleanup(s.Close)
			return s.URL
		}, `"Client sent an HTTP request to an HTTPS server."`, Permanent},
		{"http to a port that answers with a TLS alert", false, banner("\x15\x03\x01\x00\x02\x02\x46"), `\x15\x03\x01`, Retry},
		{"https to an http port", true, page(200, "text/plain", "hello"), "is https the right scheme", Permanent},
		{"http to an SSH server", false, banner("SSH-2.0-OpenSSH_9.6\r\n"), "SSH-2.0-OpenSSH_9.6", Retry},
		{"https to an SSH server", true, banner("SSH-2.0-OpenSSH_9.6\r\n"), `begins with "SSH-2"`, Permanent},
		{"a captive portal", false, page(200, "text/html", "<html><head><style>b{}</style></head><body><h1>Hotel</h1>\n<p>Please sign in</p></body></html>"), `"Hotel Please sign in"`, Retry},
		{"a proxy that wants a password", false, page(407, "text/html", "<h1>Squid</h1> says no"), `407 Proxy Authentication Required: answer is not of OSS: 22 bytes of text/html: "Squid says no"`, Permanent},
		{"one long line", false, page(400, "text/plain", strings.Repeat("long ", 1000)), `long …"`, Permanent},
		{"binary data", false, page(400, "application/x", strings.Repeat("\x00\xff\x1b", 1000)), `\x00\xff\x1b`, Permanent},
		{"a line break and a control character", false, page(400, "text/plain", "a\r\nb\x1b[31m"), `"a b\x1b[31m"`, Permanent},
		{"the request's own secrets", false, page(400, "text/plain", "sts-token you sent, and sts%2Dtoken"), `"[redacted] you sent, and sts%2Dtoken"`, Permanent},
		{"a secret at the cut", false, page(400, "text/plain", strings.Repeat("x", maxExcerpt-4)+"sts-token"), `x[red…"`, Permanent},
	} {
		t.Run(tt.name, func(t *testing.T) {
			url := tt.server(t)
			if tt.tls {
				url = strings.Replace(url, "http:", "https:", 1)
			} else {
				url = strings.Replace(url, "https:", "http:", 1)
			}
			o := newObject(t, url, nil)
			_, err := o.UploadPart(t.Context(), testToken, "UPLOAD", 7, bodyOf("x"), nil)
			e := wantError(t, err, tt.class)
			text := e.Error()
			if !strings.Contains(text, tt.want) || len(text) > 600 || strings.ContainsAny(text, "\r\n\x00\x1b") || strings.Contains(text, "sts-t") {
				t.Errorf("got %q, want %q in it", text, tt.want)
			}
		})
	}
}

func TestQuotedIsBounded(t *testing.T) {
	for _, s := range []string{"", " \n", "a", strings.Repeat("ü", 1000), strings.Repeat("\xff", 1000), strings.Repeat("\xbf", 1000), strings.Repeat("\"\\", 1000), strings.Repeat("\x01", 5)} {
		q := quoted(s)
		if len(q) > maxQuoted || (q == "") != (strings.TrimSpace(s) == "") {
			t.Errorf("%.20q: got %d bytes", s, len(q))
		}
	}
}

// Secrets are found in the forms in which a page or a URL shows them.
func TestRedactForms(t *testing.T) {
	s := testToken
	s.SecurityToken = `CAIS+/=&"token"`
	for _, shown := range []string{
		s.SecurityToken,
		url.QueryEscape(s.SecurityToken),
		"CAIS+/=&amp;&#34;token&#34;",
		"CAIS+/=&amp;&quot;token&quot;",
	} {
		if got := s.redact("<" + shown + ">"); got != "<[redacted]>" {
			t.Errorf("got %s of %s", got, shown)
		}
	}
}
