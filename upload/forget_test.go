package upload_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

func newForgetful(t *testing.T) *testbed {
	b := newTestbed(t)
	b.opts.ForgetEnded, b.opts.OutageWait = true, -1
	b.opts.RetryCount = -1
	return b
}

func TestForgetEnded(t *testing.T) {
	b := newForgetful(t)
	b.server.Inject(osstest.Fail(osstest.OpPutObject, 403, "AccessDenied").Key("fails").Always())
	hang := osstest.Hang(osstest.OpUploadPart).Key("canceled").Always()
	b.server.Inject(hang)
	rec := b.recorded()
	var inside []error
	rec.at = func(c *upload.Client, name string, f upload.FileInfo) {
		switch name {
		case "OnSucceeded", "OnFailed", "OnCanceled":
			_, err := c.File(f.ID)
			inside = append(inside, err)
		case "OnFinished":
			if n := len(c.Files()); n > 0 {
				t.Errorf("%d files are in the list in OnFinished", n)
			}
		}
	}
	c := b.client()
	files := []upload.File{b.bytesOf("good", 250*kib), b.bytesOf("fails", kib), b.bytesOf("canceled", 250*kib), b.bytesOf("early", kib)}
	ids := b.add(c, files...)
	if err := errors.Join(c.CancelFile(ids[3]), c.Start(b.ctx)); err != nil {
		t.Fatal(err)
	}
	<-hang.Fired()
	if err := c.CancelFile(ids[2]); err != nil {
		t.Fatal(err)
	}
	var failed upload.Errors
	if err := c.Wait(b.ctx); !errors.As(err, &failed) || len(failed) != 1 || failed[0].Object != "fails" || failed[0].FileID != ids[1] {
		t.Errorf("Wait returned %v, want the one that failed", err)
	}
	if err := c.Wait(b.ctx); err != nil {
		t.Errorf("the second Wait returned %v, want nil", err)
	}
	if err := errors.Join(inside...); err != nil || len(inside) != 4 {
		t.Errorf("in %d callbacks about ends: %v; want the file in the list in all four", len(inside), err)
	}
	if s := c.Stats(); len(c.Files()) != 0 || len(s.Files) != 0 || s.Total != 0 || s.Uploaded != 0 {
		t.Errorf("the list has %v, %+v", c.Files(), s)
	}
	for _, id := range ids {
		_, err := c.File(id)
		for call, err := range map[string]error{
			"File": err, "ResumeFile": c.ResumeFile(id), "CancelFile": c.CancelFile(id), "DeleteFile": c.DeleteFile(id),
			"FailFile": c.FailFile(id, errors.New("mine")), "SetToken": c.SetToken(id, defaultKey),
		} {
			want := fmt.Sprintf("no file %d in the list any more: it has ended (Options.ForgetEnded), or was deleted", id)
			if !errors.Is(err, upload.ErrFileNotExist) || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %v, want ErrFileNotExist: %s", call, err, want)
			}
		}
	}
	if _, err := c.File(99); !errors.Is(err, upload.ErrFileNotExist) || strings.Contains(err.Error(), "any more") {
		t.Errorf("of an ID that never was: got %v", err)
	}
	hang.Release()
	b.server.ClearFaults()
	b.add(c, files...)
	if err := c.Wait(b.ctx); err != nil {
		t.Errorf("once more: %v", err)
	}
	for _, f := range files {
		b.sameBytes(f)
	}
	b.clean()
}

func TestForgetEndedAndResume(t *testing.T) {
	t.Run("ResumeFile in OnFailed", func(t *testing.T) {
		b := newForgetful(t)
		b.server.Inject(osstest.Fail(osstest.OpUploadPart, 503, "ServiceUnavailable").Nth(3))
		rec := b.recorded()
		rec.at = func(c *upload.Client, name string, f upload.FileInfo) {
			if name == "OnFailed" {
				if err := c.ResumeFile(f.ID); err != nil {
					t.Error(err)
				}
			}
		}
		b.opts.Parallel = 1
		c := b.client()
		f := b.bytesOf("talk", 500*kib)
		b.add(c, f)
		if err := errors.Join(c.Start(b.ctx), c.Wait(b.ctx)); err != nil {
			t.Errorf("got %v, want nil: the file was tried again", err)
		}
		b.sameBytes(f)
		if n := len(c.Files()); n != 0 {
			t.Errorf("%d files are in the list", n)
		}
	})
	t.Run("AddFile later", func(t *testing.T) {
		b := newForgetful(t)
		b.server.Inject(osstest.Fail(osstest.OpUploadPart, 503, "ServiceUnavailable").Nth(3))
		b.opts.Parallel = 1
		var result upload.Result
		b.opts.Callbacks.OnSucceeded = func(_ *upload.Client, _ upload.FileInfo, r upload.Result) { result = r }
		c := b.client()
		f := b.bytesOf("talk", 300*kib) // none is on its way when the third of three parts fails
		b.add(c, f)
		if err := errors.Join(c.Start(b.ctx), c.Wait(b.ctx)); err == nil {
			t.Fatal("got nil, want the failure")
		}
		b.add(c, f)
		if err := c.Wait(b.ctx); err != nil || result.ResumedParts != 2 {
			t.Errorf("got %v, %d parts resumed; want 2", err, result.ResumedParts)
		}
	})
}

