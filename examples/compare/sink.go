package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

const roleSink = "sink"

// listenEnv says where the sink is to listen.
const listenEnv = "VODUPLOAD_COMPARE_LISTEN"

// serveSink serves until ctx ends. Its first line says where: without and with TLS.
func serveSink(ctx context.Context, stdout io.Writer) error {
	plain, err := net.Listen("tcp", os.Getenv(listenEnv))
	if err != nil {
		return err
	}
	defer plain.Close()
	secure, err := listenTLS(os.Getenv(listenEnv), os.Getenv(certEnv))
	if err != nil {
		return err
	}
	defer secure.Close()
	defer context.AfterFunc(ctx, func() { _ = plain.Close(); _ = secure.Close() })()
	fmt.Fprintln(stdout, plain.Addr(), secure.Addr())
	s := newSink()
	var g errgroup.Group
	g.Go(func() error { return s.accept(plain) })
	g.Go(func() error { return s.accept(secure) })
	return g.Wait()
}

func (s *sink) accept(l net.Listener) error {
	for {
		c, err := l.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return nil
		case err != nil:
			return err
		}
		go s.serve(c)
	}
}

// A sink answers as OSS does, and keeps nothing but the sizes of parts. It is no
// net/http server: that would cost as much as the clients that are to be compared.
type sink struct {
	sums  checksums
	dates dates

	mu       sync.Mutex
	latency  time.Duration
	refuse   int // part number; 0: none
	requests int64
	bytes    int64
	uploads  map[string]map[int]int64 // upload ID, part number, size
}

func newSink() *sink { return &sink{uploads: make(map[string]map[int]int64)} }

// serve answers the requests of one connection, one after the other.
func (s *sink) serve(c net.Conn) {
	defer c.Close()
	r := bufio.NewReaderSize(c, 64*kib)
	buf := make([]byte, 256*kib)
	var out []byte
	for {
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		n, err := discard(req.Body, buf)
		if err != nil {
			return
		}
		a := s.answer(req, n)
		if a.wait > 0 {
			time.Sleep(a.wait)
		}
		out = a.append(out[:0], s.dates.now())
		if _, err := c.Write(out); err != nil {
			return
		}
	}
}

// An answer is what goes back.
type answer struct {
	status int
	etag   bool
	crc    uint64
	hasCRC bool
	body   string
	wait   time.Duration
}

// append writes the answer as it goes over the wire.
func (a *answer) append(out []byte, date string) []byte {
	out = append(out, "HTTP/1.1 "...)
	out = strconv.AppendInt(out, int64(a.status), 10)
	out = append(out, " -\r\nServer: AliyunOSS\r\nx-oss-request-id: 6556E3AED11E553933CCDEDF\r\nDate: "...)
	out = append(out, date...)
	if a.etag {
		out = append(out, "\r\nETag: \""+partETag+"\""...)
	}
	if a.hasCRC {
		out = append(out, "\r\nx-oss-hash-crc64ecma: "...)
		out = strconv.AppendUint(out, a.crc, 10)
	}
	if a.body != "" {
		out = append(out, "\r\nContent-Type: application/xml"...)
	}
	out = append(out, "\r\nContent-Length: "...)
	out = strconv.AppendInt(out, int64(len(a.body)), 10)
	out = append(out, "\r\n\r\n"...)
	return append(out, a.body...)
}

// partETag is the ETag of every part. Nobody compares it with the bytes.
const partETag = "0123456789ABCDEF0123456789ABCDEF"

// dates formats the time once a second.
type dates struct {
	mu   sync.Mutex
	unix int64
	text string
}

func (d *dates) now() string {
	t := time.Now().UTC()
	d.mu.Lock()
	defer d.mu.Unlock()
	if t.Unix() != d.unix {
		d.unix, d.text = t.Unix(), t.Format(http.TimeFormat)
	}
	return d.text
}
