package transfer

import (
	"context"
	"errors"
	"testing"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/osstest"
)

// stopAt runs until a fault strikes, and ends the run with a cause.
func (r *testbed) stopAt(f *osstest.Fault, cause error) error {
	r.Helper()
	r.server.Inject(f)
	ctx, stop := context.WithCancelCause(r.ctx)
	defer stop(nil)
	go func() {
		select {
		case <-f.Fired():
		case <-r.ctx.Done():
		}
		stop(cause)
	}()
	_, err := r.run(ctx)
	return err
}

// A call that is never answered is cut off, whichever it is.
func TestCancelWhileACallHangs(t *testing.T) {
	for _, tt := range []struct {
		op      osstest.Op
		place   func(*osstest.Fault) *osstest.Fault
		name    string
		size    int
		resume  bool
		uploads int // after a pause, at the server
		records int
	}{
		{osstest.OpPutObject, (*osstest.Fault).BeforeWork, "Put", 1000, false, 0, 0},
		{osstest.OpPutObject, (*osstest.Fault).AfterWork, "Put, after the work", 1000, false, 0, 0},
		{osstest.OpInitiateMultipartUpload, (*osstest.Fault).BeforeWork, "Initiate", fiveParts, false, 0, 0},
		{osstest.OpUploadPart, (*osstest.Fault).BeforeWork, "a part", fiveParts, false, 1, 1},
		{osstest.OpUploadPart, (*osstest.Fault).AfterWork, "a part, after the work", fiveParts, false, 1, 1},
		{osstest.OpListParts, (*osstest.Fault).BeforeWork, "ListParts", fiveParts, true, 1, 1},
		{osstest.OpCompleteMultipartUpload, (*osstest.Fault).BeforeWork, "Complete", fiveParts, false, 1, 1},
		{osstest.OpCompleteMultipartUpload, (*osstest.Fault).AfterWork, "Complete, after the work", fiveParts, false, 0, 1},
	} {
		for _, cause := range []error{errPause, ErrAbandon} {
			t.Run(tt.name+", "+cause.Error(), func(t *testing.T) {
				r := newTestbed(t, tt.size)
				if tt.resume {
					r.interrupt(3)
				}
				f := tt.place(osstest.Hang(tt.op))
				err := r.stopAt(f, cause)
				if !errors.Is(err, cause) {
					t.Fatalf("got %v, want %v", err, cause)
				}
				if cause == ErrAbandon {
					r.left(0, 0)
					return
				}
				r.left(tt.uploads, tt.records)
				r.calm()
				r.ok()
				r.left(0, 0)
			})
		}
	}
}

func TestCancelWhileAClockOrATokenIsLookedFor(t *testing.T) {
	r := newTestbed(t, fiveParts)
	r.gate.renew = nil
	r.gate.now = key(1)
	r.server.AddKey(osstest.Key{AccessKeyID: key(1).AccessKeyID, AccessKeySecret: key(1).AccessKeySecret, SecurityToken: key(1).SecurityToken})
	err := r.stopAt(osstest.ExpireToken(osstest.OpUploadPart), errPause)
	if !errors.Is(err, errPause) {
		t.Errorf("got %v, want %v", err, errPause)
	}
	r.left(1, 1)
}

func TestAbandonBeforeTheRunHasClaimedAnything(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(ErrAbandon)
	t.Run("ends what an earlier run left", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.interrupt(2)
		if _, err := r.run(ctx); !errors.Is(err, ErrAbandon) {
			t.Errorf("got %v, want %v", err, ErrAbandon)
		}
		r.counts("Abort 1, List 1")
		r.left(0, 0)
	})
	t.Run("also where the file is small now", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.interrupt(2)
		r.write(data(100, 1))
		if _, err := r.run(ctx); !errors.Is(err, ErrAbandon) {
			t.Errorf("got %v, want %v", err, ErrAbandon)
		}
		r.left(0, 0)
	})
	t.Run("but not what somebody else is at", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.interrupt(2)
		cp := must(r.store.Open(r.ctx, r.job(nil).key()))
		_, _ = r.run(ctx)
		r.counts("")
		if err := cp.Close(); err != nil {
			t.Fatal(err)
		}
		r.left(1, 1)
	})
}

