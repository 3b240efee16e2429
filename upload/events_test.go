package upload_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

func TestEventsOfEachEnd(t *testing.T) {
	b := newTestbed(t)
	b.opts.Parallel = 1 // so that faults strike in order
	rec := b.recorded()
	c := b.client()
	held := osstest.Hang(osstest.OpUploadPart).Key("canceled")
	b.server.Inject(osstest.Fail(osstest.OpUploadPart, 503, "ServiceUnavailable").Key("retried"), held)
	bad := b.bytesOf("bad", 1)
	bad.Bucket = "nobody"
	rec.at = func(c *upload.Client, name string, f upload.FileInfo) {
		if name == "OnStarted" && f.Object == "canceled" {
			go func() {
				<-held.Fired()
				_ = c.CancelFile(f.ID)
			}()
		}
	}
	ids := b.add(c, b.bytesOf("small", 10), b.bytesOf("empty", 0), b.bytesOf("retried", 250*kib), b.bytesOf("large", 250*kib), bad, b.bytesOf("canceled", 250*kib))
	if err := c.Start(b.ctx); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(b.ctx); ignoreFailed(err) != nil {
		t.Fatal(err)
	}
	for object, want := range map[string]string{
		"small":    "Started Progress Succeeded",
		"empty":    "Started Progress Succeeded",
		"large":    "Started Progress Succeeded",
		"retried":  "Started Progress Retry RetryResume Progress Succeeded",
		"bad":      "Started Progress Failed", // bytes were in flight
		"canceled": "Started Progress Canceled",
	} {
		got := rec.of(object)
		if object == "retried" { // another part may get through while one waits
			got, want = strings.ReplaceAll(got, " Progress", ""), strings.ReplaceAll(want, " Progress", "")
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", object, got, want)
		}
	}
	if last := rec.log[len(rec.log)-1]; last != "OnFinished" || rec.told("OnFinished", "") != 0 && len(ids) == 0 {
		t.Errorf("the last event is %s, want OnFinished", last)
	}
}

// TestSlowCallbackDelaysNoByte has a callback that does not return until all files
// are at the server.
func TestSlowCallbackDelaysNoByte(t *testing.T) {
	b := newTestbed(t)
	b.opts.Parallel = 2
	rec := b.recorded()
	const files = 30
	uploaded := func() bool { return len(b.server.Objects(bucket)) == files }
	rec.at = func(c *upload.Client, name string, f upload.FileInfo) {
		if rec.told("OnStarted", "") == 1 && name == "OnStarted" {
			b.eventually("all objects", uploaded)
		}
	}
	c := b.client()
	for i := range files {
		b.add(c, b.bytesOf(fmt.Sprint(i), i*20*kib))
	}
	if err := c.Start(b.ctx); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(b.ctx); err != nil {
		t.Fatal(err)
	}
	if n := rec.told("OnSucceeded", ""); n != files {
		t.Errorf("%d succeeded before Wait returned, want %d", n, files)
	}
	if n := rec.told("OnProgress", ""); n > 2*files {
		t.Errorf("OnProgress was called %d times for %d files, want it coalesced", n, files)
	}
}

// TestCallbackThatNeverReturns keeps no bytes back, and Close says what it waits for.
func TestCallbackThatNeverReturns(t *testing.T) {
	t.Parallel() // it waits most of the time
	b := newTestbed(t)
	b.opts.CleanupTimeout = 100 * time.Millisecond
	entered, stuck := make(chan struct{}), make(chan struct{})
	defer close(stuck)
	rec := b.recorded()
	rec.at = func(_ *upload.Client, name string, f upload.FileInfo) {
		if name == "OnSucceeded" && f.Object == "first" {
			close(entered)
			<-stuck
		}
	}
	c := b.client()
	b.add(c, b.bytesOf("first", 1))
	for i := range 20 {
		b.add(c, b.bytesOf(fmt.Sprint(i), 130*kib))
	}
	if err := c.Start(b.ctx); err != nil {
		t.Fatal(err)
	}
	b.eventually("all objects", func() bool { return len(b.server.Objects(bucket)) == 21 })
	b.eventually("the end of the list", func() bool { return c.Status() == upload.StateFinished })
	<-entered
	ctx, cancel := context.WithTimeout(b.ctx, 10*time.Millisecond)
	defer cancel()
	if err := c.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "callback OnSucceeded has not returned for ") {
		t.Errorf("Wait: got %v, want the end of its context and the callback that is in the way", err)
	}
	ctx, cancel = context.WithTimeout(b.ctx, 5*time.Second)
	defer cancel()
	if _, err := c.Upload(ctx, b.bytesOf("one more", 1)); err != nil {
		t.Errorf("Upload: got %v, want its result when its context ends", err)
	}
	err := c.Close()
	if err == nil {
		t.Fatal("Close returned nil, want what it waited for")
	}
	for _, part := range []string{"gave up waiting after 100ms", "OnSucceeded", "file memory/first"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("got %q, want it to say %q", err, part)
		}
	}
	if err := c.Close(); !errors.Is(err, upload.ErrClosed) {
		t.Errorf("second Close: got %v, want ErrClosed", err)
	}
	if err := c.Wait(b.ctx); !errors.Is(err, upload.ErrClosed) {
		t.Errorf("Wait after Close: got %v, want ErrClosed", err)
	}
}