// A file is in the list until its callback has returned, and those who wait get its end.
func TestForgetEndedWaits(t *testing.T) {
	b := newForgetful(t)
	in, out := make(chan struct{}), make(chan struct{})
	b.opts.Callbacks.OnSucceeded = func(c *upload.Client, f upload.FileInfo, _ upload.Result) {
		close(in)
		<-out
	}
	hang := osstest.Hang(osstest.OpPutObject)
	b.server.Inject(hang)
	c := b.client()
	f := b.bytesOf("talk", kib)
	id := b.add(c, f)[0]
	if err := c.Start(b.ctx); err != nil {
		t.Fatal(err)
	}
	<-hang.Fired()
	var wg, wait sync.WaitGroup
	for range 3 {
		wait.Add(1)
		wg.Go(func() {
			if r, err := c.WaitFile(watchedContext{b.ctx, sync.OnceFunc(wait.Done)}, id); err != nil || r.Size != kib {
				t.Errorf("WaitFile returned %+v, %v", r, err)
			}
		})
	}
	wait.Wait() // one that comes later may find no file any more
	hang.Release()
	<-in
	if info, err := c.File(id); err != nil || info.State != upload.FileSucceeded {
		t.Errorf("in its callback: %+v, %v", info, err)
	}
	if _, err := c.AddFile(f); !errors.Is(err, upload.ErrFileAlreadyExist) {
		t.Errorf("in its callback, added again: %v", err)
	}
	close(out)
	wg.Wait()
	b.eventually("the file to leave", func() bool { return len(c.Files()) == 0 })
}

// TestWaitReportsManyForgottenFailures: what Wait keeps for months is bounded.
func TestWaitReportsManyForgottenFailures(t *testing.T) {
	b := newForgetful(t)
	b.server.Inject(osstest.Fail(osstest.OpPutObject, 403, "AccessDenied").Always())
	c := b.client()
	if err := c.Start(b.ctx); err != nil {
		t.Fatal(err)
	}
	for i := range 1_200 {
		b.add(c, b.bytesOf(fmt.Sprint(i), 10))
	}
	b.eventually("the end of the list", func() bool { return c.Status() == upload.StateFinished && len(c.Files()) == 0 })
	var failed upload.Errors
	err := c.Wait(b.ctx)
	if !errors.As(err, &failed) || len(failed) != 1000 || !strings.HasSuffix(err.Error(), "; and 200 other files, which OnFailed has reported") {
		t.Errorf("got %d errors, %.300v", len(failed), err)
	}
	if err := c.Wait(b.ctx); err != nil {
		t.Errorf("the second Wait returned %.300v, want nil", err)
	}
}

// TestWaitReportsEachFailureOnce without ForgetEnded, too.
func TestWaitReportsEachFailureOnce(t *testing.T) {
	b := newTestbed(t)
	b.opts.RetryCount = -1
	b.server.Inject(osstest.Fail(osstest.OpPutObject, 403, "AccessDenied").Always())
	c := b.client()
	id := b.add(c, b.bytesOf("a", 10))[0]
	objects := func() (names []string) {
		var failed upload.Errors
		if err := c.Wait(b.ctx); err != nil && !errors.As(err, &failed) {
			t.Error(err)
		}
		for _, f := range failed {
			names = append(names, f.Object)
		}
		return names
	}
	if err := c.Start(b.ctx); err != nil {
		t.Fatal(err)
	}
	for i, step := range []struct {
		do   func()
		want string
	}{
		{func() {}, "[a]"},
		{func() {}, "[]"},
		{func() { b.add(c, b.bytesOf("b", 10)) }, "[b]"},
		{func() { b.add(c, b.bytesOf("c", 10), b.bytesOf("d", 10)) }, "[c d]"},
		{func() {
			if err := c.ResumeFile(id); err != nil {
				t.Error(err)
			}
		}, "[a]"},
		{func() {}, "[]"},
	} {
		step.do()
		if got := fmt.Sprint(objects()); got != step.want {
			t.Errorf("Wait %d reports %s, want %s", i+1, got, step.want)
		}
	}
	if n := c.Stats().Files[upload.FileFailed]; n != 4 {
		t.Errorf("%d files are failed in the list, want all 4", n)
	}
}
