package upload_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/checkpoint/checkpointtest"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// A stage is where in a request a process is stopped.
type stage int

const (
	beforeIt stage = iota // when everything is ready to send it
	inBody                // when half of it is sent
	answered              // when its answer has arrived
	lostIt                // when its answer is lost
)

// A stopped is the connection of a process, and its store, which stop together at one
// request: nothing is sent or received, no time passes, and no lease is renewed.
type stopped struct {
	base  http.RoundTripper
	store *checkpointtest.LeasedStore
	op    osstest.Op
	nth   int
	stage stage
	also  func(osstest.Op, int) // called when an answer has arrived; may be nil

	mu    sync.Mutex
	seen  map[osstest.Op]int
	stop  chan struct{}
	wake  chan struct{}
	awake atomic.Bool
	late  atomic.Int32 // requests that change something, made since it is awake again
}

func newStopped(store *checkpointtest.LeasedStore, op osstest.Op, nth int, at stage) *stopped {
	return &stopped{
		base: http.DefaultTransport.(*http.Transport).Clone(), store: store, op: op, nth: nth, stage: at,
		seen: make(map[osstest.Op]int), stop: make(chan struct{}), wake: make(chan struct{}),
	}
}

func opOf(req *http.Request) osstest.Op {
	q := req.URL.Query()
	switch _, initiates := q["uploads"]; {
	case req.Method == http.MethodPost && initiates:
		return osstest.OpInitiateMultipartUpload
	case req.Method == http.MethodPost:
		return osstest.OpCompleteMultipartUpload
	case req.Method == http.MethodDelete:
		return osstest.OpAbortMultipartUpload
	case req.Method == http.MethodPut && q.Has("uploadId"):
		return osstest.OpUploadPart
	case req.Method == http.MethodPut:
		return osstest.OpPutObject
	}
	return osstest.OpHeadObject // or another that changes nothing
}

func (s *stopped) RoundTrip(req *http.Request) (*http.Response, error) {
	op := opOf(req)
	if s.awake.Load() && op != osstest.OpHeadObject {
		s.late.Add(1)
	}
	s.mu.Lock()
	s.seen[op]++
	n := s.seen[op]
	s.mu.Unlock()
	hit := op == s.op && n == s.nth
	if hit && s.stage == beforeIt {
		s.sleep()
		s.late.Add(1)
	}
	if hit && s.stage == inBody {
		req = req.Clone(req.Context())
		req.Body = &stoppedBody{ReadCloser: req.Body, stopped: s}
	}
	res, err := s.base.RoundTrip(req)
	if err != nil {
		return res, err
	}
	if s.also != nil {
		s.also(op, n)
	}
	switch {
	case hit && s.stage == answered:
		s.sleep()
	case hit && s.stage == lostIt:
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		s.sleep()
		return nil, io.ErrUnexpectedEOF
	}
	return res, err
}

// sleep stops the process until it is woken.
func (s *stopped) sleep() {
	s.store.Stop()
	close(s.stop)
	<-s.wake
}

type stoppedBody struct {
	io.ReadCloser
	stopped *stopped
	once    bool
}

// Read stops before the second read.
func (b *stoppedBody) Read(p []byte) (int, error) {
	if b.once {
		select {
		case <-b.stopped.stop:
		default:
			b.stopped.sleep()
		}
	}
	b.once = true
	return b.ReadCloser.Read(p[:min(len(p), 16*kib)])
}

