package upload_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/checkpoint/checkpointtest"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// A mount is how one machine sees a file system that many share: with numbers of its own
// for devices and inodes, and everybody's times.
type mount struct {
	dir     string
	under   string // where it is mounted
	number  uint64
	changed int64         // the change time of all files, in seconds
	stored  *sync.Map     // the numbers of the parts that the server has
	reads   *atomic.Int64 // how often bytes of those were read
}

func (m mount) Open(name string) (fs.File, error) {
	f, err := os.Open(filepath.Join(m.dir, strings.TrimPrefix(name, m.under)))
	if err != nil {
		return nil, err
	}
	return mountedFile{f, m}, nil
}

type mountedFile struct {
	*os.File
	mount mount
}

func (f mountedFile) Stat() (fs.FileInfo, error) {
	info, err := f.File.Stat()
	if err != nil {
		return nil, err
	}
	st := *info.Sys().(*syscall.Stat_t)
	st.Dev, st.Ino, st.Ctim = f.mount.number, f.mount.number, syscall.NsecToTimespec(f.mount.changed*1e9+1)
	return mountedInfo{info, &st}, nil
}

func (f mountedFile) ReadAt(p []byte, off int64) (int, error) {
	if _, ok := f.mount.stored.Load(int(off/(100*kib)) + 1); ok {
		f.mount.reads.Add(1)
	}
	return f.File.ReadAt(p, off)
}

type mountedInfo struct {
	fs.FileInfo
	st *syscall.Stat_t
}

func (i mountedInfo) Sys() any { return i.st }

// TestSourceName: a file of a file system that two machines share is resumed by the other
// one, which reads nothing again unless the file may be another one.
func TestSourceName(t *testing.T) {
	const changed = 1_700_000_000
	for name, tt := range map[string]struct {
		name   string
		ctime  int64 // that the second machine sees
		resume bool
		read   bool
	}{
		"resumes unread under another path":                  {"films/a.mp4", changed, true, false},
		"reads again what was touched":                       {"films/a.mp4", changed + 1, true, true},
		"begins a second upload under another path, without": {"", changed, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			b := newTestbed(t)
			f := b.file("a.mp4", 500*kib)
			leases := checkpointtest.NewLeases()
			var stored sync.Map
			var reads atomic.Int64
			on := func(under string, number uint64, ctime int64) upload.File {
				f := f
				f.FS, f.Path, f.SourceName = mount{b.dir, under, number, ctime, &stored, &reads}, under+"a.mp4", tt.name
				f.Options = &upload.ObjectOptions{ContentType: "video/mp4"}
				return f
			}
			b.opts.Checkpoints, b.opts.Parallel = leases.Store("first"), 1
			b.server.Inject(osstest.Fail(osstest.OpUploadPart, 403, "AccessDenied").Nth(4))
			if _, err := b.client().Upload(b.ctx, on("mnt/", 17, changed)); err == nil {
				t.Fatal("the first run succeeded")
			}
			b.opts.Checkpoints = leases.Store("second")
			for _, u := range b.server.Uploads(bucket) {
				for _, p := range u.Parts {
					stored.Store(p.Number, true)
				}
			}
			reads.Store(0)
			r, err := b.client().Upload(b.ctx, on("srv/films/", 4711, tt.ctime))
			if err != nil {
				t.Fatal(err)
			}
			if (r.ResumedParts >= 3) != tt.resume || tt.resume && (reads.Load() > 0) != tt.read {
				t.Errorf("%d parts resumed, %d reads of them; want resumed %t, read %t", r.ResumedParts, reads.Load(), tt.resume, tt.read)
			}
			b.same(f)
		})
	}
	t.Run("is the key of the checkpoint and of the list", func(t *testing.T) {
		b := newTestbed(t)
		f := b.file("a", 500*kib)
		f.SourceName = "films/a"
		other := b.file("b", 500*kib)
		other.SourceName, other.Object = f.SourceName, f.Object
		b.server.Inject(osstest.Fail(osstest.OpUploadPart, 403, "AccessDenied").Nth(4))
		c := b.client()
		if _, err := c.Upload(b.ctx, f); err == nil {
			t.Fatal("the run succeeded")
		}
		want := checkpoint.Key{Source: "films/a", Endpoint: f.Endpoint, Bucket: bucket, Object: f.Object}
		if left := must(b.store.List(b.ctx)); len(left) != 1 || left[0].Record.Key != want {
			t.Errorf("checkpoints are %+v, want one of %v", left, want)
		}
		_ = must(c.AddFile(f))
		if _, err := c.AddFile(other); !errors.Is(err, upload.ErrFileAlreadyExist) {
			t.Errorf("AddFile of the second: error is %v, want %v", err, upload.ErrFileAlreadyExist)
		}
	})
	t.Run("is refused with a Reader", func(t *testing.T) {
		b := newTestbed(t)
		f := b.file("a", 1)
		f.Reader, f.SourceName = io.LimitReader(nil, 0), "films/a"
		if _, err := b.client().AddFile(f); !errors.Is(err, upload.ErrInvalidArgument) {
			t.Errorf("error is %v, want %v", err, upload.ErrInvalidArgument)
		}
	})
}
