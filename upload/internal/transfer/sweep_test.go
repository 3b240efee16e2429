package transfer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/target"
	"github.com/vodupload/vodupload/upload/internal/wire"
	"github.com/vodupload/vodupload/upload/osstest"
)

// begin begins an upload at the server, at the given age, and returns its ID. It has
// no checkpoint.
func (r *testbed) begin(object string, age time.Duration) string {
	r.Helper()
	r.turnBack(age)
	defer r.turnBack(0)
	o := must(wire.NewClient(nil).Object(must(target.Locator{}.Target(r.server.URL, media, object))))
	id := must(o.Initiate(r.ctx, key(0), nil)).UploadID
	r.server.ResetRequests()
	return id
}

// part sends a part to it, at an age of its own.
func (r *testbed) part(object, id string, age time.Duration) {
	r.Helper()
	r.turnBack(age)
	defer r.turnBack(0)
	o := must(wire.NewClient(nil).Object(must(target.Locator{}.Target(r.server.URL, media, object))))
	must(o.UploadPart(r.ctx, key(0), id, 1, wire.Body{R: inMemory("hello"), Size: 5}, nil))
	r.server.ResetRequests()
}

// record puts a checkpoint into the store.
func (r *testbed) record(object, id string) checkpoint.Claim {
	r.Helper()
	k := checkpoint.Key{Source: "/f/" + object, Endpoint: r.target().Endpoint.String(), Bucket: media, Object: object}
	cp := must(r.store.Open(r.ctx, k))
	err := cp.Begin(r.ctx, checkpoint.Record{Key: k, UploadID: id, PartSize: partSize, Source: checkpoint.Source{Size: 3 * partSize}})
	if err := errors.Join(err, cp.Add(checkpoint.Part{Number: 1, Size: partSize, ETag: "E"})); err != nil {
		r.Fatal(err)
	}
	return cp
}

func (r *testbed) sweep(job *SweepJob) ([]Leftover, error) {
	r.Helper()
	job.Gate, job.Slots = r.gate, r.slots
	if job.Target.Bucket == "" {
		job.Target.Bucket = media
	}
	job.Target.Endpoint = r.target().Endpoint
	return r.service().Sweep(r.ctx, job)
}

// describe says what a sweep found in one line.
func describe(found []Leftover) string {
	var all []string
	for _, l := range found {
		text := l.Key.Object
		if l.Key.Source != "" {
			text += " (" + l.Key.Source + ")"
		}
		text += fmt.Sprintf(" %d parts", l.Parts)
		if l.Aborted {
			text += " aborted"
		}
		if l.Err != nil {
			text += " ERROR"
		}
		all = append(all, text)
	}
	return strings.Join(all, "; ")
}

func (r *testbed) swept(job *SweepJob, want string) []Leftover {
	r.Helper()
	found, err := r.sweep(job)
	if err != nil {
		r.Fatal(err)
	}
	if got := describe(found); got != want {
		r.Errorf("got %q, want %q", got, want)
	}
	return found
}