// TestStoppedHolder: a client is stopped past its lease, another one completes the upload,
// and somebody puts a newer object under the name. When the first is continued, the object
// stays, at most one request that changes anything is made, and the file fails with
// ErrClaimLost.
func TestStoppedHolder(t *testing.T) {
	for _, tt := range []struct {
		name  string
		size  int
		op    osstest.Op
		nth   int
		at    stage
		spoil bool // the source changes after the third part
	}{
		{"before Initiate", 500 * kib, osstest.OpInitiateMultipartUpload, 1, beforeIt, false},
		{"after Initiate", 500 * kib, osstest.OpInitiateMultipartUpload, 1, answered, false},
		{"between parts", 500 * kib, osstest.OpUploadPart, 3, answered, false},
		{"in a part", 500 * kib, osstest.OpUploadPart, 3, inBody, false},
		{"after a lost answer to a part", 500 * kib, osstest.OpUploadPart, 3, lostIt, false},
		{"after the last part", 500 * kib, osstest.OpUploadPart, 5, answered, false},
		{"before Complete", 500 * kib, osstest.OpCompleteMultipartUpload, 1, beforeIt, false},
		{"after a lost answer to Complete", 500 * kib, osstest.OpCompleteMultipartUpload, 1, lostIt, false},
		{"before Abort", 500 * kib, osstest.OpAbortMultipartUpload, 1, beforeIt, true},
		{"after a lost answer to Abort", 500 * kib, osstest.OpAbortMultipartUpload, 1, lostIt, true},
		{"in a PutObject", 60 * kib, osstest.OpPutObject, 1, inBody, false},
		{"before a PutObject", 60 * kib, osstest.OpPutObject, 1, beforeIt, false},
		{"after a lost answer to a PutObject", 60 * kib, osstest.OpPutObject, 1, lostIt, false},
	} {
		for _, how := range []struct {
			name           string
			optional, mute bool
		}{{"", false, false}, {", optional", true, false}, {", asked only", false, true}, {", optional, asked only", true, true}} {
			optional := how.optional
			t.Run(tt.name+how.name, func(t *testing.T) {
				b := newTestbed(t)
				leases := checkpointtest.NewLeases()
				f := b.file("a", tt.size)
				held := leases.Store("first")
				s := newStopped(held, tt.op, tt.nth, tt.at)
				defer s.base.(*http.Transport).CloseIdleConnections()
				if tt.spoil {
					s.also = func(op osstest.Op, n int) {
						if op == osstest.OpUploadPart && n == 3 {
							changeFile(t, f.Path)
						}
					}
				}
				b.opts.CheckpointsOptional, b.opts.Parallel = optional, 1
				b.opts.Checkpoints, b.opts.HTTPClient = held, &http.Client{Transport: s}
				if how.mute {
					b.opts.Checkpoints = mute{held}
				}
				first := b.client()
				var failed error
				var wg sync.WaitGroup
				wg.Go(func() { _, failed = first.Upload(b.ctx, f) })
				select {
				case <-s.stop:
				case <-b.ctx.Done():
					t.Fatal("the client was never stopped")
				}
				leases.Advance(checkpointtest.LeaseTerm)

				b.opts.Checkpoints, b.opts.HTTPClient = leases.Store("second"), nil
				r, err := b.client().Upload(b.ctx, f)
				if err != nil {
					t.Fatalf("the second client: %v", err)
				}
				b.same(f)
				if made := tt.op == osstest.OpCompleteMultipartUpload && tt.at == lostIt; r.CompletedByOther != made {
					t.Errorf("CompletedByOther is %t, want %t", r.CompletedByOther, made)
				}
				newer := b.file("newer", 200*kib)
				newer.Object = f.Object
				b.opts.Checkpoints = checkpoint.NewMemory()
				if _, err := b.client().Upload(b.ctx, newer); err != nil {
					t.Fatalf("the newer object: %v", err)
				}

				s.awake.Store(true)
				held.Continue()
				close(s.wake)
				wg.Wait()
				b.same(newer)
				// The one that was about to go out: before all others the claim is looked at,
				// or asked for where it does not say by itself that it is lost.
				want := int32(0)
				if tt.at == beforeIt {
					want = 1
				}
				if n := s.late.Load(); n > want {
					t.Errorf("%d requests that change something were made after it was continued, want at most %d", n, want)
				}
				var e *upload.Error
				if !errors.Is(failed, upload.ErrClaimLost) || !errors.As(failed, &e) || e.Code != upload.CodeClaimLost {
					t.Fatalf("error is %v, want code %s", failed, upload.CodeClaimLost)
				}
				if strings.Contains(failed.Error(), "Options.CheckpointsOptional") || !strings.Contains(failed.Error(), "another client may") {
					t.Errorf("the advice of %q is for another error", failed)
				}
			})
		}
	}
}

// changeFile appends to a file.
func changeFile(t *testing.T, path string) {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = f.Write([]byte("more"))
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		t.Error(err)
	}
}

// A mute store's claims are not Held: whoever has one learns that it is lost by asking.
type mute struct{ *checkpointtest.LeasedStore }

func (s mute) Open(ctx context.Context, key checkpoint.Key) (checkpoint.Claim, error) {
	u, err := s.LeasedStore.Open(ctx, key)
	if err != nil {
		return nil, err
	}
	return struct{ checkpoint.Claim }{u}, nil
}

