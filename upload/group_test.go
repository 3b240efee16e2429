package upload_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// inOrder adds files to c, each with its rank.
func inOrder(c *upload.Client, g *upload.Group, files map[int][]upload.File, ranks ...int) map[string]upload.FileID {
	ids := make(map[string]upload.FileID)
	for _, rank := range ranks {
		for _, f := range files[rank] {
			f.Group, f.Rank = g, rank
			ids[f.Object] = must(c.AddFile(f))
		}
	}
	return ids
}

// aStream has two segments, their playlist and a master.
func (b *testbed) aStream() map[int][]upload.File {
	return map[int][]upload.File{
		0: {b.file("seg1.ts", 300*kib), b.file("seg2.ts", 10)}, 1: {b.file("720p.m3u8", 10)}, 2: {b.file("master.m3u8", 10)},
	}
}

// stored returns the requests that made objects, in their order.
func (b *testbed) stored() (order []string) {
	for _, r := range b.server.Requests(osstest.OpPutObject, osstest.OpCompleteMultipartUpload) {
		if r.Status == 200 {
			order = append(order, strings.TrimPrefix(r.Key, "in/"))
		}
	}
	return order
}

func TestGroup(t *testing.T) {
	for name, ranks := range map[string][]int{"lowest first": {0, 1, 2}, "highest first": {2, 1, 0}} {
		t.Run("uploads by rank, added "+name, func(t *testing.T) {
			b := newTestbed(t)
			c := b.client()
			inOrder(c, new(upload.Group), b.aStream(), ranks...)
			start(t, b, c)
			if err := c.Wait(b.ctx); err != nil {
				t.Fatal(err)
			}
			if got := b.stored(); len(got) != 4 || !slices.Equal(got[2:], []string{"720p.m3u8", "master.m3u8"}) {
				t.Errorf("stored %v, want the playlists last", got)
			}
		})
	}
	t.Run("a failed segment keeps its playlists back, until it is resumed", func(t *testing.T) {
		b := newTestbed(t)
		b.opts.RetryCount = -1
		failed := make(chan string, 9)
		b.opts.Callbacks.OnFailed = func(_ *upload.Client, f upload.FileInfo, _ error) { failed <- f.Object }
		c := b.client()
		ids := inOrder(c, new(upload.Group), b.aStream(), 0, 1, 2)
		b.server.Inject(osstest.Fail(osstest.OpUploadPart, 403, "AccessDenied").Times(1))
		start(t, b, c)
		err := c.Wait(b.ctx)
		var all upload.Errors
		if !errors.As(err, &all) || len(all) != 3 || all[0].Code != "AccessDenied" {
			t.Fatalf("got %v, want three errors", err)
		}
		for _, e := range all[1:] {
			if !errors.Is(e, upload.ErrGroup) || e.Code != upload.CodeGroup || !strings.Contains(e.Error(), fmt.Sprintf("seg1.ts (file %v) failed", ids["in/seg1.ts"])) || !strings.Contains(e.Error(), "ResumeFile") {
				t.Errorf("got %v, want ErrGroup of seg1.ts", e)
			}
		}
		if got := b.stored(); !slices.Equal(got, []string{"seg2.ts"}) {
			t.Errorf("stored %v, want one segment", got)
		}
		for _, want := range []string{"in/seg1.ts", "in/720p.m3u8", "in/master.m3u8"} {
			if got := <-failed; got != want {
				t.Errorf("OnFailed of %s, want %s", got, want)
			}
		}
		for _, name := range []string{"in/seg1.ts", "in/720p.m3u8", "in/master.m3u8"} {
			if err := c.ResumeFile(ids[name]); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.Wait(b.ctx); err != nil {
			t.Fatal(err)
		}
		if got := b.stored(); !slices.Equal(got, []string{"seg2.ts", "seg1.ts", "720p.m3u8", "master.m3u8"}) {
			t.Errorf("stored %v", got)
		}
	})
	t.Run("a canceled segment does, too", func(t *testing.T) {
		b := newTestbed(t)
		c := b.client()
		ids := inOrder(c, new(upload.Group), b.aStream(), 2, 0, 1)
		if err := c.CancelFile(ids["in/seg2.ts"]); err != nil {
			t.Fatal(err)
		}
		start(t, b, c)
		if err := c.Wait(b.ctx); !errors.Is(err, upload.ErrGroup) || !strings.Contains(err.Error(), "was canceled") {
			t.Errorf("got %v, want ErrGroup", err)
		}
		if got := b.stored(); !slices.Equal(got, []string{"seg1.ts"}) {
			t.Errorf("stored %v, want one segment", got)
		}
	})
	t.Run("a skipped segment has succeeded", func(t *testing.T) {
		b := newTestbed(t)
		files := b.aStream()
		must(b.client().Upload(b.ctx, files[0][0]))
		for i := range files[0] {
			files[0][i].IfExists = upload.SkipSame
		}
		c := b.client()
		inOrder(c, new(upload.Group), files, 0, 1, 2)
		start(t, b, c)
		if err := c.Wait(b.ctx); err != nil {
			t.Error(err)
		}
	})
	t.Run("files with the same options keep their own groups", func(t *testing.T) {
		b := newTestbed(t)
		b.opts.RetryCount = -1
		c := b.client()
		one, two := new(upload.Group), new(upload.Group)
		inOrder(c, one, map[int][]upload.File{0: {b.file("1/seg.ts", 10)}}, 0)
		inOrder(c, two, map[int][]upload.File{0: {b.file("2/seg.ts", 10)}}, 0)
		inOrder(c, one, map[int][]upload.File{1: {b.file("1/a.m3u8", 10)}}, 1)
		inOrder(c, two, map[int][]upload.File{1: {b.file("2/a.m3u8", 10)}}, 1)
		b.server.Inject(osstest.Fail(osstest.OpPutObject, 403, "AccessDenied").Key("in/1/seg.ts"))
		start(t, b, c)
		_ = c.Wait(b.ctx)
		got := b.stored()
		if slices.Sort(got); !slices.Equal(got, []string{"2/a.m3u8", "2/seg.ts"}) {
			t.Errorf("stored %v, want the second stream", got)
		}
	})
}

func TestGroupsThatCannotBe(t *testing.T) {
	b := newTestbed(t)
	used := new(upload.Group)
	f := b.file("a.ts", 10)
	f.Group = used
	must(b.client().AddFile(f))
	c := b.client()
	for field, f := range map[string]upload.File{
		"File.Rank": {Rank: 1}, "File.Group": {Group: used},
	} {
		f.Path, f.Endpoint, f.Bucket, f.Object = b.file("b.ts", 10).Path, b.server.URL, bucket, "b"
		if _, err := c.AddFile(f); !errors.Is(err, upload.ErrInvalidArgument) || !strings.Contains(err.Error(), field) {
			t.Errorf("got %v, want an error of %s", err, field)
		}
	}
	f = b.file("c.ts", 10)
	f.Group = new(upload.Group)
	if _, err := c.Upload(b.ctx, f); !errors.Is(err, upload.ErrInvalidArgument) || !strings.Contains(err.Error(), "File.Group") {
		t.Errorf("Upload: got %v, want an error of File.Group", err)
	}
	if got := fmt.Sprintf("%v %+v %s", used, used, used); got != strings.Repeat("upload.Group ", 3)[:38] {
		t.Errorf("a group prints as %q", got)
	}
}
