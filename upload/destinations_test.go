package upload_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/vodupload/vodupload/upload"
)

// TestTwoFilesWithOneDestination are both uploaded, and the Logger has a warning that names
// both, unless the first has ended before or the second leaves an object as it is.
func TestTwoFilesWithOneDestination(t *testing.T) {
	const warning = "two files of the list have one destination"
	b := newTestbed(t)
	var log logBuffer
	b.opts.Logger = slog.New(slog.NewTextHandler(&log, nil))
	c := b.client()
	first := b.file("first", 10)
	named := func(name string) upload.File {
		f := b.file(name, 10)
		f.Object = first.Object
		return f
	}
	read := 0
	warned := func(when string, want ...string) {
		t.Helper()
		text := log.String()[read:]
		read += len(text)
		if got := strings.Count(text, warning); got != len(want) {
			t.Errorf("%s: got %d warnings, want %d: %s", when, got, len(want), text)
		}
		for _, part := range want {
			if !strings.Contains(text, part) {
				t.Errorf("%s: got %s, want %q in it", when, text, part)
			}
		}
	}
	later := named("later")
	later.Endpoint, later.Bucket, later.Object = "", "", ""
	ids := b.add(c, first, b.file("other", 10))
	warned("the first")
	ids = append(ids, b.add(c, named("second"))...)
	warned("the second", "first")
	last := b.add(c, later)[0]
	b.do(c.SetDestination(last, first.Endpoint, first.Bucket, first.Object))
	warned("SetDestination", "second")
	skips := named("skips")
	skips.IfExists = upload.Skip
	skipping := b.add(c, skips)[0]
	warned("Skip")
	b.do(errors.Join(c.DeleteFile(skipping), c.DeleteFile(last)))
	start(t, b, c)
	b.do(c.Wait(b.ctx))
	for _, id := range ids {
		if info := must(c.File(id)); info.State != upload.FileSucceeded {
			t.Errorf("%s is %v", info.Path, info.State)
		}
	}
	b.add(c, named("newer"))
	b.do(c.Wait(b.ctx))
	warned("after the others have ended")
}