// TestHolderThatIsCutOff: what is in flight ends with the claim, by the holder's own clock.
func TestHolderThatIsCutOff(t *testing.T) {
	for name, tt := range map[string]struct {
		size int
		op   osstest.Op
	}{
		"in parts":     {500 * kib, osstest.OpUploadPart},
		"at Initiate":  {500 * kib, osstest.OpInitiateMultipartUpload},
		"at Complete":  {500 * kib, osstest.OpCompleteMultipartUpload},
		"in PutObject": {60 * kib, osstest.OpPutObject},
	} {
		t.Run(name, func(t *testing.T) {
			b := newTestbed(t)
			leases := checkpointtest.NewLeases()
			store := leases.Store("worker")
			b.opts.Checkpoints, b.opts.CheckpointsOptional = store, true
			hang := osstest.Hang(tt.op).Always()
			b.server.Inject(hang)
			f := b.file("a", tt.size)
			var failed error
			var wg sync.WaitGroup
			c := b.client()
			wg.Go(func() { _, failed = c.Upload(b.ctx, f) })
			<-hang.Fired()
			store.Cut(true)
			leases.Advance(checkpointtest.LeaseTerm * 2 / 3)
			wg.Wait()
			if !errors.Is(failed, upload.ErrClaimLost) {
				t.Errorf("error is %v, want %v", failed, upload.ErrClaimLost)
			}
		})
	}
}

// TestSharedStoreThatIsAway: for as long as the claim holds by the holder's own clock, an
// error of the store is one like others. A file that has no claim is not uploaded.
func TestSharedStoreThatIsAway(t *testing.T) {
	for _, optional := range []bool{false, true} {
		t.Run(fmt.Sprintf("half way, CheckpointsOptional %t", optional), func(t *testing.T) {
			b := newTestbed(t)
			store := checkpointtest.NewLeases().Store("worker")
			s := newStopped(store, osstest.OpUploadPart, 0, answered)
			defer s.base.(*http.Transport).CloseIdleConnections()
			s.also = func(op osstest.Op, n int) {
				if op == osstest.OpUploadPart && n == 3 {
					store.Cut(true)
				}
			}
			b.opts.Checkpoints, b.opts.CheckpointsOptional, b.opts.Parallel = store, optional, 1
			b.opts.HTTPClient = &http.Client{Transport: s}
			f := b.file("a", 500*kib)
			_, err := b.client().Upload(b.ctx, f)
			if optional && err != nil {
				t.Errorf("error is %v, want none", err)
			}
			if !optional && !errors.Is(err, upload.ErrCheckpoint) {
				t.Errorf("error is %v, want %v", err, upload.ErrCheckpoint)
			}
			store.Cut(false)
		})
		for name, size := range map[string]int{"in parts": 500 * kib, "of one request": kib} {
			t.Run(fmt.Sprintf("at the start of a file %s, CheckpointsOptional %t", name, optional), func(t *testing.T) {
				b := newTestbed(t)
				store := checkpointtest.NewLeases().Store("worker")
				store.Cut(true)
				b.opts.Checkpoints, b.opts.CheckpointsOptional = store, optional
				_, err := b.client().Upload(b.ctx, b.file("a", size))
				if !errors.Is(err, upload.ErrCheckpoint) || !errors.Is(err, checkpointtest.ErrCut) {
					t.Errorf("error is %v, want %v", err, upload.ErrCheckpoint)
				}
				if text := err.Error(); strings.Contains(text, "CheckpointsOptional") || !strings.Contains(text, "check that the store") {
					t.Errorf("error is %v, want advice that helps", err)
				}
			})
		}
	}
}

// TestSharedStore: what one client has left, another resumes, or removes where the file
// has got smaller.
func TestSharedStore(t *testing.T) {
	for name, size := range map[string]int{"in parts": 500 * kib, "of one request": 60 * kib, "empty": 0} {
		t.Run(name, func(t *testing.T) {
			b := newTestbed(t)
			leases := checkpointtest.NewLeases()
			b.opts.Checkpoints, b.opts.Parallel = leases.Store("first"), 1 // so that parts are there when the fourth fails
			b.server.Inject(osstest.Fail(osstest.OpUploadPart, 403, "AccessDenied").Nth(4))
			f := b.file("a", 500*kib)
			if _, err := b.client().Upload(b.ctx, f); err == nil {
				t.Fatal("the first run succeeded")
			}
			b.file("a", size)
			b.store = leases.Store("second")
			b.opts.Checkpoints = b.store
			r, err := b.client().Upload(b.ctx, f)
			if err != nil {
				t.Fatal(err)
			}
			if size > 100*kib && r.ResumedParts == 0 {
				t.Error("no part was resumed")
			}
			b.same(f)
			b.clean()
		})
	}
}