func TestAbandonWithoutTheRightToAbort(t *testing.T) {
	r := newTestbed(t, fiveParts)
	r.deny("AbortMultipartUpload")
	err := r.stopAt(hang(osstest.OpUploadPart), ErrAbandon)
	if !errors.Is(err, ErrAbandon) {
		t.Errorf("got %v, want %v", err, ErrAbandon)
	}
	wantWarning(t, &r.seen, "an unfinished upload stays at the server")
	r.left(1, 1) // it can be found
}

func TestAbandonOfWhatDoesNotRun(t *testing.T) {
	abandon := func(r *testbed) error {
		job := r.job(nil)
		job.Emit = nil
		return r.service().NewSession(nil).Abandon(r.ctx, job)
	}
	t.Run("aborts it", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.interrupt(2)
		if err := abandon(r); err != nil {
			t.Error(err)
		}
		r.counts("Abort 1, List 1")
		r.left(0, 0)
	})
	t.Run("does nothing where nothing is", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		if err := abandon(r); err != nil {
			t.Error(err)
		}
		r.counts("")
		r.left(0, 0)
	})
	t.Run("leaves alone what is in use", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.interrupt(2)
		cp := must(r.store.Open(r.ctx, r.job(nil).key()))
		if err := abandon(r); err != nil {
			t.Error(err)
		}
		r.counts("")
		_ = cp.Close()
	})
	t.Run("keeps the checkpoint where it is denied", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.interrupt(2)
		r.deny("AbortMultipartUpload")
		if err := abandon(r); err == nil {
			t.Error("got success")
		}
		r.left(1, 1)
	})
	t.Run("removes the checkpoint of what is gone", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.interrupt(2)
		r.server.AbortUpload(media, name, r.server.Uploads(media)[0].UploadID)
		if err := abandon(r); err != nil {
			t.Error(err)
		}
		r.counts("Abort 1")
		r.left(0, 0)
	})
	t.Run("can be interrupted", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.interrupt(2)
		f := osstest.Hang(osstest.OpAbortMultipartUpload).BeforeWork()
		r.server.Inject(f)
		ctx, stop := context.WithCancelCause(r.ctx)
		go func() {
			<-f.Fired()
			stop(errPause)
		}()
		job := r.job(nil)
		if err := r.service().NewSession(nil).Abandon(ctx, job); !errors.Is(err, errPause) {
			t.Errorf("got %v, want %v", err, errPause)
		}
		r.left(1, 1)
	})
	t.Run("says what is wrong with the store", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.store.open = full
		if err := abandon(r); !errors.Is(err, errFull) {
			t.Errorf("got %v, want %v", err, errFull)
		}
		r.store.open = nil
	})
}

// Any cause but ErrAbandon keeps the upload.
func TestOtherCausesKeepTheUpload(t *testing.T) {
	for _, cause := range []error{errPause, context.Canceled, context.DeadlineExceeded, checkpoint.ErrClosed} {
		r := newTestbed(t, fiveParts)
		if err := r.stopAt(hang(osstest.OpUploadPart), cause); !errors.Is(err, cause) {
			t.Errorf("got %v, want %v", err, cause)
		}
		if n := r.server.Count(osstest.OpAbortMultipartUpload); n != 0 {
			t.Errorf("%v: aborted %d times", cause, n)
		}
		r.left(1, 1)
	}
}

// Two reasons at once: it is given up if one of them says so.
func TestAbandonJoinedWithAnotherCause(t *testing.T) {
	r := newTestbed(t, fiveParts)
	_ = r.stopAt(hang(osstest.OpUploadPart), errors.Join(errPause, ErrAbandon))
	r.left(0, 0)
}
