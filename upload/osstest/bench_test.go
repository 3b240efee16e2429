package osstest

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/vodupload/vodupload/upload/osstest/internal/storage"
)

// BenchmarkUploadPart is what the server costs a benchmark that uses it: parts
// of 1 MiB over one connection, each in place of the one before.
func BenchmarkUploadPart(b *testing.B) {
	for _, mode := range []string{"memory", "directory"} {
		b.Run(mode, func(b *testing.B) {
			opts := &Options{Buckets: []string{"media"}}
			if mode == "directory" {
				opts.Dir = b.TempDir()
			}
			s := NewServer(opts)
			defer s.Close()
			c := &testClient{t: &testing.T{}, s: s, url: s.URL, key: DefaultKey, now: s.opts.Now, Client: &http.Client{Transport: &http.Transport{}}}
			defer c.CloseIdleConnections()
			a, err := c.try(c.request("POST", "/media/k?uploads", nil))
			if err != nil {
				b.Fatal(err)
			}
			_, id, _ := strings.Cut(a.body, "<UploadId>")
			part := "/media/k?partNumber=1&uploadId=" + id[:32]
			body := letters(1 << 20)
			b.SetBytes(1 << 20)
			b.ReportAllocs()
			for b.Loop() {
				a, err := c.try(c.request("PUT", part, strings.NewReader(body)))
				if err != nil || a.status != http.StatusOK {
					b.Fatal(a, err)
				}
			}
		})
	}
}

// BenchmarkGetObject reads an object of 16 parts of 1 MiB.
func BenchmarkGetObject(b *testing.B) {
	for _, mode := range []string{"memory", "directory"} {
		b.Run(mode, func(b *testing.B) {
			store := &storage.BlobStore{}
			if mode == "directory" {
				store.Dir = b.TempDir()
				d, err := storage.OpenDisk(store.Dir)
				if err != nil {
					b.Fatal(err)
				}
				defer d.Close()
			}
			var blobs []*storage.Blob
			for range 16 {
				bl, err := store.Receive(strings.NewReader(letters(1<<20)), 1<<20, io.Discard)
				if err != nil {
					b.Fatal(err)
				}
				blobs = append(blobs, bl)
			}
			content := storage.NewContent(store, blobs)
			b.SetBytes(16 << 20)
			b.ReportAllocs()
			for b.Loop() {
				r, err := content.Open(0, content.Size())
				if err != nil {
					b.Fatal(err)
				}
				io.Copy(io.Discard, struct{ io.Reader }{r})
				r.Close()
			}
		})
	}
}
