package upload_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// A once is a channel that is closed when something happens for the first time.
type once struct {
	sync.Once
	ch chan struct{}
}

func newOnce() *once { return &once{ch: make(chan struct{})} }

func (o *once) happens() { o.Do(func() { close(o.ch) }) }

// networkMoments are those in which the network does not answer.
var networkMoments = []moment{
	{name: "in a dial that nobody answers", set: func(b *testbed) (upload.File, <-chan struct{}) {
		there := newOnce()
		b.opts.HTTPClient = &http.Client{Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				there.happens()
				<-ctx.Done()
				return nil, ctx.Err()
			},
		}}
		return b.bytesOf("a", 500*kib), there.ch
	}},
	{name: "in a name that nobody resolves", set: func(b *testbed) (upload.File, <-chan struct{}) {
		there := newOnce()
		names := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			there.happens()
			<-ctx.Done()
			return nil, ctx.Err()
		}}
		b.opts.HTTPClient = &http.Client{Transport: &http.Transport{DialContext: (&net.Dialer{Resolver: names}).DialContext}}
		f := b.bytesOf("a", 500*kib)
		f.Endpoint = "http://oss-cn-nowhere.example.com"
		return f, there.ch
	}},
	{name: "in a TLS handshake that nobody answers", set: func(b *testbed) (upload.File, <-chan struct{}) {
		l := must(net.Listen("tcp", "127.0.0.1:0"))
		there := newOnce()
		var served sync.WaitGroup
		served.Go(func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				served.Go(func() {
					defer conn.Close()
					for buf := make([]byte, 1); ; {
						if _, err := conn.Read(buf); err != nil {
							return // the client is gone
						}
						there.happens()
					}
				})
			}
		})
		b.end = func() {
			_ = l.Close()
			served.Wait()
		}
		f := b.bytesOf("a", 500*kib)
		f.Endpoint = "https://" + l.Addr().String()
		return f, there.ch
	}},
	{name: "in a part that trickles", set: func(b *testbed) (upload.File, <-chan struct{}) {
		return b.at(b.bytesOf("a", 500*kib), osstest.SlowBody(osstest.OpUploadPart, 20*kib).Always())
	}},
	{name: "in an answer to a part that trickles", set: func(b *testbed) (upload.File, <-chan struct{}) {
		return b.at(b.bytesOf("a", 500*kib), osstest.SlowAnswer(osstest.OpUploadPart, 20).Always())
	}},
	{name: "in HEAD after a Complete whose answer was lost", set: func(b *testbed) (upload.File, <-chan struct{}) {
		return b.at(b.bytesOf("a", 500*kib), osstest.LoseAnswer(osstest.OpCompleteMultipartUpload), osstest.Hang(osstest.OpHeadObject).Always())
	}},
}

// localMoments are those in which the client is busy with itself.
var localMoments = []moment{
	{name: "reading parts that the record does not know", set: func(b *testbed) (upload.File, <-chan struct{}) {
		f := b.bytesOf("a", 500*kib)
		slow := &slowReader{ReaderAt: f.Source, read: newOnce()}
		f.Source = upload.NewSource(slow, 500*kib, "v1")
		leave(b, f)
		b.forgetParts()
		slow.pause = 50 * time.Millisecond
		return f, slow.read.ch
	}},
	{name: "beside a Sweep", beside: (*testbed).sweepThatHangs, set: func(b *testbed) (upload.File, <-chan struct{}) {
		b.opts.Parallel = 2 // one for the file, one for the sweep
		return b.at(b.bytesOf("a", 500*kib), osstest.Hang(osstest.OpUploadPart))
	}},
	{name: "claiming the checkpoint", set: storeHangsIn("Open")},
	{name: "writing the record", set: storeHangsIn("Begin")},
	{name: "writing the parts", set: storeHangsIn("Flush")},
}

// forgetParts takes the parts out of the only record.
func (b *testbed) forgetParts() {
	b.t.Helper()
	entries := must(b.store.List(b.ctx))
	if len(entries) != 1 || entries[0].Parts == 0 {
		b.t.Fatalf("the store has %+v, want a record with parts", entries)
	}
	cp := must(b.store.Open(b.ctx, entries[0].Record.Key))
	if err := errors.Join(cp.Begin(b.ctx, entries[0].Record), cp.Close()); err != nil {
		b.t.Fatal(err)
	}
}

// A slowReader takes its time for each read once pause is set.
type slowReader struct {
	io.ReaderAt
	pause time.Duration
	read  *once
}

func (r *slowReader) ReadAt(p []byte, off int64) (int, error) {
	if r.pause > 0 {
		r.read.happens()
		time.Sleep(r.pause)
	}
	return r.ReaderAt.ReadAt(p, off)
}

// sweepThatHangs has the client sweep. ended wants the sweep to have ended with the
// client.
func (b *testbed) sweepThatHangs(c *upload.Client) (there <-chan struct{}, ended func()) {
	hang := osstest.Hang(osstest.OpListMultipartUploads).Always()
	b.server.Inject(hang)
	b.t.Cleanup(hang.Release)
	swept := make(chan error, 1)
	go func() {
		_, err := c.Sweep(b.ctx, upload.SweepOptions{Endpoint: b.server.URL, Bucket: bucket, OnlyThisMachine: true})
		swept <- err
	}()
	return hang.Fired(), func() {
		select {
		case err := <-swept:
			if !errors.Is(err, upload.ErrClosed) {
				b.t.Errorf("Sweep: got %v, want ErrClosed", err)
			}
		case <-time.After(hangTimeout):
			b.t.Error("Sweep continues after Close has returned")
		}
	}
}

// storeHangsIn has one call of the store hang until its context ends.
func storeHangsIn(call string) func(*testbed) (upload.File, <-chan struct{}) {
	return func(b *testbed) (upload.File, <-chan struct{}) {
		there := make(chan struct{})
		b.opts.Checkpoints = &stuckStore{Store: b.store, call: call, there: there}
		return b.bytesOf("a", 500*kib), there
	}
}

type stuckStore struct {
	checkpoint.Store
	call  string
	there chan struct{}
	once  sync.Once
}

func (s *stuckStore) meet(ctx context.Context, call string) (err error) {
	if call == s.call {
		s.once.Do(func() {
			close(s.there)
			<-ctx.Done()
			err = ctx.Err()
		})
	}
	return err
}

func (s *stuckStore) Open(ctx context.Context, key checkpoint.Key) (checkpoint.Claim, error) {
	if err := s.meet(ctx, "Open"); err != nil {
		return nil, err
	}
	u, err := s.Store.Open(ctx, key)
	return &stuckUpload{u, s}, err
}

type stuckUpload struct {
	checkpoint.Claim
	s *stuckStore
}

func (u *stuckUpload) Begin(ctx context.Context, rec checkpoint.Record) error {
	if err := u.s.meet(ctx, "Begin"); err != nil {
		return err
	}
	return u.Claim.Begin(ctx, rec)
}

func (u *stuckUpload) Flush(ctx context.Context) error {
	if err := u.s.meet(ctx, "Flush"); err != nil {
		return err
	}
	return u.Claim.Flush(ctx)
}

// TestSweepAfterClose is refused at once.
func TestSweepAfterClose(t *testing.T) {
	b := newTestbed(t)
	c := b.client()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Sweep(b.ctx, upload.SweepOptions{}); !errors.Is(err, upload.ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
}
