package upload

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/vodupload/vodupload/upload/internal/filelist"
	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// TestLateEventOfAnEarlierRun is about a file that was stopped and started again while
// an event of its first run was on its way: it counts for nothing, and nobody hears of it.
func TestLateEventOfAnEarlierRun(t *testing.T) {
	var heard []string
	c := newTestClient(t, Options{Callbacks: Callbacks{
		OnProgress:    func(*Client, FileInfo, int64, int64) { heard = append(heard, "progress") },
		OnRetry:       func(*Client, FileInfo, Retry) { heard = append(heard, "retry") },
		OnRetryResume: func(*Client, FileInfo) { heard = append(heard, "resume") },
	}})
	// Without a destination, its runs wait.
	id, err := c.AddFile(File{Path: "talk.mp4", Reader: strings.NewReader("")})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(c.Start(t.Context()), c.Stop()); err != nil {
		t.Fatal(err)
	}
	c.AwaitIdle(t)
	if err := c.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	events := []transfer.Event{
		{Kind: transfer.Sized, Size: 1000},
		{Kind: transfer.Initiated, UploadID: "U", PartSize: 100, Uploaded: 200},
		{Kind: transfer.Progress, Uploaded: 300, InFlight: 10, Sent: 310},
		{Kind: transfer.Retrying, Part: 1, Attempt: 1, Err: errors.New("torn")},
		{Kind: transfer.Recovered},
	}
	for number, want := range []struct {
		uploaded int64
		heard    string
	}{{0, ""}, {0, ""}, {300, "progress, retry, resume"}} {
		r := &run{c: c, e: c.entries[id], id: filelist.ID(id), number: number}
		for _, ev := range events {
			r.report(ev)
		}
		c.notify.Idle(t.Context()) // progress events may be one or two
		f, err := c.File(id)
		if got := strings.Join(slices.Compact(heard), ", "); err != nil || f.Uploaded != want.uploaded || (f.UploadID != "") != (want.uploaded > 0) || got != want.heard {
			t.Errorf("run %d: got %+v, %v, and the callbacks %q; want %d uploaded and %q", number, f, err, got, want.uploaded, want.heard)
		}
	}
}