func TestSweep(t *testing.T) {
	at := func(object string) target.Target { return target.Target{Object: object} }
	t.Run("finds what only the server knows, and aborts it", func(t *testing.T) {
		r := newTestbed(t, 0)
		id := r.begin("in/a", 10*time.Minute)
		r.part("in/a", id, 9*time.Minute)
		r.begin("in/b", 10*time.Minute)
		r.begin("out/c", 10*time.Minute)
		found := r.swept(&SweepJob{OlderThan: 5 * time.Minute, Target: at("in/")}, "in/a 1 parts aborted; in/b 0 parts aborted")
		r.left(1, 0)
		if l := found[0]; l.UploadID != id || l.Bytes != 5 || l.Key.Bucket != media || l.Active.Sub(l.Started) < 59*time.Second {
			t.Errorf("got %+v, want the upload ID, its bytes, and the time of its part", l)
		}
	})
	t.Run("tells only, in a dry run", func(t *testing.T) {
		r := newTestbed(t, 0)
		r.begin("in/a", 10*time.Minute)
		id := r.begin("in/b", 0)
		_ = r.record("in/b", id).Close()
		r.swept(&SweepJob{DryRun: true, Target: at("in/")}, "in/b (/f/in/b) 1 parts; in/a 0 parts")
		if n := r.server.Count(osstest.OpAbortMultipartUpload); n != 0 {
			t.Errorf("aborted %d times", n)
		}
		r.left(2, 1)
	})
	t.Run("ends those that have a checkpoint, here and at the server", func(t *testing.T) {
		r := newTestbed(t, 0)
		_ = r.record("in/a", r.begin("in/a", 0)).Close()
		r.swept(&SweepJob{Target: at("in/")}, "in/a (/f/in/a) 1 parts aborted")
		r.left(0, 0)
	})
	t.Run("and those whose upload is gone", func(t *testing.T) {
		r := newTestbed(t, 0)
		_ = r.record("in/a", "GONE").Close()
		r.swept(&SweepJob{Target: at("in/")}, "in/a (/f/in/a) 1 parts aborted")
		r.left(0, 0)
	})
	t.Run("leaves alone what is in use", func(t *testing.T) {
		r := newTestbed(t, 0)
		cp := r.record("in/a", r.begin("in/a", 10*time.Minute))
		r.swept(&SweepJob{Target: at("in/")}, "")
		r.swept(&SweepJob{DryRun: true, Target: at("in/")}, "")
		if err := cp.Close(); err != nil {
			t.Fatal(err)
		}
		r.left(1, 1)
	})
	t.Run("and what is claimed between the list and the sweep", func(t *testing.T) {
		r := newTestbed(t, 0)
		_ = r.record("in/a", r.begin("in/a", 10*time.Minute)).Close()
		r.store.open = func() error { return checkpoint.ErrInUse }
		r.swept(&SweepJob{Target: at("in/")}, "")
		r.store.open = nil
		r.left(1, 1)
	})
	t.Run("and what was begun again since", func(t *testing.T) {
		r := newTestbed(t, 0)
		_ = r.record("in/a", r.begin("in/a", 10*time.Minute)).Close()
		r.store.open = func() error {
			r.store.open = nil
			return r.record("in/a", r.begin("in/a", 0)).Close()
		}
		r.swept(&SweepJob{Target: at("in/")}, "")
		r.left(2, 1)
	})
	t.Run("goes by the checkpoint's age where there is one", func(t *testing.T) {
		r := newTestbed(t, 0)
		_ = r.record("in/a", r.begin("in/a", 10*time.Minute)).Close() // written this moment
		r.swept(&SweepJob{OlderThan: 5 * time.Minute, Target: at("in/")}, "")
		r.left(1, 1)
	})
	t.Run("and by the last part where there is none", func(t *testing.T) {
		r := newTestbed(t, 0)
		id := r.begin("in/a", 10*time.Minute)
		r.part("in/a", id, 0) // another machine is at work on it
		r.swept(&SweepJob{OlderThan: 5 * time.Minute, Target: at("in/")}, "")
		r.left(1, 0)
	})
	t.Run("leaves alone what is young", func(t *testing.T) {
		r := newTestbed(t, 0)
		r.begin("in/a", 4*time.Minute)
		r.swept(&SweepJob{OlderThan: 5 * time.Minute, Target: at("in/")}, "")
		r.counts("Uploads 1")
		r.left(1, 0)
	})
	t.Run("does not touch other places", func(t *testing.T) {
		r := newTestbed(t, 0)
		_ = r.record("out/a", r.begin("out/a", 0)).Close()
		r.swept(&SweepJob{Target: at("in/")}, "")
		r.left(1, 1)
	})
	t.Run("takes all checkpoints and no list where no bucket is given", func(t *testing.T) {
		r := newTestbed(t, 0)
		_ = r.record("out/a", r.begin("out/a", 0)).Close()
		r.begin("out/b", 10*time.Minute)
		job := &SweepJob{Gate: r.gate, Slots: r.slots}
		found, err := r.service().Sweep(r.ctx, job)
		if err != nil || describe(found) != "out/a (/f/out/a) 1 parts aborted" {
			t.Errorf("got %s, %v", describe(found), err)
		}
		r.counts("Abort 1, List 1")
		r.left(1, 0)
	})
	t.Run("says what it may not abort, and goes on", func(t *testing.T) {
		r := newTestbed(t, 0)
		r.begin("in/a", 10*time.Minute)
		_ = r.record("in/b", r.begin("in/b", 0)).Close()
		r.deny("AbortMultipartUpload")
		r.swept(&SweepJob{Target: at("in/")}, "in/b (/f/in/b) 1 parts ERROR; in/a 0 parts ERROR")
		r.left(2, 1)
	})
	t.Run("does not abort what it cannot see the parts of", func(t *testing.T) {
		r := newTestbed(t, 0)
		r.begin("in/a", 10*time.Minute)
		r.deny("ListParts")
		r.swept(&SweepJob{Target: at("in/")}, "in/a 0 parts ERROR")
		r.left(1, 0)
	})
	t.Run("sweeps the checkpoints where the list is denied, and says so", func(t *testing.T) {
		r := newTestbed(t, 0)
		_ = r.record("in/a", r.begin("in/a", 0)).Close()
		r.deny("ListMultipartUploads")
		found, err := r.sweep(&SweepJob{Target: at("in/")})
		var we *wire.Error
		if !errors.As(err, &we) || we.Code != "AccessDenied" || we.Op != "ListMultipartUploads" {
			t.Errorf("got %v, want AccessDenied of ListUploads", err)
		}
		if got := describe(found); got != "in/a (/f/in/a) 1 parts aborted" {
			t.Errorf("got %q", got)
		}
	})
	t.Run("retries, and waits for tokens", func(t *testing.T) {
		r := newTestbed(t, 0)
		r.begin("in/a", 10*time.Minute)
		r.temporary()
		r.inject(osstest.Fail(osstest.OpListMultipartUploads, 500, "InternalError"), osstest.ExpireToken(osstest.OpListMultipartUploads),
			osstest.Fail(osstest.OpAbortMultipartUpload, 503, "ServiceUnavailable"))
		r.swept(&SweepJob{Target: at("in/")}, "in/a 0 parts aborted")
		r.left(0, 0)
	})
	t.Run("goes through all pages, and names of all kinds", func(t *testing.T) {
		r := newTestbed(t, 0)
		o := must(wire.NewClient(nil).Object(must(target.Locator{}.Target(r.server.URL, media, "in/ü + %2F 影&片"))))
		for range 1001 {
			must(o.Initiate(r.ctx, key(0), nil))
		}
		r.server.ResetRequests()
		found, err := r.sweep(&SweepJob{Target: at("in/ü + ")})
		if err != nil || len(found) != 1001 || !found[1000].Aborted {
			t.Errorf("got %d, %v, want 1001", len(found), err)
		}
		if n := r.server.Count(osstest.OpListMultipartUploads); n != 2 {
			t.Errorf("listed %d times, want two pages", n)
		}
		r.left(0, 0)
	})
	t.Run("ends with its context", func(t *testing.T) {
		r := newTestbed(t, 0)
		r.begin("in/a", 10*time.Minute)
		r.begin("in/b", 10*time.Minute)
		f := osstest.Hang(osstest.OpAbortMultipartUpload).BeforeWork()
		r.server.Inject(f)
		ctx, stop := context.WithCancelCause(r.ctx)
		r.ctx = ctx
		go func() {
			<-f.Fired()
			stop(errPause)
		}()
		if _, err := r.sweep(&SweepJob{Target: at("in/")}); !errors.Is(err, errPause) {
			t.Errorf("got %v, want %v", err, errPause)
		}
	})
	t.Run("says what is wrong with the store or the place", func(t *testing.T) {
		r := newTestbed(t, 0)
		if err := r.store.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := r.sweep(&SweepJob{Target: at("in/")}); !errors.Is(err, checkpoint.ErrClosed) {
			t.Errorf("got %v, want %v", err, checkpoint.ErrClosed)
		}
		r = newTestbed(t, 0)
		if _, err := r.sweep(&SweepJob{Target: target.Target{Bucket: "No Bucket"}}); err == nil {
			t.Error("got success in a bucket that cannot be")
		}
	})
}

