package upload_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

var (
	randomSteps = flag.Int("steps", 300, "random calls of each run of TestRandomCalls")
	randomSeed  = flag.Uint64("seed", 0, "the only seed of TestRandomCalls; 0: several")
	randomRuns  = flag.Int("runs", 4, "seeds of TestRandomCalls, from 1 on")
)

// TestRandomCalls drives a client with random calls, from many goroutines and from
// within callbacks, against a server with random faults, and with tokens that expire.
// A recorder holds what is told against what was promised. In the end everything is
// brought to an end, and every object has to be right.
//
//	go test ./upload -run TestRandomCalls -args -steps=5000 -seed=17
func TestRandomCalls(t *testing.T) {
	seeds := []uint64{*randomSeed}
	if *randomSeed == 0 {
		seeds = nil
		for n := range *randomRuns {
			seeds = append(seeds, uint64(n+1))
		}
	}
	for _, seed := range seeds {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { runRandom(t, newDirectTestbed(t), seed) })
		})
	}
	t.Run("over the network", func(t *testing.T) {
		ended := goroutinesEnd(t)
		b := newTestbed(t)
		ctx, cancel := context.WithTimeout(t.Context(), hangTimeout+time.Duration(*randomSteps)*100*time.Millisecond)
		defer cancel()
		b.ctx = ctx
		b.opts.HTTPClient = &http.Client{Transport: &http.Transport{}}
		b.opts.StallTimeout = time.Second
		runRandom(t, b, seeds[0])
		b.opts.HTTPClient.CloseIdleConnections()
		b.server.Close()
		ended()
	})
}

// A driver makes the random calls.
type driver struct {
	*testbed
	client *upload.Client
	rec    *recorder
	defect *watcher
	wg     sync.WaitGroup

	mu     sync.Mutex
	random *rand.Rand
	tokens int
	stuck  bool // no tokens are handed out
}

func runRandom(t *testing.T, b *testbed, seed uint64) {
	d := &driver{testbed: b, random: rand.New(rand.NewPCG(seed, 0)), defect: &watcher{}}
	defer func() {
		if t.Failed() {
			t.Logf("go test ./upload -run TestRandomCalls -args -steps=%d -seed=%d", *randomSteps, seed)
		}
	}()
	b.opts.Parallel = 1 + d.n(6)
	b.opts.RetryInterval = time.Duration(1+d.n(50)) * time.Millisecond
	b.opts.TokenWait = 5 * time.Second
	if b.server.URL != "" {
		b.opts.TokenWait = 300 * time.Millisecond // of real time
	}
	b.opts.CleanupTimeout = 20 * time.Second
	b.opts.Logger = slog.New(slog.NewTextHandler(d.defect, nil))
	b.opts.Credentials = nil
	if d.n(2) == 0 {
		b.opts.Credentials = sts.ProviderFunc(d.credentials)
	}
	d.rec = b.recorded()
	d.rec.at = d.inCallback
	for range 1 + d.n(3) {
		d.open()
		for range *randomSteps / 2 {
			d.step()
		}
		if d.n(2) == 0 {
			d.closeNow()
		}
	}
	d.finish()
}

// open begins with another client, which takes up what the last one has left.
func (d *driver) open() {
	if d.client != nil && d.client.Status() != upload.StateClosed {
		return
	}
	d.client = must(upload.New(&d.opts))
	if d.opts.Credentials == nil {
		_ = d.client.Init(d.token())
	}
}

func (d *driver) n(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.random.IntN(n)
}

func (d *driver) token() sts.Credentials {
	d.mu.Lock()
	d.tokens++
	n := d.tokens
	d.mu.Unlock()
	return d.newToken(n)
}

func (d *driver) credentials(context.Context) (sts.Credentials, error) {
	d.mu.Lock()
	stuck := d.stuck
	d.mu.Unlock()
	if stuck || d.n(4) == 0 {
		return sts.Credentials{}, errors.New("no token today")
	}
	return d.token(), nil
}

// expire lets the token of now expire.
func (d *driver) expire() {
	d.mu.Lock()
	id := fmt.Sprint("STS.", d.tokens)
	d.mu.Unlock()
	d.server.ExpireKey(id)
}

// someFile is one of 40: its size goes by its name, some have no destination yet, and
// some go to a bucket that is not there.
func (d *driver) someFile() upload.File {
	n := d.n(40)
	f := d.bytesOf(fmt.Sprint(n), n*17*kib)
	switch n % 10 {
	case 8:
		f.Endpoint, f.Bucket, f.Object = "", "", ""
	case 9:
		f.Bucket = "nobody"
	}
	return f
}

