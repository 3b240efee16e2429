package wire

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

const benchPart = 1 << 20

// sink answers each PUT of a part's size on c, and makes no garbage.
func sink(c net.Conn, size int64) {
	answer := []byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nDate: Mon, 02 Jan 2006 15:04:05 GMT\r\n" +
		"ETag: \"251AD9D223371CF6380544DF72E106CB\"\r\nx-oss-request-id: 6556E3AED11E553933CCDEDF\r\n\r\n")
	buf := make([]byte, 256<<10)
	for {
		var head, n int
		for head == 0 {
			k, err := c.Read(buf[n:])
			if err != nil {
				return
			}
			n += k
			head = bytes.Index(buf[:n], []byte("\r\n\r\n")) + 4
			if head == 3 {
				head = 0
			}
		}
		for left := size - int64(n-head); left > 0; {
			k, err := c.Read(buf)
			if err != nil {
				return
			}
			left -= int64(k)
		}
		if _, err := c.Write(answer); err != nil {
			return
		}
	}
}

// benchServer starts a sink.
func benchServer(b *testing.B, conf *tls.Config) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				if conf != nil {
					c = tls.Server(c, conf)
				}
				defer c.Close()
				sink(c, benchPart)
			}()
		}
	}()
	if conf != nil {
		return "https://" + l.Addr().String()
	}
	return "http://" + l.Addr().String()
}

// BenchmarkUploadPart sends parts of 1 MiB over the loopback interface: by a call of
// this package, and as a plain request of net/http, which is the floor.
func BenchmarkUploadPart(b *testing.B) {
	content := data(benchPart)
	s := httptest.NewTLSServer(nil)
	conf, trust := s.TLS, s.Client().Transport.(*http.Transport).TLSClientConfig
	s.Close()
	for _, scheme := range []string{"http", "https"} {
		server := conf
		if scheme == "http" {
			server = nil
		}
		b.Run(scheme+"/wire", func(b *testing.B) {
			o := newObject(b, benchServer(b, server), nil)
			o.client.own.TLSClientConfig = trust
			b.SetBytes(benchPart)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := putPart(b.Context(), o, bodyOf(content)); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(scheme+"/net-http", func(b *testing.B) {
			url := benchServer(b, server)
			tr := &http.Transport{TLSClientConfig: trust}
			defer tr.CloseIdleConnections()
			c := &http.Client{Transport: tr}
			b.SetBytes(benchPart)
			b.ReportAllocs()
			for b.Loop() {
				req, err := http.NewRequestWithContext(b.Context(), http.MethodPut, url+"/media/talk.mp4", io.LimitReader(strings.NewReader(content), benchPart))
				if err != nil {
					b.Fatal(err)
				}
				req.ContentLength = benchPart
				res, err := c.Do(req)
				if err != nil {
					b.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, res.Body)
				_ = res.Body.Close()
			}
		})
	}
}
