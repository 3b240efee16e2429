package upload_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/vodupload/vodupload/upload"
)

// cost is what a list of n files takes.
type cost struct{ kept, bytes, mallocs uint64 }

// fill adds n files which share their options, with paths of 130 characters, whatever the
// temporary directory is called: a character more can take 16 bytes.
func fill(t *testing.T, c *upload.Client, b *testbed, n int, give ...func(int, *upload.File)) {
	t.Helper()
	folder := fmt.Sprintf("%s/%s/", b.dir, strings.Repeat("a", max(1, 130-len("//1000.mp4")-len(b.dir))))
	f := b.bytesOf("x", 1)
	f.Options = &upload.ObjectOptions{StorageClass: "IA", Metadata: map[string]string{"series": strings.Repeat("m", 2*kib)}}
	f.Endpoint = "oss-cn-hangzhou.aliyuncs.com"
	for i := range n {
		f.Path, f.Object = fmt.Sprint(folder, i, ".mp4"), fmt.Sprint("in/2026/11/21/", i, ".mp4")
		for _, give := range give {
			give(i, &f)
		}
		if _, err := c.AddFile(f); err != nil {
			t.Fatal(err)
		}
	}
}

// measure runs fn and returns what it has allocated, and what of that is still held.
func measure(fn func()) cost {
	var before, after runtime.MemStats
	held := heap()
	runtime.ReadMemStats(&before)
	fn()
	runtime.ReadMemStats(&after)
	now := max(heap(), held)
	return cost{now - held, after.TotalAlloc - before.TotalAlloc, after.Mallocs - before.Mallocs}
}

// TestLongList adds 100,000 files, or fewer: see many. They take less than 2 KiB each, cost
// ten times what a tenth of them do and no more, and leave only the buckets of maps when they are cleared.
func TestLongList(t *testing.T) {
	if testing.Short() {
		t.Skip("a long list takes seconds: run it without -short")
	}
	b := newTestbed(t)
	add := func(n int) (*upload.Client, cost) {
		c := b.client()
		return c, measure(func() { fill(t, c, b, n) })
	}
	files := many(100_000)
	_, small := add(files / 10)
	c, large := add(files)
	t.Logf("%d files: %+v; %d files: %+v", files/10, small, files, large)
	if most := uint64(files) * 2 << 10; large.kept > most {
		t.Errorf("%d files take %d bytes, want less than %d", files, large.kept, most)
	}
	if large.bytes > 12*small.bytes || large.mallocs > 12*small.mallocs {
		t.Errorf("%d files cost %+v, a tenth of them %+v; want about ten times that", files, large, small)
	}
	if got := c.Stats(); int(got.Total) != files || got.Files[upload.FileInit] != files {
		t.Errorf("got %+v", got)
	}
	list := measure(func() {
		if n := len(c.Files()); n != files {
			t.Errorf("%d files, want %d", n, files)
		}
	})
	if list.mallocs > 1000 {
		t.Errorf("a snapshot took %d allocations, want one", list.mallocs)
	}
	stats := measure(func() { _ = c.Stats() })
	if stats.bytes > 64<<10 {
		t.Errorf("Stats took %d bytes, want none that grow with the list", stats.bytes)
	}
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := c.ClearFiles(); err != nil {
		t.Fatal(err)
	}
	if kept := before.HeapAlloc - min(heap(), before.HeapAlloc); kept < large.kept*3/5 { // maps keep their buckets for the next files
		t.Errorf("clearing the list gave back %d MiB of %d", kept>>20, large.kept>>20)
	}
	runtime.KeepAlive(c)
}
