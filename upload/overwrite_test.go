package upload_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// The server has made the object, and its answer did not come before the run ended.
// The next run meets an object that must not be overwritten: its own.
func TestFailMeetsItsOwnObject(t *testing.T) {
	again := map[string]func(*testbed, *upload.Client, upload.FileID) error{
		"Pause and Resume": func(_ *testbed, c *upload.Client, _ upload.FileID) error {
			return errors.Join(c.Pause(), c.Resume())
		},
		"Stop and Start": func(b *testbed, c *upload.Client, _ upload.FileID) error {
			return errors.Join(c.Stop(), c.Start(b.ctx))
		},
	}
	for name, act := range again {
		for _, reader := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, of a Reader %t", name, reader), func(t *testing.T) {
				b := newTestbed(t)
				f := b.file("a.bin", 50*kib)
				f.IfExists = upload.Fail
				file := f
				if reader {
					f.Reader = strings.NewReader(strings.Repeat("r", 50*kib))
				}
				hang := osstest.Hang(osstest.OpPutObject).AfterWork()
				b.server.Inject(hang)
				c := b.client()
				id := must(c.AddFile(f))
				if err := c.Start(b.ctx); err != nil {
					t.Fatal(err)
				}
				<-hang.Fired()
				if err := errors.Join(act(b, c, id), c.Wait(b.ctx)); err != nil {
					t.Fatal(err)
				}
				if r := must(c.File(id)).Result; !r.Verified {
					t.Errorf("got %+v, want it verified", r)
				}
				if !reader {
					b.same(file)
				}
			})
		}
	}
	t.Run("but not that of somebody else", func(t *testing.T) {
		b := newTestbed(t)
		f := b.file("a.bin", 50*kib)
		f.IfExists = upload.Fail
		hang := osstest.Hang(osstest.OpPutObject).BeforeWork()
		b.server.Inject(hang)
		c := b.client()
		must(c.AddFile(f))
		if err := c.Start(b.ctx); err != nil {
			t.Fatal(err)
		}
		<-hang.Fired()
		if err := c.Pause(); err != nil {
			t.Fatal(err)
		}
		other := f
		other.Path, other.IfExists = b.file("b.bin", 50*kib).Path, upload.Overwrite
		if _, err := b.client().Upload(b.ctx, other); err != nil {
			t.Fatal(err)
		}
		if err := c.Resume(); err != nil {
			t.Fatal(err)
		}
		var failed *upload.Error
		if err := c.Wait(b.ctx); !errors.As(err, &failed) || failed.Code != "FileAlreadyExists" {
			t.Errorf("got %v, want FileAlreadyExists", err)
		}
	})
}