// some returns the ID of a file that is in the list, or was.
func (d *driver) some() upload.FileID {
	files := d.client.Files()
	if len(files) == 0 || d.n(20) == 0 {
		return upload.FileID(d.n(50))
	}
	return files[d.n(len(files))].ID
}

func (d *driver) destination(c *upload.Client, id upload.FileID) {
	f, err := c.File(id)
	if err != nil || f.Bucket != "" {
		return
	}
	endpoint := d.server.URL
	if endpoint == "" {
		endpoint = directEndpoint
	}
	_ = c.SetDestination(id, endpoint, bucket, strings.TrimPrefix(f.Path, "memory/"))
}

// step makes one call, and looks at the list.
func (d *driver) step() {
	d.call(d.client, d.some(), d.n(25))
	if d.n(3) == 0 {
		d.pause(time.Duration(d.n(40)) * time.Millisecond)
	}
	if d.n(8) == 0 {
		d.fault()
	}
	if d.t.Failed() {
		return // once is enough
	}
	for _, f := range d.client.Files() {
		if f.Uploaded < 0 || f.InFlight < 0 || f.Size >= 0 && f.Uploaded+f.InFlight > f.Size {
			d.t.Errorf("file %v: %d bytes uploaded, %d in flight of %d", f.ID, f.Uploaded, f.InFlight, f.Size)
		}
		if (f.State == upload.FileFailed) != (f.Err != nil) || (f.State == upload.FileSucceeded) != (f.Result != nil) {
			d.t.Errorf("file %v is %s with error %v and result %v", f.ID, f.State, f.Err, f.Result)
		}
	}
	if s := d.client.Stats(); s.Uploaded > s.Total || s.Speed < 0 || s.Left < -1 {
		d.t.Errorf("got %+v", s)
	}
}

// pause lets time pass; over the network, that is real time, and less of it.
func (d *driver) pause(how time.Duration) {
	if d.server.URL != "" {
		how /= 20
	}
	time.Sleep(how)
}

func (d *driver) call(c *upload.Client, id upload.FileID, which int) {
	switch which {
	default:
		_, _ = c.AddFile(d.someFile())
	case 0, 1:
		_ = c.Start(d.ctx)
	case 2:
		_ = c.Stop()
	case 3:
		_ = c.Pause()
	case 4, 5, 6:
		_ = c.Resume()
	case 7, 8:
		_ = c.CancelFile(id)
	case 9, 10, 11:
		_ = c.ResumeFile(id)
	case 12:
		_ = c.DeleteFile(id)
	case 13:
		if d.n(20) == 0 {
			_ = c.ClearFiles()
		}
	case 14:
		d.expire()
	case 15:
		_ = c.ResumeWithToken(d.token())
	case 16:
		_ = c.SetToken(id, d.token())
	case 17:
		d.destination(c, id)
	case 18:
		d.upload(c)
	case 19:
		d.wait(c)
	}
}

// upload calls Upload, on a goroutine, for a while.
func (d *driver) upload(c *upload.Client) {
	f := d.someFile()
	patience := time.Duration(d.n(10000)) * time.Millisecond
	d.wg.Go(func() {
		ctx, cancel := context.WithTimeout(d.ctx, patience)
		defer cancel()
		if _, err := c.Upload(ctx, f); err == nil {
			f.Object = strings.TrimPrefix(f.Path, "memory/")
			d.sameBytes(f)
		}
	})
}

func (d *driver) wait(c *upload.Client) {
	patience := time.Duration(d.n(10000)) * time.Millisecond
	d.wg.Go(func() {
		ctx, cancel := context.WithTimeout(d.ctx, patience)
		defer cancel()
		_ = c.Wait(ctx)
	})
}

// inCallback makes a call from within a callback, now and then, or takes its time.
func (d *driver) inCallback(c *upload.Client, name string, f upload.FileInfo) {
	switch {
	case name == "OnTokenExpired" && d.n(4) > 0:
		if d.n(2) == 0 {
			_ = c.SetToken(f.ID, d.token())
		}
		_ = c.ResumeWithToken(d.token())
	case name == "OnStarted":
		d.destination(c, f.ID)
	}
	switch d.n(15) {
	case 0:
		d.call(c, f.ID, d.n(25))
	case 1:
		d.pause(time.Duration(d.n(100)) * time.Millisecond)
	case 2:
		ctx, cancel := context.WithTimeout(d.ctx, 50*time.Millisecond)
		defer cancel()
		if d.n(2) == 0 {
			_ = c.Wait(ctx)
		} else {
			_, _ = c.Upload(ctx, d.bytesOf("from a callback", 130*kib))
		}
	}
}

