package main

import (
	"context"
	"fmt"
	"hash/crc64"
	"io"
	"os"
	"strconv"

	"github.com/aliyun/aliyun-oss-go-sdk/oss"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// verify reads the object back with Alibaba Cloud's own SDK, and compares it with
// the file byte by byte. It returns the CRC64 of the bytes that were read.
func (s *show) verify(ctx context.Context, r upload.Result) (uint64, error) {
	client, err := oss.New(s.server.URL, osstest.DefaultKey.AccessKeyID, osstest.DefaultKey.AccessKeySecret)
	if err != nil {
		return 0, err
	}
	b, err := client.Bucket(bucket)
	if err != nil {
		return 0, err
	}
	got, err := b.DoGetObject(&oss.GetObjectRequest{ObjectKey: s.object}, []oss.Option{oss.WithContext(ctx)})
	if err != nil {
		return 0, fmt.Errorf("read the object back: %w", err)
	}
	defer got.Response.Close()
	file, err := os.Open(s.path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	hash := crc64.New(crc64.MakeTable(crc64.ECMA))
	n, err := compare(io.TeeReader(got.Response.Body, hash), file)
	if err != nil {
		return 0, err
	}
	crc := hash.Sum64()
	served, _ := strconv.ParseUint(got.Response.Headers.Get("x-oss-hash-crc64ecma"), 10, 64)
	switch {
	case n != s.size:
		return 0, fmt.Errorf("the object has %d bytes, the file had %d when it was looked at first", n, s.size)
	case r.Parts != s.parts():
		return 0, fmt.Errorf("the result has %d parts, want %d", r.Parts, s.parts())
	case s.parts() > 1 && r.ResumedParts == 0:
		return 0, fmt.Errorf("no part was resumed, the server had some")
	case !r.Verified:
		return 0, fmt.Errorf("the upload was not verified by the server's CRC64")
	case r.CRC64 != crc || served != crc:
		return 0, fmt.Errorf("crc64: the bytes read back have %d, the result has %d, the server %d", crc, r.CRC64, served)
	}
	return crc, nil
}

// compare reads both to their ends and says where they differ first.
func compare(object, file io.Reader) (int64, error) {
	a, b := make([]byte, 1<<20), make([]byte, 1<<20)
	for at := int64(0); ; {
		n, aerr := io.ReadFull(object, a)
		m, berr := io.ReadFull(file, b)
		for i := range min(n, m) {
			if a[i] != b[i] {
				return at, fmt.Errorf("byte %d is %#02x in the object, %#02x in the file", at+int64(i), a[i], b[i])
			}
		}
		at += int64(min(n, m))
		switch {
		case unexpected(aerr) != nil:
			return at, fmt.Errorf("read the object back: %w", aerr)
		case unexpected(berr) != nil:
			return at, fmt.Errorf("read the file: %w", berr)
		case n < m:
			return at, fmt.Errorf("the object ends at byte %d, the file continues", at)
		case n > m:
			return at, fmt.Errorf("the file ends at byte %d, the object continues", at)
		case aerr != nil:
			return at, nil
		}
	}
}

// unexpected returns nil for the end of a reader.
func unexpected(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return nil
	}
	return err
}