// TestCallbackThatEndsItsGoroutine does what testing.T.FailNow does in a callback.
func TestCallbackThatEndsItsGoroutine(t *testing.T) {
	b := newTestbed(t)
	succeeded := 0
	b.opts.Callbacks.OnStarted = func(*upload.Client, upload.FileInfo) { runtime.Goexit() }
	b.opts.Callbacks.OnSucceeded = func(*upload.Client, upload.FileInfo, upload.Result) { succeeded++ }
	c := b.client()
	b.add(c, b.bytesOf("a", 1), b.bytesOf("b", 1))
	if err := c.Start(b.ctx); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(b.ctx); err != nil || succeeded != 2 {
		t.Errorf("got %v, %d succeeded; want 2", err, succeeded)
	}
}

// TestEventsKeepTheirOrderWhileACallbackIsSlow: a progress event that waits is
// brought up to date, but never past what comes after it.
func TestEventsKeepTheirOrderWhileACallbackIsSlow(t *testing.T) {
	b := newTestbed(t)
	b.opts.Parallel = 1
	rec := b.recorded()
	c := b.client()
	hang := osstest.Hang(osstest.OpUploadPart).Nth(3)
	b.server.Inject(hang, osstest.Hang(osstest.OpUploadPart).Nth(6))
	goOn := make(chan struct{})
	rec.at = func(_ *upload.Client, name string, _ upload.FileInfo) {
		if name == "OnStarted" {
			<-goOn
		}
	}
	id := b.add(c, b.bytesOf("a", 450*kib))[0]
	if err := c.Start(b.ctx); err != nil {
		t.Fatal(err)
	}
	<-hang.Fired()
	if err := c.CancelFile(id); err != nil {
		t.Fatal(err)
	}
	b.until(c, id, upload.FileCanceled)
	c.AwaitIdle(t)
	if err := c.ResumeFile(id); err != nil {
		t.Fatal(err)
	}
	if err := b.server.WaitRequests(b.ctx, 6, osstest.OpUploadPart); err != nil {
		t.Fatal(err)
	}
	close(goOn)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if got, want := rec.of("a"), "Started Progress Canceled Started Progress Failed"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A method is a call that a callback may make.
type method struct {
	name string
	call func(b *testbed, c *upload.Client, f upload.FileInfo)
}

// check fails the test for an error other than that the client was closed.
func check(b *testbed, err error) {
	if err != nil && !errors.Is(err, upload.ErrClosed) {
		b.t.Error(err)
	}
}

// methods are all methods of a client. Those that wait do so for no longer than the
// testbed lives, and must end long before.
var methods = []method{
	{"Init", func(b *testbed, c *upload.Client, _ upload.FileInfo) { _ = c.Init(defaultKey) }},
	{"ResumeWithToken", func(b *testbed, c *upload.Client, _ upload.FileInfo) { _ = c.ResumeWithToken(b.newToken(7)) }},
	{"SetToken", func(b *testbed, c *upload.Client, f upload.FileInfo) { _ = c.SetToken(f.ID, b.newToken(8)) }},
	{"SetDestination", func(b *testbed, c *upload.Client, f upload.FileInfo) {
		_ = c.SetDestination(f.ID, directEndpoint, bucket, "given")
	}},
	{"AddFile", func(b *testbed, c *upload.Client, f upload.FileInfo) { _, _ = c.AddFile(b.bytesOf("added", 1)) }},
	{"Files, File, Status and Stats", func(_ *testbed, c *upload.Client, f upload.FileInfo) {
		_ = c.Files()
		_, _ = c.File(f.ID)
		_ = c.Status()
		_ = c.Stats()
	}},
	{"CancelFile", func(_ *testbed, c *upload.Client, f upload.FileInfo) { _ = c.CancelFile(f.ID) }},
	{"ResumeFile", func(_ *testbed, c *upload.Client, f upload.FileInfo) { _ = c.ResumeFile(f.ID) }},
	{"DeleteFile", func(_ *testbed, c *upload.Client, f upload.FileInfo) { _ = c.DeleteFile(f.ID) }},
	{"ClearFiles", func(_ *testbed, c *upload.Client, _ upload.FileInfo) { _ = c.ClearFiles() }},
	{"Start", func(b *testbed, c *upload.Client, _ upload.FileInfo) { _ = c.Start(b.ctx) }},
	{"Stop", func(_ *testbed, c *upload.Client, _ upload.FileInfo) { _ = c.Stop() }},
	{"Stop and Start", func(b *testbed, c *upload.Client, _ upload.FileInfo) {
		_ = c.Stop()
		_ = c.Start(b.ctx)
	}},
	{"Pause", func(_ *testbed, c *upload.Client, _ upload.FileInfo) { _ = c.Pause() }},
	{"Pause and Resume", func(_ *testbed, c *upload.Client, _ upload.FileInfo) {
		_ = c.Pause()
		_ = c.Resume()
	}},
	{"Wait", func(b *testbed, c *upload.Client, _ upload.FileInfo) { _ = c.Wait(b.ctx) }},
	{"Upload", func(b *testbed, c *upload.Client, _ upload.FileInfo) {
		_, _ = c.Upload(b.ctx, b.bytesOf("solo", 150*kib))
	}},
	{"Close", func(b *testbed, c *upload.Client, _ upload.FileInfo) { check(b, c.Close()) }},
}

var callbackNames = []string{
	"OnStarted", "OnProgress", "OnSucceeded", "OnFailed", "OnCanceled", "OnRetry", "OnRetryResume", "OnTokenExpired", "OnFinished",
}

// TestEachCallbackMayCallEachMethod makes every callback happen, and lets one of them
// call one method the first time.
func TestEachCallbackMayCallEachMethod(t *testing.T) {
	for _, name := range callbackNames {
		for _, m := range methods {
			t.Run(name+" calls "+m.name, func(t *testing.T) {
				t.Parallel()
				// Tokens have to come within TokenWait, however busy this machine is.
				synctest.Test(t, func(t *testing.T) { callFrom(t, name, m) })
			})
		}
	}
}

func callFrom(t *testing.T, name string, m method) {
	b := newDirectTestbed(t)
	b.opts.Parallel = 1
	b.opts.TokenWait = 100 * time.Millisecond // of tokens that nobody gives
	b.opts.CleanupTimeout = 10 * time.Second
	rec := b.recorded()
	made := make(chan struct{})
	once := false
	rec.at = func(c *upload.Client, now string, f upload.FileInfo) {
		if now == name && !once {
			once = true
			m.call(b, c, f)
			close(made)
		}
		if now == "OnTokenExpired" {
			_ = c.ResumeWithToken(b.newToken(1))
		}
	}
	b.server.Inject(
		osstest.Fail(osstest.OpUploadPart, 503, "ServiceUnavailable").Key("a"),
		osstest.ExpireToken(osstest.OpUploadPart).Key("a").Nth(2),
	)
	bad := b.bytesOf("bad", 1)
	bad.Bucket = "nobody"
	b.opts.Credentials = nil
	c := b.client()
	if err := c.Init(defaultKey); err != nil {
		t.Fatal(err)
	}
	canceled := b.add(c, bad, b.bytesOf("a", 250*kib), b.bytesOf("canceled", 1))[2]
	if err := c.CancelFile(canceled); err != nil {
		t.Fatal(err)
	}
	// OnCanceled may have started the client, or closed it, before this.
	if err := c.Start(b.ctx); err != nil && !errors.Is(err, upload.ErrClosed) && !errors.Is(err, upload.ErrState) {
		t.Fatal(err)
	}
	select {
	case <-made:
	case <-b.ctx.Done():
		t.Fatalf("the call did not return: client %s, files %+v", c.Status(), c.Files())
	}
	if err := c.Close(); err != nil && !errors.Is(err, upload.ErrClosed) {
		t.Error(err)
	}
	b.eventually("an end for each file", func() bool { return rec.open() == 0 })
}

// TestProgressNeverGoesBack, also where the server loses the upload, and it begins
// again: the recorder looks.
func TestProgressNeverGoesBack(t *testing.T) {
	b := newTestbed(t)
	b.opts.Parallel = 1
	rec := b.recorded()
	hold := osstest.Hang(osstest.OpUploadPart).Nth(7) // until progress was told: it may come late
	b.server.Inject(hold, osstest.LoseUpload(osstest.OpUploadPart).Nth(8))
	f := b.bytesOf("a", 1200*kib)
	c := b.client()
	b.add(c, f)
	start(t, b, c)
	b.eventually("progress", func() bool { return rec.told("OnProgress", "a") > 0 })
	hold.Release()
	if err := c.Wait(b.ctx); err != nil {
		t.Fatal(err)
	}
	b.server.AssertFired(t)
	b.sameBytes(f)
	if n := b.server.Count(osstest.OpInitiateMultipartUpload); n != 2 || rec.told("OnProgress", "a") < 2 {
		t.Errorf("begun %d times, %d times progress; want twice, and some before and after", n, rec.told("OnProgress", "a"))
	}
}
