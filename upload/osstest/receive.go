package osstest

import (
	"context"
	"crypto/md5"
	"encoding/base64"
	"errors"
	"hash"
	"hash/crc64"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/vodupload/vodupload/upload/osstest/internal/osserr"
	"github.com/vodupload/vodupload/upload/osstest/internal/storage"
)

// A received is a body that has arrived whole.
type received struct {
	blob *storage.Blob
	sums *digest
}

// A digest computes the checksums that OSS returns for a body.
type digest struct {
	md5 hash.Hash
	crc uint64
}

func newDigest() *digest { return &digest{md5: md5.New()} }

func (d *digest) Write(p []byte) (int, error) {
	d.md5.Write(p)
	d.crc = crc64.Update(d.crc, crcTable, p)
	return len(p), nil
}

func (d *digest) etag() string       { return bodyETag(d.md5) }
func (d *digest) contentMD5() string { return base64.StdEncoding.EncodeToString(d.md5.Sum(nil)) }

// receive takes in the body of an upload and checks it against its headers. It
// is called outside of all locks.
func (s *Server) receive(req *request) (*received, *osserr.Error) {
	sums := newDigest()
	if aerr := checkLength(req); aerr != nil {
		return nil, aerr
	}
	want, aerr := wantedMD5(req.Header)
	if aerr != nil {
		return nil, aerr
	}
	body := limitTraffic(req, &boundedBody{r: req.Body})
	b, err := s.blobs.Receive(body, req.ContentLength, sums)
	if err != nil {
		return nil, bodyError(err)
	}
	switch {
	case req.ContentLength >= 0 && b.Size != req.ContentLength:
		s.blobs.Remove(b)
		return nil, osserr.IncompleteBody()
	case want != "" && want != sums.contentMD5():
		s.blobs.Remove(b)
		return nil, osserr.InvalidDigest(osserr.ECDigestMismatch)
	}
	return &received{blob: b, sums: sums}, nil
}

// checkLength refuses a body of unknown length that is not chunked, and one
// that is too long.
func checkLength(req *request) *osserr.Error {
	if req.ContentLength == 0 && req.Header.Get("Content-Length") == "" && req.ProtoMajor == 1 {
		return osserr.MissingContentLength()
	}
	if req.ContentLength > maxPartSize {
		return osserr.EntityTooLarge(req.ContentLength)
	}
	return nil
}

// wantedMD5 returns the request's Content-MD5, or "" if it has none.
func wantedMD5(h http.Header) (string, *osserr.Error) {
	v := h.Get("Content-Md5")
	if v == "" {
		return "", nil
	}
	if sum, err := base64.StdEncoding.DecodeString(v); err != nil || len(sum) != md5.Size {
		return "", osserr.InvalidDigest(osserr.ECDigestMalformed)
	}
	return v, nil
}

// bodyError returns the answer to a body that could not be taken in.
func bodyError(err error) *osserr.Error {
	var storage storage.DiskError
	switch {
	case errors.As(err, &storage):
		return osserr.Internal(err)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return osserr.RequestTimeout().WithHeader("Connection", "close")
	case errors.Is(err, errBodyTooLong):
		return osserr.EntityTooLarge(maxPartSize+1).WithHeader("Connection", "close")
	}
	return osserr.IncompleteBody().WithHeader("Connection", "close")
}

var errBodyTooLong = errors.New("the body is longer than 5 GB")

// A boundedBody is a body that breaks off when it is longer than OSS takes.
type boundedBody struct {
	r io.Reader
	n int64
}

func (b *boundedBody) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if b.n += int64(n); b.n > maxPartSize {
		err = errBodyTooLong
	}
	return n, err
}

// readXMLBody reads a request's body that is a document.
func readXMLBody(req *request) ([]byte, *osserr.Error) {
	body, err := io.ReadAll(io.LimitReader(req.Body, maxXMLBody+1))
	if err != nil {
		return nil, bodyError(err)
	}
	if len(body) > maxXMLBody {
		return nil, osserr.MalformedXML("")
	}
	return body, nil
}

// An idleBody is a body that breaks off when nothing comes for too long.
type idleBody struct {
	io.ReadCloser
	ctx     context.Context // of the request
	conn    *http.ResponseController
	timeout time.Duration
}

func (b *idleBody) Read(p []byte) (int, error) {
	// Not every ResponseWriter has deadlines; without one the body may take its
	// time.
	b.conn.SetReadDeadline(time.Now().Add(b.timeout))
	// Close sets a deadline too, after it has ended the context. If that came
	// first, it has just been overwritten.
	if b.ctx.Err() != nil {
		return 0, b.ctx.Err()
	}
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF {
		// The deadline would end the answer too.
		b.conn.SetReadDeadline(time.Time{})
	}
	return n, err
}
