package upload_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
	"github.com/vodupload/vodupload/upload/uploadtest"
)

// BenchmarkObserver uploads files of 20 parts, and small ones, without an observer, with one
// that wants nothing, and with one whose hooks do nothing. Compare the ratios: wall time on a
// machine that does anything else tells little.
func BenchmarkObserver(b *testing.B) {
	for _, c := range []struct {
		name     string
		observer *upload.Observer
	}{
		{"none", nil},
		{"without hooks", &upload.Observer{}},
		{"all hooks", &upload.Observer{
			FileStart:    func(ctx context.Context, _ upload.FileInfo) context.Context { return ctx },
			FileEnd:      func(context.Context, upload.FileInfo) {},
			RequestStart: func(ctx context.Context, _ upload.Request) context.Context { return ctx },
			RequestEnd:   func(context.Context, upload.Request, upload.Outcome) {},
			Wait:         func(upload.FileID, upload.Waiting, time.Duration) {},
		}},
	} {
		for _, size := range []int{20 * 100 * kib, 10 * kib} {
			b.Run(fmt.Sprintf("%d KiB, %s", size/kib, c.name), func(b *testing.B) { benchmarkObserver(b, c.observer, size) })
		}
	}
}

func benchmarkObserver(b *testing.B, observer *upload.Observer, size int) {
	server := osstest.NewServer(&osstest.Options{Buckets: []string{bucket}, KeepRequests: -1})
	defer server.Close()
	opts := uploadtest.Options(osstest.DefaultKey)
	opts.Observer = observer
	client, err := upload.New(&opts)
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	data := make([]byte, size)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		_, err := client.Upload(b.Context(), upload.File{
			Path: fmt.Sprint("f", i), Source: upload.NewSource(bytes.NewReader(data), int64(len(data)), "v1"),
			Endpoint: server.URL, Bucket: bucket, Object: "bench.mp4",
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