// A hiddenStore has a checkpoint in use that cannot be read while it is written.
type hiddenStore struct {
	checkpoint.Store
	lists int // until it can be read
}

func (s *hiddenStore) List(ctx context.Context) ([]checkpoint.Entry, error) {
	all, err := s.Store.List(ctx)
	if s.lists--; s.lists >= 0 {
		all = append(all, checkpoint.Entry{InUse: true})
	}
	return all, err
}

func TestSweepMeetsACheckpointThatCannotBeRead(t *testing.T) {
	for _, tt := range []struct {
		lists int
		want  string
	}{{3, "in/a 0 parts aborted"}, {1000, "in/a 0 parts ERROR"}} {
		r := newTestbed(t, 0)
		r.begin("in/a", 10*time.Minute)
		r.opts.Checkpoints = &hiddenStore{Store: r.store, lists: tt.lists}
		found := r.swept(&SweepJob{Target: target.Target{Object: "in/"}}, tt.want)
		if tt.lists == 1000 && !errors.Is(found[0].Err, errUnreadable) {
			t.Errorf("got %v, want %v", found[0].Err, errUnreadable)
		}
	}
}

// What has no checkpoint in the store is left alone in its own process, also while it
// pauses.
func TestSweepLeavesAloneWhatThisProcessIsAtWorkOn(t *testing.T) {
	var session *Session
	for _, tt := range []struct {
		name   string
		run    func(r *testbed, s *Service, ctx context.Context) error
		pauses bool // and continues with the same upload
	}{
		{"a stream", func(r *testbed, s *Service, ctx context.Context) error {
			if session == nil {
				session = s.NewSession(NewStream(bytes.NewReader(data(fiveParts, 4))))
			}
			_, err := session.Run(ctx, r.job(nil))
			return err
		}, true},
		{"a source without a name", func(r *testbed, s *Service, ctx context.Context) error {
			job := r.job(inMemory(data(fiveParts, 4)))
			job.Volatile = true
			_, err := s.NewSession(nil).Run(ctx, job)
			return err
		}, true},
		{"a file whose checkpoint cannot be kept", func(r *testbed, s *Service, ctx context.Context) error {
			r.store.open = full
			defer func() { r.store.open = nil }()
			_, err := s.NewSession(nil).Run(ctx, r.job(inMemory(data(fiveParts, 4))))
			return err
		}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newTestbed(t, 0)
			r.opts.Optional = true
			s := r.service()
			sweep := func(want int) {
				t.Helper()
				wanted := func(checkpoint.Key) bool { return tt.pauses }
				found, err := s.Sweep(r.ctx, &SweepJob{Target: r.target(), Gate: r.gate, Slots: newSlots(1), DryRun: true, Wanted: wanted})
				if err != nil || len(found) != want {
					t.Errorf("got %s, %v; want %d", describe(found), err, want)
				}
			}
			f := hang(osstest.OpUploadPart)
			r.server.Inject(f)
			ctx, stop := context.WithCancelCause(r.ctx)
			done := make(chan error)
			go func() { done <- tt.run(r, s, ctx) }()
			<-f.Fired()
			sweep(0)
			stop(errPause)
			if err := <-done; !errors.Is(err, errPause) {
				t.Fatal(err)
			}
			r.calm()
			if !tt.pauses {
				sweep(1)
				return
			}
			sweep(0)
			if err := tt.run(r, s, r.ctx); err != nil {
				t.Fatal(err)
			}
			r.left(0, 0)
			if len(s.working.ids) > 0 {
				t.Errorf("%v are still thought to be at work", s.working.ids)
			}
		})
	}
}
