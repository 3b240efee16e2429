package transfer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/wire"
	"github.com/vodupload/vodupload/upload/osstest"
)

func TestWhichUploadsALostAnswerMade(t *testing.T) {
	at := func(s float64) time.Time { return someTime.Add(time.Duration(s * float64(time.Second))) }
	for _, tt := range []struct {
		name   string
		lost   int
		ahead  time.Duration
		listed []wire.Unfinished
		want   string
	}{
		{"one of that time", 1, 0, []wire.Unfinished{{Object: "a", UploadID: "X", Initiated: at(1)}}, "X"},
		{"as many as were lost", 2, 0, []wire.Unfinished{{Object: "a", UploadID: "X", Initiated: at(1)}, {Object: "a", UploadID: "Y", Initiated: at(9)}}, "X Y"},
		{"more than were lost: none", 1, 0, []wire.Unfinished{{Object: "a", UploadID: "X", Initiated: at(1)}, {Object: "a", UploadID: "Y", Initiated: at(9)}}, ""},
		{"one that is known", 1, 0, []wire.Unfinished{{Object: "a", UploadID: "KNOWN", Initiated: at(1)}}, ""},
		{"one of another object", 1, 0, []wire.Unfinished{{Object: "ab", UploadID: "X", Initiated: at(1)}}, ""},
		{"one from before", 1, 0, []wire.Unfinished{{Object: "a", UploadID: "X", Initiated: at(-2.5)}}, ""},
		{"one that arrived late", 1, 0, []wire.Unfinished{{Object: "a", UploadID: "X", Initiated: at(40)}}, "X"},
		{"one from after, and new", 1, 0, []wire.Unfinished{{Object: "a", UploadID: "X", Initiated: at(46)}}, ""},
		{"one of while they were under way, and new", 1, 55 * time.Second, []wire.Unfinished{{Object: "a", UploadID: "X", Initiated: at(60)}}, "X"},
		{"one from long after", 1, -10 * time.Minute, []wire.Unfinished{{Object: "a", UploadID: "X", Initiated: at(-600 + 133)}}, ""},
		{"one without a time", 1, 0, []wire.Unfinished{{Object: "a", UploadID: "X"}}, ""},
		{"by a clock that is ahead", 1, time.Hour, []wire.Unfinished{{Object: "a", UploadID: "X", Initiated: at(3601)}}, "X"},
		{"by a clock that is ahead, one from before", 1, time.Hour, []wire.Unfinished{{Object: "a", UploadID: "X", Initiated: at(1)}}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := lostInitiates{spans: []lostSpan{{at(0), at(10)}}}
			for range tt.lost - 1 {
				l.add(at(6), at(10))
			}
			var got string
			for _, u := range l.orphans("a", tt.listed, map[string]bool{"KNOWN": true}, at(60), tt.ahead) {
				got += " " + u.UploadID
			}
			if got = fmt.Sprint(got); got != tt.want && got != " "+tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestWhenUploadsMayHaveBeenLost(t *testing.T) {
	at := func(s int) time.Time { return someTime.Add(time.Duration(s) * time.Second) }
	for _, tt := range []struct {
		name    string
		spans   []lostSpan
		earlier time.Time
		want    time.Time
	}{
		{"never", nil, time.Time{}, time.Time{}},
		{"in this session", []lostSpan{{at(5), at(6)}, {at(8), at(9)}}, time.Time{}, at(5)},
		{"before it", nil, at(1), at(1)},
		{"before and in it", []lostSpan{{at(5), at(6)}}, at(1), at(1)},
	} {
		l := lostInitiates{spans: tt.spans, earlier: tt.earlier}
		if got := l.since(); !got.Equal(tt.want) || l.none() != tt.want.IsZero() {
			t.Errorf("%s: got %v, none %t; want %v", tt.name, got, l.none(), tt.want)
		}
	}
	var l lostInitiates
	for i := range 3 * maxLost {
		l.add(at(i), at(i+1))
	}
	if got := l.since(); len(l.spans) != maxLost || !got.Equal(at(2*maxLost)) {
		t.Errorf("%d are remembered since %v, want the last %d", len(l.spans), got, maxLost)
	}
}

// A request that never had a connection has made nothing, and asking the server what it
// has made would only wait for the same network again.
func TestWhatMayHaveInitiated(t *testing.T) {
	failed := func(err error) error { return &wire.Error{Class: wire.Retry, Err: fmt.Errorf("Post: %w", err)} }
	for _, tt := range []struct {
		name string
		err  error
		want bool
	}{
		{"connection refused", &wire.Error{Class: wire.Retry, Unsent: true, Err: syscall.ECONNREFUSED}, false},
		{"interrupted before there was a connection", &wire.Error{Class: wire.Canceled, Unsent: true, Err: context.Canceled}, false},
		{"interrupted while it was under way", &wire.Error{Class: wire.Canceled, Err: context.Canceled}, true},
		{"no descriptor", &wire.Error{Class: wire.Starved, Err: syscall.EMFILE}, false},
		{"reset while written", failed(&net.OpError{Op: "write", Err: syscall.ECONNRESET}), true},
		{"reset while read", failed(&net.OpError{Op: "read", Err: syscall.ECONNRESET}), true},
		{"internal error", &wire.Error{Status: 500, Class: wire.Retry}, true},
		{"interrupted", context.Canceled, true},
	} {
		if got := mayHaveInitiated(tt.err); got != tt.want {
			t.Errorf("%s: got %t, want %t", tt.name, got, tt.want)
		}
	}
}

func TestAnswerToInitiateIsLost(t *testing.T) {
	lose := func(r *testbed) { r.server.Inject(osstest.LoseAnswer(osstest.OpInitiateMultipartUpload)) }
	t.Run("nothing is left", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		lose(r)
		r.ok()
		r.left(0, 0)
	})
	t.Run("without the right to list, it stays, without a word", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.deny("ListMultipartUploads")
		lose(r)
		r.ok()
		r.left(1, 0)
		if w := r.seen.of(Warning); len(w) > 0 {
			t.Errorf("got warnings %v, want none", texts(w))
		}
	})
	t.Run("an upload of somebody else stays", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		o := must(wire.NewClient(&r.opts.Wire).Object(r.target()))
		other := must(o.Initiate(r.ctx, key(0), &r.object)).UploadID
		lose(r)
		r.ok()
		// The request that was lost is this one's: there is one at the server, or two
		// of which nobody can say whose they are.
		for _, u := range r.server.Uploads(media) {
			if u.UploadID == other {
				return
			}
		}
		t.Error("the upload of somebody else is gone")
	})
	t.Run("an upload of another file is none", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.ok()
		r.counts("Initiate 1, Part 5, Complete 1")
	})
}

