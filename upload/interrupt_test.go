package upload_test

import (
	"context"
	"errors"
	"io"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// A moment is where an upload is when it is interrupted.
type moment struct {
	name string
	// set makes the moment come, and returns the file, and what is closed when it is
	// there.
	set func(b *testbed) (upload.File, <-chan struct{})
	// mute: there may be no token to abort the upload with.
	mute bool
	// reads: a Read of the file's Reader is under way, until the testbed's end.
	reads bool
	// beside is what continues beside the file; ended is called after Close. It may be
	// nil.
	beside func(b *testbed, c *upload.Client) (there <-chan struct{}, ended func())
}

func (b *testbed) at(f upload.File, faults ...*osstest.Fault) (upload.File, <-chan struct{}) {
	b.server.Inject(faults...)
	b.t.Cleanup(func() {
		for _, one := range faults {
			one.Release()
		}
	})
	return f, faults[len(faults)-1].Fired()
}

// started returns a channel that is closed when OnStarted is called.
func (b *testbed) started() <-chan struct{} {
	ch := make(chan struct{})
	b.opts.Callbacks.OnStarted = func(*upload.Client, upload.FileInfo) {
		select {
		case <-ch:
		default:
			close(ch)
		}
	}
	return ch
}

var moments = []moment{
	{name: "in Initiate", set: func(b *testbed) (upload.File, <-chan struct{}) {
		return b.at(b.bytesOf("a", 500*kib), osstest.Hang(osstest.OpInitiateMultipartUpload))
	}},
	{name: "in a part, others waiting for a slot", set: func(b *testbed) (upload.File, <-chan struct{}) {
		b.opts.Parallel = 1
		return b.at(b.bytesOf("a", 500*kib), osstest.Hang(osstest.OpUploadPart).Nth(2).Always())
	}},
	{name: "in the answer to a part", set: func(b *testbed) (upload.File, <-chan struct{}) {
		return b.at(b.bytesOf("a", 500*kib), osstest.Hang(osstest.OpUploadPart).AfterWork().Always())
	}},
	{name: "in a file on disk", set: func(b *testbed) (upload.File, <-chan struct{}) {
		return b.at(b.file("a", 500*kib), osstest.Hang(osstest.OpUploadPart).BeforeWork().Always())
	}},
	{name: "in Complete", set: func(b *testbed) (upload.File, <-chan struct{}) {
		return b.at(b.bytesOf("a", 500*kib), osstest.Hang(osstest.OpCompleteMultipartUpload))
	}},
	{name: "in PutObject", set: func(b *testbed) (upload.File, <-chan struct{}) {
		return b.at(b.bytesOf("a", 50*kib), osstest.Hang(osstest.OpPutObject))
	}},
	{name: "in ListParts", set: func(b *testbed) (upload.File, <-chan struct{}) {
		f := b.bytesOf("a", 500*kib)
		leave(b, f)
		return b.at(f, osstest.Hang(osstest.OpListParts))
	}},
	{name: "in an outage", set: func(b *testbed) (upload.File, <-chan struct{}) {
		b.opts.RetryInterval = time.Hour
		there := newOnce()
		b.opts.Callbacks.OnRetry = func(*upload.Client, upload.FileInfo, upload.Retry) { there.happens() }
		f, _ := b.at(b.bytesOf("a", 500*kib), osstest.Fail(osstest.OpUploadPart, 503, "ServiceUnavailable").Always())
		return f, there.ch
	}},
	{name: "in the pause before a retry", set: func(b *testbed) (upload.File, <-chan struct{}) {
		b.opts.RetryInterval, b.opts.OutageWait = time.Hour, -1
		ch := make(chan struct{})
		b.opts.Callbacks.OnRetry = func(_ *upload.Client, _ upload.FileInfo, r upload.Retry) {
			if r.Part == 1 {
				close(ch)
			}
		}
		f, _ := b.at(b.bytesOf("a", 500*kib), osstest.Fail(osstest.OpUploadPart, 503, "ServiceUnavailable").Always())
		return f, ch
	}},
	{name: "waiting for the first token", set: func(b *testbed) (upload.File, <-chan struct{}) {
		b.opts.Credentials = nil
		return b.bytesOf("a", 500*kib), b.started()
	}},
	{name: "waiting for a new token", mute: true, set: func(b *testbed) (upload.File, <-chan struct{}) {
		b.opts.CleanupTimeout = 300 * time.Millisecond
		b.opts.Credentials = sts.ProviderFunc(func(context.Context) (sts.Credentials, error) { return defaultKey, nil })
		return b.at(b.bytesOf("a", 500*kib), osstest.Fail(osstest.OpUploadPart, 0, "SecurityTokenExpired").Always())
	}},
	{name: "waiting for a provider that hangs", set: func(b *testbed) (upload.File, <-chan struct{}) {
		asked := make(chan struct{})
		b.opts.Credentials = sts.ProviderFunc(func(ctx context.Context) (sts.Credentials, error) {
			close(asked)
			<-ctx.Done()
			return sts.Credentials{}, ctx.Err()
		})
		return b.bytesOf("a", 500*kib), asked
	}},
	{name: "waiting for a destination", set: func(b *testbed) (upload.File, <-chan struct{}) {
		f := b.bytesOf("a", 500*kib)
		f.Endpoint, f.Bucket, f.Object = "", "", ""
		return f, b.started()
	}},
	{name: "waiting for a Reader", set: func(b *testbed) (upload.File, <-chan struct{}) {
		r, w := io.Pipe()
		f := b.to("a")
		f.Reader = r
		ready := make(chan struct{})
		go func() {
			_, _ = w.Write(make([]byte, 150*kib))
			close(ready)
		}()
		b.end = func() { _ = r.Close() } // a Read that is under way ends with it
		return f, ready
	}, reads: true},
}

// leave leaves an upload with one part at the server and in the store.
func leave(b *testbed, f upload.File) {
	b.t.Helper()
	hang := osstest.Hang(osstest.OpUploadPart).Nth(2).Always()
	b.server.Inject(hang)
	defer b.server.ClearFaults()
	defer hang.Release()
	parallel := b.opts.Parallel
	b.opts.Parallel = 1
	c := b.client()
	b.opts.Parallel = parallel
	b.add(c, f)
	if err := c.Start(b.ctx); err != nil {
		b.t.Fatal(err)
	}
	<-hang.Fired()
	if err := c.Close(); err != nil {
		b.t.Fatal(err)
	}
}

// An interruption ends what is under way.
type interruption struct {
	name string
	do   func(b *testbed, c *upload.Client, id upload.FileID, cancel func()) error
	// want is the state of the file when the call has returned.
	want upload.FileState
}

// fileGone stands for a file that is not in the list any more.
const fileGone upload.FileState = -1

var interruptions = []interruption{
	{"Pause", func(_ *testbed, c *upload.Client, _ upload.FileID, _ func()) error { return c.Pause() }, upload.FilePaused},
	{"Stop", func(_ *testbed, c *upload.Client, _ upload.FileID, _ func()) error { return c.Stop() }, upload.FileInit},
	{"the end of Start's context", func(b *testbed, c *upload.Client, _ upload.FileID, cancel func()) error {
		cancel()
		if err := c.Wait(b.ctx); !errors.Is(err, upload.ErrStopped) || !errors.Is(err, context.Canceled) {
			return errors.Join(errors.New("Wait does not return ErrStopped of context.Canceled"), err)
		}
		return nil
	}, upload.FileInit},
	{"CancelFile", func(_ *testbed, c *upload.Client, id upload.FileID, _ func()) error { return c.CancelFile(id) }, upload.FileCanceled},
	{"DeleteFile", func(_ *testbed, c *upload.Client, id upload.FileID, _ func()) error { return c.DeleteFile(id) }, fileGone},
	{"ClearFiles", func(_ *testbed, c *upload.Client, _ upload.FileID, _ func()) error { return c.ClearFiles() }, fileGone},
	{"Close", func(_ *testbed, c *upload.Client, _ upload.FileID, _ func()) error { return c.Close() }, upload.FileFailed},
}

// TestInterruptedAtEachMoment interrupts an upload wherever it may be. The call
// returns although the server hangs, and after Close no goroutine, no connection and
// no open file is left.
func TestInterruptedAtEachMoment(t *testing.T) {
	for _, m := range slices.Concat(moments, networkMoments, localMoments) {
		for _, i := range interruptions {
			t.Run(i.name+" "+m.name, func(t *testing.T) { interruptAt(t, m, i) })
		}
	}
}

func interruptAt(t *testing.T, m moment, i interruption) {
	b := newTestbed(t)
	before, allEnded := openFiles(t), goroutinesEnd(t)
	f, there := m.set(b)
	c := b.client()
	ctx, cancel := context.WithCancel(b.ctx)
	defer cancel()
	id := b.add(c, f)[0]
	if err := c.Start(ctx); err != nil {
		t.Fatal(err)
	}
	awaitMoment(b, c, there)
	ended := func() {}
	if m.beside != nil {
		there, ended = m.beside(b, c)
		awaitMoment(b, c, there)
	}
	began := time.Now()
	if err := i.do(b, c, id, cancel); err != nil {
		t.Errorf("%s: %v", i.name, err)
	}
	if took := time.Since(began); took > 10*time.Second { // next to nothing, but on a busy machine
		t.Errorf("%s took %v", i.name, took)
	}
	if i.want == upload.FilePaused || i.want == upload.FileInit {
		b.until(c, id, i.want)
	}
	switch got, err := c.File(id); {
	case i.want == fileGone && !errors.Is(err, upload.ErrFileNotExist):
		t.Errorf("the file is %s (%v), want it gone", got.State, err)
	case i.want != fileGone && (err != nil || got.State != i.want):
		t.Errorf("the file is %s (%v, %v), want %s", got.State, got.Err, err, i.want)
	}
	if m.reads { // Close waits for it, for a second: once is enough
		b.end()
	}
	// As Close, but a machine that stalls for longer than CleanupTimeout has its time.
	if err := c.Shutdown(b.ctx); err != nil && !errors.Is(err, upload.ErrClosed) {
		t.Errorf("Shutdown: %v", err)
	}
	ended()
	if got, _ := c.File(id); i.want == upload.FileFailed && !errors.Is(got.Err, upload.ErrClosed) {
		t.Errorf("got %v, want ErrClosed", got.Err)
	}
	if (i.want == upload.FileCanceled || i.want == fileGone) && !m.mute {
		b.clean()
	}
	b.server.ClearFaults()
	b.server.Close()
	if b.opts.HTTPClient != nil {
		b.opts.HTTPClient.CloseIdleConnections()
	}
	if b.end != nil {
		b.end()
	}
	allEnded()
	b.eventually("all files and connections to be closed", func() bool { return openFiles(t) <= before })
}

func awaitMoment(b *testbed, c *upload.Client, there <-chan struct{}) {
	b.t.Helper()
	select {
	case <-there:
	case <-b.ctx.Done():
		b.t.Fatalf("the moment did not come; the files are %+v", c.Files())
	}
}

// openFiles returns how many files and sockets the process has open; 0 where the
// system does not tell.
func openFiles(t *testing.T) int {
	t.Helper()
	if runtime.GOOS != "linux" {
		return 0
	}
	return len(must(os.ReadDir("/proc/self/fd")))
}

// TestInterruptedUploadGoesOn after Pause and after Stop, and sends nothing again
// that was acknowledged.
func TestInterruptedUploadGoesOn(t *testing.T) {
	for name, do := range map[string]func(b *testbed, c *upload.Client) error{
		"Pause and Resume": func(_ *testbed, c *upload.Client) error { return errors.Join(c.Pause(), c.Resume()) },
		"Stop and Start":   func(b *testbed, c *upload.Client) error { return errors.Join(c.Stop(), c.Start(b.ctx)) },
		"Pause, Stop, Start": func(b *testbed, c *upload.Client) error {
			return errors.Join(c.Pause(), c.Stop(), c.Start(b.ctx))
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newTestbed(t)
			b.opts.Parallel = 2
			rec := b.recorded()
			hang := osstest.Hang(osstest.OpUploadPart).Nth(5).Times(2)
			defer hang.Release() // only now: the server would take parts whose client has gone
			b.server.Inject(hang)
			c := b.client()
			f := b.bytesOf("a", 1000*kib)
			id := b.add(c, f)[0]
			if err := c.Start(b.ctx); err != nil {
				t.Fatal(err)
			}
			// Not when the server has merely counted them: until the fault holds a part, the
			// server takes it, also from a client that has gone.
			b.eventually("two parts to be held", func() bool { return hang.Count() == 2 })
			b.eventually("the first parts", func() bool { return must(c.File(id)).Uploaded >= 400*kib })
			if err := do(b, c); err != nil {
				t.Fatal(err)
			}
			if err := c.Wait(b.ctx); err != nil {
				t.Fatal(err)
			}
			b.sameBytes(f)
			info := must(c.File(id))
			if info.Result.ResumedBytes < 400*kib || b.server.Count(osstest.OpInitiateMultipartUpload) != 1 {
				t.Errorf("%d bytes resumed, %d uploads begun; want those of four parts, and one", info.Result.ResumedBytes, b.server.Count(osstest.OpInitiateMultipartUpload))
			}
			sent := make(map[int]int)
			for _, q := range b.server.Requests(osstest.OpUploadPart) {
				if q.Status == 200 && q.Fault == nil { // what was held was sent to nobody
					sent[q.PartNumber]++
				}
			}
			for n := range 10 {
				if sent[n+1] != 1 {
					t.Errorf("part %d was received %d times, want once", n+1, sent[n+1])
				}
			}
			if got := rec.of("a"); got != "Started Progress Succeeded" {
				t.Errorf("got %s, want one start and one end", got)
			}
			b.clean()
		})
	}
}