// TestClaimOnASourceIsLost: while the media service was asked.
func TestClaimOnASourceIsLost(t *testing.T) {
	for _, optional := range []bool{false, true} {
		t.Run(fmt.Sprintf("CheckpointsOptional %t", optional), func(t *testing.T) {
			b, m, f := newMedia(t, mib)
			leases := checkpointtest.NewLeases()
			store := leases.Store("first")
			b.opts.Checkpoints, b.opts.CheckpointsOptional = store, optional
			m.authorize = func(context.Context, upload.FileInfo) error {
				store.Stop()
				leases.Advance(checkpointtest.LeaseTerm)
				store.Continue()
				return nil
			}
			_, err := b.client().Upload(b.ctx, f)
			var e *upload.Error
			if !errors.As(err, &e) || e.Code != upload.CodeClaimLost || errors.Is(err, upload.ErrCheckpoint) {
				t.Errorf("error is %v, want code %s", err, upload.CodeClaimLost)
			}
			if n := b.server.Count(osstest.OpInitiateMultipartUpload); n > 0 {
				t.Errorf("%d uploads were begun, want none", n)
			}
		})
	}
}

// A losing store's claims are lost as soon as they are made.
type losing struct {
	*checkpointtest.LeasedStore
	leases *checkpointtest.Leases
}

func (s losing) Open(ctx context.Context, key checkpoint.Key) (checkpoint.Claim, error) {
	u, err := s.LeasedStore.Open(ctx, key)
	s.Stop()
	s.leases.Advance(checkpointtest.LeaseTerm)
	s.Continue()
	return u, err
}

// TestCleanUpWithoutClaim: what is left of an upload is aborted under its claim only. Where
// that is lost, another holder may have resumed the upload.
func TestCleanUpWithoutClaim(t *testing.T) {
	leave := func(t *testing.T) (*testbed, *checkpointtest.Leases, upload.File) {
		b := newTestbed(t)
		leases := checkpointtest.NewLeases()
		b.store = leases.Store("first")
		b.opts.Checkpoints, b.opts.Parallel = b.store, 1 // so that parts are there when the fourth fails
		b.server.Inject(osstest.Fail(osstest.OpUploadPart, 403, "AccessDenied").Nth(4))
		f := b.file("a", 500*kib)
		if _, err := b.client().Upload(b.ctx, f); err == nil {
			t.Fatal("the first run succeeded")
		}
		b.opts.Checkpoints = losing{leases.Store("second"), leases}
		return b, leases, f
	}
	untouched := func(t *testing.T, b *testbed, leases *checkpointtest.Leases, f upload.File) {
		if n := b.server.Count(osstest.OpAbortMultipartUpload); n > 0 {
			t.Errorf("%d requests to abort, want none", n)
		}
		b.opts.Checkpoints, b.opts.PartSize = leases.Store("third"), 100*kib
		if r, err := b.client().Upload(b.ctx, f); err != nil || r.ResumedParts == 0 {
			t.Errorf("the next holder resumed %d parts, %v", r.ResumedParts, err)
		}
		b.same(f)
	}
	t.Run("by Sweep", func(t *testing.T) {
		b, leases, f := leave(t)
		found, err := b.client().Sweep(b.ctx, upload.SweepOptions{OlderThan: -1})
		if err != nil || len(found) != 1 || found[0].Aborted || !errors.Is(found[0].Err, upload.ErrClaimLost) {
			t.Errorf("found %+v, %v; want one whose claim is lost", found, err)
		}
		untouched(t, b, leases, f)
	})
	t.Run("of a file that is canceled before it runs", func(t *testing.T) {
		b, leases, f := leave(t)
		c := b.client()
		id := must(c.AddFile(f))
		if err := c.CancelFile(id); err != nil {
			t.Fatal(err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		untouched(t, b, leases, f)
	})
	t.Run("after a file of one request", func(t *testing.T) {
		b, leases, f := leave(t)
		b.opts.PartSize = mib
		if _, err := b.client().Upload(b.ctx, f); !errors.Is(err, upload.ErrClaimLost) {
			t.Errorf("error is %v, want %v", err, upload.ErrClaimLost)
		}
		untouched(t, b, leases, f)
	})
	t.Run("of a file whose object is there", func(t *testing.T) {
		b, leases, f := leave(t)
		other := b.file("other", kib)
		other.Object = f.Object
		opts := b.opts
		b.opts.Checkpoints = checkpoint.NewMemory()
		if _, err := b.client().Upload(b.ctx, other); err != nil {
			t.Fatal(err)
		}
		b.opts = opts
		skipped := f
		skipped.IfExists = upload.Skip
		if r, err := b.client().Upload(b.ctx, skipped); err != nil || !r.Skipped {
			t.Errorf("got %+v, %v; want it skipped", r, err)
		}
		untouched(t, b, leases, f)
	})
}