// fault injects one that strikes a few times.
func (d *driver) fault() {
	ops := []osstest.Op{
		osstest.AnyOp, osstest.OpUploadPart, osstest.OpUploadPart, osstest.OpPutObject, osstest.OpInitiateMultipartUpload,
		osstest.OpCompleteMultipartUpload, osstest.OpAbortMultipartUpload, osstest.OpListParts, osstest.OpHeadObject,
	}
	op := ops[d.n(len(ops))]
	var f *osstest.Fault
	switch d.n(12) {
	case 0:
		f = osstest.Fail(op, 503, "ServiceUnavailable")
	case 1:
		f = osstest.Fail(op, 500, "InternalError").AfterWork()
	case 2:
		f = osstest.Fail(op, 403, "AccessDenied")
	case 3:
		f = osstest.Reset(op)
	case 4:
		f = osstest.LoseAnswer(op)
	case 5:
		f = osstest.Hang(op)
	case 6:
		f = osstest.LoseUpload(op)
	case 7:
		f = osstest.WrongCRC64(osstest.OpUploadPart)
	case 8:
		f = osstest.ExpireToken(op)
	case 9:
		f = osstest.Delay(op, time.Duration(d.n(20))*time.Millisecond)
	case 10:
		f = osstest.HTML(op, 502)
	case 11:
		f = osstest.EmptyAnswer(op)
	}
	d.server.ClearFaults()
	d.server.Inject(f.Nth(1 + d.n(5)).Times(1 + d.n(4)))
}

// closeNow closes the client wherever it is.
func (d *driver) closeNow() {
	if err := d.client.Close(); err != nil && !errors.Is(err, upload.ErrClosed) {
		d.t.Errorf("Close: %v", err)
	}
	d.wg.Wait()
	if n := d.rec.open(); n > 0 {
		d.t.Errorf("%d files got no end before Close returned", n)
	}
}

// finish lets everything come to its end, and looks at what came of it.
func (d *driver) finish() {
	d.open()
	c := d.client
	d.server.ClearFaults()
	d.rec.mu.Lock()
	d.rec.at = func(c *upload.Client, name string, f upload.FileInfo) {
		switch name {
		case "OnStarted":
			d.destination(c, f.ID)
		case "OnTokenExpired":
			_ = c.SetToken(f.ID, d.token())
			_ = c.ResumeWithToken(d.token())
		}
	}
	d.rec.mu.Unlock()
	d.wg.Wait()
	_ = c.ResumeWithToken(d.token())
	_ = c.Resume()
	_ = c.Start(d.ctx)
	for _, f := range c.Files() {
		_ = c.SetToken(f.ID, d.token())
		d.destination(c, f.ID)
		if now, err := c.File(f.ID); err != nil || now.Bucket == "nobody" || now.Bucket == "" { // of the same source twice, only one can go there

			_ = c.DeleteFile(f.ID)
		}
		d.eventually("a canceled file to be resumed", func() bool {
			now, err := c.File(f.ID)
			if err == nil && (now.State == upload.FileCanceled || now.State == upload.FileFailed) {
				_ = c.ResumeFile(f.ID)
				return false
			}
			return true
		})
	}
	if err := c.Wait(d.ctx); err != nil {
		d.t.Errorf("Wait: %v", err)
	}
	checkTotals(d.t, c)
	for _, f := range c.Files() {
		if f.State != upload.FileSucceeded {
			d.t.Errorf("file %v (%s) is %s: %v", f.ID, f.Object, f.State, f.Err)
			continue
		}
		d.sameBytes(d.bytesOf(f.Object, int(f.Size)))
	}
	// What earlier clients and Uploads have left is taken up by adding it again.
	for n := range 40 {
		if n%10 != 9 {
			_, _ = c.AddFile(d.bytesOf(fmt.Sprint(n), n*17*kib))
		}
	}
	_, _ = c.AddFile(d.bytesOf("from a callback", 130*kib))
	if err := c.Wait(d.ctx); err != nil {
		d.t.Errorf("Wait at the end: %v", err)
	}
	d.closeNow()
	d.cleanButForLost()
	if d.defect.found != "" {
		d.t.Error(d.defect.found)
	}
}

// A watcher looks for log lines of defects.
type watcher struct {
	mu    sync.Mutex
	found string
}

func (w *watcher) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if strings.Contains(string(p), "defect") && w.found == "" {
		w.found = string(p)
	}
	return len(p), nil
}
