package upload_test

import (
	"io/fs"
	"os"
	"sync/atomic"
	"testing"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// A countingFS counts the files of a folder that are open.
type countingFS struct {
	fs.FS
	open, opened atomic.Int64
}

func (c *countingFS) Open(name string) (fs.File, error) {
	f, err := c.FS.Open(name)
	if err != nil {
		return nil, err
	}
	c.open.Add(1)
	c.opened.Add(1)
	return &countedFile{f.(*os.File), c}, nil
}

type countedFile struct {
	*os.File
	fs *countingFS
}

func (f *countedFile) Close() error {
	f.fs.open.Add(-1)
	return f.File.Close()
}

// TestSourcesAreClosed, however the file ends: the garbage collector would close files
// of the system, but not those of others.
func TestSourcesAreClosed(t *testing.T) {
	for name, tt := range map[string]struct {
		size  int
		fault *osstest.Fault
		end   func(*upload.Client, upload.FileID) error
	}{
		"one part":                  {size: 10},
		"parts":                     {size: mib},
		"a failure in one part":     {size: 10, fault: osstest.Fail(osstest.OpPutObject, 403, "AccessDenied")},
		"a failure in parts":        {size: mib, fault: osstest.Fail(osstest.OpUploadPart, 403, "AccessDenied").Nth(3)},
		"a failure at the end":      {size: mib, fault: osstest.Fail(osstest.OpCompleteMultipartUpload, 403, "AccessDenied")},
		"canceled":                  {size: mib, fault: osstest.Hang(osstest.OpUploadPart), end: (*upload.Client).CancelFile},
		"deleted":                   {size: mib, fault: osstest.Hang(osstest.OpUploadPart), end: (*upload.Client).DeleteFile},
		"stopped":                   {size: mib, fault: osstest.Hang(osstest.OpUploadPart), end: func(c *upload.Client, _ upload.FileID) error { return c.Stop() }},
		"closed with its client":    {size: mib, fault: osstest.Hang(osstest.OpUploadPart), end: func(c *upload.Client, _ upload.FileID) error { return c.Close() }},
		"paused, and never resumed": {size: mib, fault: osstest.Hang(osstest.OpUploadPart), end: func(c *upload.Client, _ upload.FileID) error { return c.Pause() }},
	} {
		t.Run(name, func(t *testing.T) {
			b := newTestbed(t)
			b.written("a", "x", tt.size)
			f := b.folder("a")
			files := &countingFS{FS: f.FS}
			f.FS = files
			if tt.fault != nil {
				b.server.Inject(tt.fault)
			}
			c := b.client()
			id := b.add(c, f)[0]
			if err := c.Start(b.ctx); err != nil {
				t.Fatal(err)
			}
			if tt.end != nil {
				<-tt.fault.Fired()
				if err := tt.end(c, id); err != nil {
					t.Fatal(err)
				}
			} else {
				_ = c.Wait(b.ctx)
			}
			c.AwaitIdle(t)
			if files.open.Load() != 0 || files.opened.Load() < 2 {
				t.Errorf("%d of %d opened files are open, want all closed, and one more than the look at it when it was added", files.open.Load(), files.opened.Load())
			}
		})
	}
}