func TestRunWasEndedWhileItInitiated(t *testing.T) {
	// An upload is made by the server, and its ID gets lost.
	initiated := func(r *testbed) (uploadID string) {
		o := must(wire.NewClient(&r.opts.Wire).Object(r.target()))
		return must(o.Initiate(r.ctx, key(0), &r.object)).UploadID
	}
	// The process is killed between that and the record.
	killed := func(r *testbed, ago time.Duration) {
		dir := must(checkpoint.OpenDir(t.TempDir()))
		t.Cleanup(func() { dir.Close() })
		r.store.Store = dir
		job := r.job(nil)
		cp := must(dir.Open(r.ctx, job.key()))
		if err := cp.(checkpoint.Unbegun).CloseUnbegun(time.Now().Add(-ago)); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("the next run aborts what was made", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		killed(r, time.Second)
		initiated(r)
		r.server.ResetRequests()
		r.ok()
		r.counts("Initiate 1, Part 5, Complete 1, Uploads 1, List 1, Abort 1")
		r.left(0, 0)
	})
	t.Run("nothing was made: one request more", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		killed(r, time.Second)
		r.ok()
		r.counts("Initiate 1, Part 5, Complete 1, Uploads 1")
	})
	t.Run("what was made long after the claim stays", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		killed(r, time.Hour)
		initiated(r)
		r.ok()
		r.left(1, 0)
	})
	t.Run("two uploads, of which one is somebody else's, stay", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		killed(r, time.Second)
		initiated(r)
		initiated(r)
		r.ok()
		r.left(2, 0)
	})
	t.Run("an upload with a part stays", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		killed(r, time.Second)
		o := must(wire.NewClient(&r.opts.Wire).Object(r.target()))
		must(o.UploadPart(r.ctx, key(0), initiated(r), 1, wire.Body{R: inMemory("part"), Size: 4}, &r.object))
		r.ok()
		r.left(1, 0)
	})
	// pause has a run be paused in its Initiate, which makes an upload.
	pause := func(t *testing.T, r *testbed, run func(r *testbed, ctx context.Context) error) {
		held := osstest.Hang(osstest.OpInitiateMultipartUpload).AfterWork()
		r.server.Inject(held)
		ctx, stop := context.WithCancelCause(r.ctx)
		go func() {
			<-held.Fired()
			stop(errPause)
		}()
		if err := run(r, ctx); !errors.Is(err, errPause) {
			t.Fatalf("got %v, want %v", err, errPause)
		}
		r.calm()
	}
	paused := func(t *testing.T, run func(r *testbed, ctx context.Context) error) *testbed {
		r := newTestbed(t, fiveParts)
		pause(t, r, run)
		r.left(1, 0)
		return r
	}
	t.Run("by a pause: the next run aborts what was made", func(t *testing.T) {
		r := paused(t, func(r *testbed, ctx context.Context) error {
			_, err := r.run(ctx)
			return err
		})
		r.ok()
		r.left(0, 0)
	})
	t.Run("by a pause, and then it is canceled: it is aborted", func(t *testing.T) {
		r := paused(t, func(r *testbed, ctx context.Context) error {
			_, err := r.run(ctx)
			return err
		})
		if err := r.service().NewSession(nil).Abandon(r.ctx, r.job(nil)); err != nil {
			t.Error(err)
		}
		r.left(0, 0)
	})
	runOf := func(r *testbed, session *Session, ctx context.Context) error {
		src := must(OpenFile(r.path))
		defer src.Close()
		_, err := session.Run(ctx, r.job(src))
		return err
	}
	// pausedTwice is a session two runs of which were paused in their Initiates.
	pausedTwice := func(t *testing.T) (*testbed, *Session) {
		r := newTestbed(t, fiveParts)
		session := r.service().NewSession(nil)
		for range 2 {
			pause(t, r, func(r *testbed, ctx context.Context) error { return runOf(r, session, ctx) })
		}
		r.left(2, 0)
		return r, session
	}
	t.Run("by a second pause: the next run aborts what both have made", func(t *testing.T) {
		r, session := pausedTwice(t)
		if err := runOf(r, session, r.ctx); err != nil {
			t.Fatal(err)
		}
		r.left(0, 0)
		if session.Remembers() {
			t.Error("the session remembers what is settled")
		}
	})
	t.Run("by a second pause, and then it is canceled: both are aborted", func(t *testing.T) {
		r, session := pausedTwice(t)
		if !session.Remembers() {
			t.Error("the session does not remember what it has lost")
		}
		if err := session.Abandon(r.ctx, r.job(nil)); err != nil {
			t.Error(err)
		}
		r.left(0, 0)
	})
	t.Run("by a pause of a stream: the next run aborts what was made", func(t *testing.T) {
		content := data(fiveParts, 4)
		st := NewStream(bytes.NewReader(content))
		r := paused(t, func(r *testbed, ctx context.Context) error {
			_, err := r.stream(ctx, st)
			return err
		})
		if _, err := r.stream(r.ctx, st); err != nil {
			t.Error(err)
		}
		r.streamed(content)
	})
	t.Run("by a cancel: it is aborted at once", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		held := osstest.Hang(osstest.OpInitiateMultipartUpload).AfterWork()
		r.server.Inject(held)
		ctx, stop := context.WithCancelCause(r.ctx)
		go func() {
			<-held.Fired()
			stop(ErrAbandon)
		}()
		if _, err := r.run(ctx); !errors.Is(err, ErrAbandon) {
			t.Fatalf("got %v, want %v", err, ErrAbandon)
		}
		r.left(0, 0)
	})
	t.Run("by the last retry: they are aborted at once", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.server.Inject(osstest.LoseAnswer(osstest.OpInitiateMultipartUpload).Always())
		if _, err := r.run(r.ctx); err == nil {
			t.Fatal("got no error")
		}
		if n := r.server.Count(osstest.OpInitiateMultipartUpload); n != 4 {
			t.Errorf("initiated %d times, want 4 times", n)
		}
		r.left(0, 0)
	})
	t.Run("by the last retry, and the server does not answer: the next run aborts one", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.opts.Retry.Count = 0
		r.server.Inject(osstest.LoseAnswer(osstest.OpInitiateMultipartUpload), osstest.LoseAnswer(osstest.OpListMultipartUploads))
		if _, err := r.run(r.ctx); err == nil {
			t.Fatal("got no error")
		}
		r.left(1, 0)
		r.ok()
		r.left(0, 0)
	})
}
