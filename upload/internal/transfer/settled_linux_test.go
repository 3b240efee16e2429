package transfer

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/osstest"
)

// mapped maps a file into memory, and makes its first page dirty.
func mapped(t *testing.T, path string, size int) []byte {
	t.Helper()
	f := must(os.OpenFile(path, os.O_RDWR, 0))
	defer f.Close()
	m := must(syscall.Mmap(int(f.Fd()), 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED))
	t.Cleanup(func() { _ = syscall.Munmap(m) })
	m[0]++
	return m
}

// TestSourceIsWrittenThroughAMap whose page was dirty when the upload began.
func TestSourceIsWrittenThroughAMap(t *testing.T) {
	for place, dir := range map[string]string{"on disk": "", "in memory": "/dev/shm"} {
		for _, size := range []int{90 * kib, fiveParts} {
			for _, age := range []time.Duration{0, 30 * time.Millisecond} {
				t.Run(place, func(t *testing.T) {
					r := newTestbed(t, size)
					if dir != "" {
						tmp, err := os.MkdirTemp(dir, "vodupload")
						if err != nil {
							t.Skipf("needs a file system in memory at /dev/shm: %v", err)
						}
						t.Cleanup(func() { _ = os.RemoveAll(tmp) })
						r.path = filepath.Join(tmp, "talk.mp4")
						r.write(data(size, 1))
					}
					m := mapped(t, r.path, size)
					time.Sleep(age) // beyond the tick of the clock: written back, and not read again
					file, err := r.service().Open(r.ctx, r.job(nil), func() (Source, error) { return OpenFile(r.path) })
					if err != nil {
						t.Fatal(err)
					}
					defer file.Close()
					r.opts.Parallel, r.slots = 1, newSlots(1)
					src := &afterRead{Source: file, then: func() { m[0]++ }}
					if _, err := r.runSource(src); !errors.Is(err, ErrChanged) {
						t.Errorf("%d bytes, age %v: got %v, want ErrChanged", size, age, err)
					}
					if err := r.server.WaitIdle(r.ctx); err != nil {
						t.Fatal(err)
					}
					if _, ok := r.server.Object(media, name); ok {
						t.Errorf("%d bytes, age %v: the object is there", size, age)
					}
					if n := r.server.Count(osstest.OpCompleteMultipartUpload); n > 0 {
						t.Errorf("completed %d times", n)
					}
				})
			}
		}
	}
}

func TestFileSystemsThatShowWritesThroughMaps(t *testing.T) {
	const ext4, xfs = 0xEF53, 0x58465342
	for _, tt := range []struct {
		kind            uint32
		shows, inMemory bool
	}{
		{ext4, true, false}, {xfs, true, false}, {0, true, false},
		{tmpfsMagic, false, true}, {ramfsMagic, false, true}, {hugetlbMagic, false, true},
		{overlayMagic, false, false}, // old files on it cost nothing
	} {
		if shows, inMemory := showsMaps(tt.kind), isInMemory(tt.kind); shows != tt.shows || inMemory != tt.inMemory {
			t.Errorf("%#x: got %t, in memory %t; want %t, %t", tt.kind, shows, inMemory, tt.shows, tt.inMemory)
		}
	}
}

func TestOldFileIsNotWrittenBack(t *testing.T) {
	now := time.Now()
	old, young, ahead := now.Add(-time.Hour), now.Add(-time.Second), now.Add(time.Hour)
	for _, tt := range []struct {
		mod, change time.Time
		want        bool
	}{
		{old, old, false}, {old, young, true}, {young, young, true}, {ahead, old, true},
		{old, time.Time{}, false}, {young, time.Time{}, true}, {time.Time{}, time.Time{}, false},
	} {
		if got := isFresh(checkpoint.Source{ModTime: tt.mod, ChangeTime: tt.change}, now); got != tt.want {
			t.Errorf("written %v, changed %v: got %t", tt.mod, tt.change, got)
		}
	}
}

// A countingFile counts its syncs.
type countingFile struct {
	*os.File
	syncs int
}

func (f *countingFile) Sync() error {
	f.syncs++
	return f.File.Sync()
}

// A write to the disk takes milliseconds, and a small file is uploaded right after it was
// written, as a rule.
func TestSmallFileIsReadTwiceAndNotWrittenBack(t *testing.T) {
	for size, want := range map[int]int{90 * kib: 0, 100*kib + 1: 1} {
		r := newTestbed(t, size)
		f := &countingFile{File: must(os.Open(r.path))}
		src := must(r.service().Open(r.ctx, r.job(nil), func() (Source, error) {
			return openSeen(r.path, func() (fs.FileInfo, error) { return os.Stat(r.path) }, func() (fs.File, error) { return f, nil })
		}))
		if _, err := r.runSource(src); err != nil {
			t.Errorf("%d bytes: %v", size, err)
		}
		if f.syncs != want {
			t.Errorf("%d bytes: written back %d times, want %d", size, f.syncs, want)
		}
		_ = src.Close()
	}
}
