package upload_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// The server has made the object, and its answer did not come before the run ended.
// The next run meets an object that must not be overwritten: its own.
func TestForbidOverwriteMeetsItsOwnObject(t *testing.T) {
	again := map[string]func(*bench, *upload.Client, upload.FileID) error{
		"Pause and Resume": func(_ *bench, c *upload.Client, _ upload.FileID) error {
			return errors.Join(c.Pause(), c.Resume())
		},
		"Stop and Start": func(b *bench, c *upload.Client, _ upload.FileID) error {
			return errors.Join(c.Stop(), c.Start(b.ctx))
		},
	}
	for name, act := range again {
		for _, reader := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, of a Reader %t", name, reader), func(t *testing.T) {
				b := newBench(t)
				f := b.file("a.bin", 50*kib)
				f.ForbidOverwrite = true
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
		b := newBench(t)
		f := b.file("a.bin", 50*kib)
		f.ForbidOverwrite = true
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
		other.Path, other.ForbidOverwrite = b.file("b.bin", 50*kib).Path, false
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

// What OSS, or HTTP, would refuse shows before anything is begun: a video would be
// made of the file else.
func TestAddFileChecksAllOptions(t *testing.T) {
	many := make(map[string]string)
	for i := range 11 {
		many[fmt.Sprint("tag", i)] = "x"
	}
	long := &upload.Callback{URLs: []string{"http://example.com"}, Body: strings.Repeat("b", 2*kib), Vars: map[string]string{"x:a": strings.Repeat("v", 2*kib)}}
	for name, tt := range map[string]struct {
		set  func(*upload.File)
		want string
	}{
		"11 tags":                {func(f *upload.File) { f.Tags = many }, "File.Tags: got 11, want at most 10"},
		"metadata of 9 KiB":      {func(f *upload.File) { f.Metadata = map[string]string{"a": strings.Repeat("m", 9*kib)} }, "want at most 8192"},
		"metadata name share_in": {func(f *upload.File) { f.Metadata = map[string]string{"share_in": "1"} }, `File.Metadata: name "share_in": want letters, digits and hyphens`},
		"metadata not ASCII":     {func(f *upload.File) { f.Metadata = map[string]string{"a": "影片"} }, "File.Metadata: value of a has U+5F71"},
		"callback not UTF-8":     {func(f *upload.File) { f.Callback = &upload.Callback{URLs: []string{"http://a.example"}, Body: "\xff"} }, "Callback.Body is not valid UTF-8"},
		"callback's host": {func(f *upload.File) {
			f.Callback = &upload.Callback{URLs: []string{"http://a.example"}, Body: "a", Host: "a\r\nb"}
		}, "control character in Host"},
		"a header that is reserved":  {func(f *upload.File) { f.Headers = map[string]string{"host": "x"} }, "Host"},
		"a line break in a header":   {func(f *upload.File) { f.CacheControl = "a\nb" }, "File.CacheControl"},
		"callback and its variables": {func(f *upload.File) { f.Callback = long }, "the Vars included"},
	} {
		t.Run(name, func(t *testing.T) {
			_, m, f := newMedia(t, 1000)
			c := m.b.client()
			tt.set(&f)
			for range 2 { // options that were the last file's, too
				_, err := c.AddFile(f)
				if !errors.Is(err, upload.ErrInvalidArgument) || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("got %v, want ErrInvalidArgument that tells %q", err, tt.want)
				}
			}
			f.Source = upload.NewSource(bytes.NewReader(nil), 0, "v1")
			if _, err := c.AddFile(f); !errors.Is(err, upload.ErrInvalidArgument) {
				t.Errorf("with a Source: got %v, want ErrInvalidArgument", err)
			}
			if n := len(c.Files()); n > 0 || m.made > 0 {
				t.Errorf("%d files are in the list, and %d videos were made", n, m.made)
			}
		})
	}
}
