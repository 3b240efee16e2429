package transfer

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"github.com/vodupload/vodupload/upload/osstest"
)

func (r *testbed) stream(ctx context.Context, st *Stream) (Result, error) {
	res, err := r.session(st).Run(ctx, r.job(nil))
	if held := r.slots.inUse(); held != 0 {
		r.Errorf("%d slots are held after the run", held)
	}
	return res, err
}

// session returns the session of a stream.
func (r *testbed) session(st *Stream) *Session {
	if r.sessions[st] == nil {
		r.sessions[st] = r.service().NewSession(st)
	}
	return r.sessions[st]
}

func (r *testbed) streamed(content []byte) {
	r.Helper()
	if !bytes.Equal(r.content(), content) {
		r.Error("the object differs from the stream")
	}
	r.left(0, 0)
}

func TestStream(t *testing.T) {
	for _, tt := range []struct {
		size   int
		counts string
	}{
		{0, "Put 1"}, {10, "Put 1"}, {partSize - 1, "Put 1"},
		{partSize, "Initiate 1, Part 1, Complete 1"}, // that it has ended is known too late
		{partSize + 1, "Initiate 1, Part 2, Complete 1"},
		{fiveParts, "Initiate 1, Part 5, Complete 1"}, {5 * partSize, "Initiate 1, Part 5, Complete 1"},
	} {
		r := newTestbed(t, 0)
		content := data(tt.size, 4)
		res, err := r.stream(r.ctx, NewStream(iotest.HalfReader(bytes.NewReader(content))))
		if err != nil || !res.Verified || res.Size != int64(tt.size) {
			t.Errorf("%d bytes: got %+v, %v", tt.size, res, err)
		}
		r.counts(tt.counts)
		r.streamed(content)
		if e := r.seen.of(Sized); len(e) == 0 || e[len(e)-1].Size != int64(tt.size) {
			t.Errorf("%d bytes: got %+v, want an event with the size", tt.size, e)
		}
	}
}

func TestStreamGoesOnAfterAnInterruption(t *testing.T) {
	r := newTestbed(t, 0)
	content := data(20*partSize+3, 4)
	st := NewStream(bytes.NewReader(content))
	f := hang(osstest.OpUploadPart).Part(7)
	r.server.Inject(f)
	ctx, stop := context.WithCancelCause(r.ctx)
	go func() {
		<-f.Fired()
		stop(errPause)
	}()
	if _, err := r.stream(ctx, st); !errors.Is(err, errPause) {
		t.Fatalf("got %v, want %v", err, errPause)
	}
	f.Release()
	if err := r.server.WaitIdle(r.ctx); err != nil {
		t.Fatal(err)
	}
	if res, err := r.stream(r.ctx, st); err != nil || !res.Verified || res.Size != int64(len(content)) {
		t.Fatalf("got %+v, %v", res, err)
	}
	if n := r.server.Count(osstest.OpInitiateMultipartUpload); n != 1 {
		t.Errorf("initiated %d times, want once", n)
	}
	r.streamed(content)
}

func TestStreamThatFails(t *testing.T) {
	content := data(fiveParts, 4)
	t.Run("because its reader does, is aborted", func(t *testing.T) {
		r := newTestbed(t, 0)
		st := NewStream(io.MultiReader(bytes.NewReader(content), iotest.ErrReader(errIO)))
		if _, err := r.stream(r.ctx, st); !errors.Is(err, errIO) {
			t.Errorf("got %v, want %v", err, errIO)
		}
		r.left(0, 0)
	})
	t.Run("because a part is refused, is aborted", func(t *testing.T) {
		r := newTestbed(t, 0)
		r.inject(osstest.Fail(osstest.OpUploadPart, 403, "AccessDenied").Part(2))
		if _, err := r.stream(r.ctx, NewStream(bytes.NewReader(content))); err == nil {
			t.Error("got success")
		}
		r.left(0, 0)
	})
	t.Run("after a Complete that was not answered, is not aborted: it may yet be done", func(t *testing.T) {
		r := newTestbed(t, 0)
		r.inject(osstest.Fail(osstest.OpCompleteMultipartUpload, 500, "InternalError").Always())
		if _, err := r.stream(r.ctx, NewStream(bytes.NewReader(content))); err == nil {
			t.Error("got success")
		}
		if n := r.server.Count(osstest.OpAbortMultipartUpload); n != 0 {
			t.Errorf("aborted %d times", n)
		}
		wantWarning(t, &r.seen, "it is not known whether it was completed")
	})
	t.Run("because it was abandoned, is aborted", func(t *testing.T) {
		r := newTestbed(t, 0)
		f := hang(osstest.OpUploadPart)
		r.server.Inject(f)
		ctx, stop := context.WithCancelCause(r.ctx)
		go func() {
			<-f.Fired()
			stop(ErrAbandon)
		}()
		if _, err := r.stream(ctx, NewStream(bytes.NewReader(content))); !errors.Is(err, ErrAbandon) {
			t.Errorf("got %v, want %v", err, ErrAbandon)
		}
		r.left(0, 0)
	})
}

func TestStreamMeetsWhatFilesMeet(t *testing.T) {
	content := data(fiveParts, 4)
	for _, tt := range []struct {
		name   string
		size   int
		fault  *osstest.Fault
		forbid bool
		counts string
	}{
		{"a Complete whose answer is lost", fiveParts, osstest.LoseAnswer(osstest.OpCompleteMultipartUpload), true, "Initiate 1, Part 5, Complete 1, Head 1, List 1"},
		{"a Put whose answer is lost", 1000, osstest.LoseAnswer(osstest.OpPutObject), true, "Put 2, Head 1"},
		{"an ETag that was told wrong", fiveParts, osstest.WrongETag(osstest.OpUploadPart).Part(3), false, "Initiate 1, Part 5, Complete 2, List 1"},
		{"a part with another CRC64", fiveParts, osstest.WrongCRC64(osstest.OpUploadPart).Part(3), false, "Initiate 1, Part 6, Complete 1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newTestbed(t, 0)
			r.object.ForbidOverwrite = tt.forbid
			r.inject(tt.fault)
			res, err := r.stream(r.ctx, NewStream(bytes.NewReader(content[:tt.size])))
			if err != nil || !res.Verified {
				t.Fatalf("got %+v, %v", res, err)
			}
			r.counts(tt.counts)
			r.streamed(content[:tt.size])
		})
	}
}

func TestAbandonStream(t *testing.T) {
	r := newTestbed(t, 0)
	st := NewStream(bytes.NewReader(data(fiveParts, 4)))
	f := hang(osstest.OpUploadPart)
	r.server.Inject(f)
	ctx, stop := context.WithCancelCause(r.ctx)
	go func() {
		<-f.Fired()
		stop(errPause)
	}()
	_, _ = r.stream(ctx, st)
	r.left(1, 0)
	if err := r.session(st).Abandon(r.ctx, r.job(nil)); err != nil {
		t.Error(err)
	}
	r.left(0, 0)
}
