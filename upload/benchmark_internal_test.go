package upload

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/filelist"
)

func benchClient(b *testing.B, on Callbacks) *Client {
	c, err := New(&Options{Checkpoints: checkpoint.NewMemory(), Callbacks: on})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = c.Close() })
	return c
}

// BenchmarkEvents is what an event costs the goroutine that reports it, under the client's
// lock, while another goroutine delivers.
func BenchmarkEvents(b *testing.B) {
	told := 0
	c := benchClient(b, Callbacks{OnProgress: func(*Client, FileInfo, int64, int64) { told++ }})
	e := &entry{path: "talk.mp4"}
	f := &filelist.File{Size: 1 << 40}
	b.Run("progress, coalesced", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			c.view(func(*filelist.List) {
				f.Uploaded++
				c.enqueueProgressLocked(e, f)
			})
		}
	})
	b.Run("one callback each", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			done := make(chan struct{})
			c.view(func(*filelist.List) {
				c.enqueueFileLocked("OnRetryResume", func(*Client, FileInfo) { close(done) }, e, f)
			})
			<-done
		}
	})
}

// BenchmarkAddFile is what a file costs in the list, which must not depend on how
// many are there already.
func BenchmarkAddFile(b *testing.B) {
	path := filepath.Join(b.TempDir(), "talk.mp4")
	if err := os.WriteFile(path, []byte("talk"), 0o600); err != nil {
		b.Fatal(err)
	}
	for _, already := range []int{0, 100_000} {
		b.Run(fmt.Sprintf("behind %d", already), func(b *testing.B) {
			c := benchClient(b, Callbacks{})
			n := 0
			add := func() {
				n++
				_, err := c.AddFile(File{Path: path, Endpoint: "oss-cn-hangzhou.aliyuncs.com", Bucket: "media", Object: fmt.Sprintf("in/%d.mp4", n)})
				if err != nil {
					b.Fatal(err)
				}
			}
			for range already {
				add()
			}
			b.ReportAllocs()
			for b.Loop() {
				add()
			}
		})
	}
}
