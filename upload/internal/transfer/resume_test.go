package transfer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/wire"
	"github.com/vodupload/vodupload/upload/osstest"
)

func TestStraight(t *testing.T) {
	r := newTestbed(t, fiveParts)
	res := r.ok()
	r.counts("Initiate 1, Part 5, Complete 1")
	r.left(0, 0)
	want := Result{
		ETag: res.ETag, UploadID: res.UploadID, CRC64: res.CRC64,
		Verified: true, Size: fiveParts, Parts: 5, SentBytes: fiveParts,
	}
	if fmt.Sprint(res) != fmt.Sprint(want) || res.ETag == "" || res.UploadID == "" {
		t.Errorf("got %+v, want %+v", res, want)
	}
	if r.slots.most > 5 || r.gate.accepted != 7 {
		t.Errorf("%d slots were in use at once, and %d requests accepted; want at most 5, and 7", r.slots.most, r.gate.accepted)
	}
}

func TestResumeSendsOnlyTheHoles(t *testing.T) {
	for _, missing := range [][]int{{2, 4}, {1}, {5}, {1, 2, 3, 4, 5}} {
		t.Run(fmt.Sprint(missing), func(t *testing.T) {
			r := newTestbed(t, fiveParts)
			r.interrupt(missing...)
			res := r.ok()
			r.sent(missing...)
			r.counts(fmt.Sprintf("List 1, Part %d, Complete 1", len(missing)))
			r.left(0, 0)
			if res.ResumedParts != 5-len(missing) || res.ResumedBytes+res.SentBytes != fiveParts || !res.Verified {
				t.Errorf("got %+v, want %d parts resumed and the rest sent", res, 5-len(missing))
			}
			if e := r.seen.of(Initiated); len(e) != 1 || e[0].Uploaded != res.ResumedBytes || e[0].UploadID != res.UploadID {
				t.Errorf("got %+v, want one event with what was resumed", e)
			}
		})
	}
}

// stored lets the server store a part, and never answer.
func stored(n int) *osstest.Fault {
	return osstest.Hang(osstest.OpUploadPart).AfterWork().Always().Part(n)
}

func TestResumeAdoptsPartsThatTheRecordDoesNotHave(t *testing.T) {
	r := newTestbed(t, fiveParts)
	// The parts are there, and the answers never come.
	r.interruptAt(2*partSize+10*kib, stored(2), stored(3))
	r.interruptAt(fiveParts, hang(osstest.OpCompleteMultipartUpload))
	r.sent()
	if e := must(r.store.List(r.ctx)); e[0].Parts != 5 {
		t.Errorf("the record has %d parts, want those that were adopted too: 5", e[0].Parts)
	}
	res := r.ok()
	r.counts("List 1, Complete 1")
	if res.ResumedParts != 5 || res.SentBytes != 0 {
		t.Errorf("got %+v, want all parts resumed", res)
	}
}

func TestResumeDoesNotAdoptOtherBytes(t *testing.T) {
	r := newTestbed(t, fiveParts)
	r.interruptAt(2*partSize+10*kib, stored(2), stored(3))
	r.change(partSize+5, []byte("other"))
	res := r.ok()
	r.sent(2)
	r.counts("List 1, Part 1, Complete 1")
	if res.ResumedParts != 4 {
		t.Errorf("got %d parts resumed, want 4", res.ResumedParts)
	}
}

func TestResumeWithAllPartsThereGoesStraightToComplete(t *testing.T) {
	r := newTestbed(t, 5*partSize)
	r.interruptAt(5*partSize, hang(osstest.OpCompleteMultipartUpload))
	res := r.ok()
	r.counts("List 1, Complete 1")
	r.left(0, 0)
	if res.ResumedParts != 5 || !res.Verified {
		t.Errorf("got %+v, want five parts resumed, and the CRC64 of all verified", res)
	}
}

func TestResumeOfACompletedUpload(t *testing.T) {
	r := newTestbed(t, fiveParts)
	// The object is made, the answer does not come, and the process ends. An upload
	// that the server does not know any more is not there to be counted.
	hang := osstest.Hang(osstest.OpCompleteMultipartUpload).AfterWork()
	r.server.Inject(hang)
	ctx, stop := context.WithCancelCause(r.ctx)
	go func() {
		<-hang.Fired()
		stop(errPause)
	}()
	if _, err := r.run(ctx); !errors.Is(err, errPause) {
		t.Fatal(err)
	}
	r.left(0, 1)
	r.calm()
	res := r.ok()
	r.counts("List 1, Complete 1, Head 1")
	r.left(0, 0)
	if !res.Verified || res.ResumedParts != 5 {
		t.Errorf("got %+v, want it verified, and nothing sent", res)
	}
}

func TestUploadIDIsGone(t *testing.T) {
	goneMeanwhile := func(r *testbed) {
		u := r.server.Uploads(media)[0]
		r.server.AbortUpload(media, name, u.UploadID)
	}
	t.Run("at ListParts: begins anew in the same run", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.interrupt(4)
		goneMeanwhile(r)
		res := r.ok()
		r.counts("List 1, Initiate 1, Part 5, Complete 1")
		r.left(0, 0)
		if res.ResumedParts != 0 || res.SentBytes != fiveParts {
			t.Errorf("got %+v, want nothing resumed", res)
		}
	})
	t.Run("with all parts recorded: asks whether it was completed first", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.interruptAt(fiveParts, hang(osstest.OpCompleteMultipartUpload))
		goneMeanwhile(r)
		r.ok()
		r.counts("List 1, Complete 2, Head 1, Initiate 1, Part 5")
		r.left(0, 0)
	})
	t.Run("while parts are sent", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.server.Inject(osstest.LoseUpload(osstest.OpUploadPart).Part(3))
		r.ok()
		r.server.AssertFired(t)
		if n := r.server.Count(osstest.OpInitiateMultipartUpload); n != 2 {
			t.Errorf("initiated %d times, want 2", n)
		}
		r.left(0, 0)
	})
	t.Run("at Complete", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.server.Inject(osstest.LoseUpload(osstest.OpCompleteMultipartUpload))
		r.ok()
		r.counts("Initiate 2, Part 10, Complete 2, Head 1")
		r.left(0, 0)
	})
	t.Run("at ListParts, and the next one at Complete", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.interrupt(4)
		goneMeanwhile(r)
		r.server.Inject(osstest.LoseUpload(osstest.OpCompleteMultipartUpload))
		r.ok()
		r.counts("List 1, Initiate 2, Part 10, Complete 2, Head 1")
		r.left(0, 0)
	})
	t.Run("again and again: begins anew only once", func(t *testing.T) {
		for _, op := range []osstest.Op{osstest.OpUploadPart, osstest.OpCompleteMultipartUpload} {
			r := newTestbed(t, fiveParts)
			r.server.Inject(osstest.LoseUpload(op).Always())
			r.refused("NoSuchUpload")
			if n := r.server.Count(osstest.OpInitiateMultipartUpload); n != 2 {
				t.Errorf("%s: initiated %d times, want 2", op, n)
			}
			r.server.ClearFaults()
			r.ok() // and the next run is not stuck with it
			r.left(0, 0)
		}
	})
}

// without is a policy that denies some actions.
func without(actions ...string) string {
	deny := ""
	for _, a := range actions {
		deny += fmt.Sprintf(`,{"Effect":"Deny","Action":"oss:%s","Resource":"*"}`, a)
	}
	return `{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}` + deny + `]}`
}

// deny takes rights from the key of the testbed.
func (r *testbed) deny(actions ...string) {
	k := osstest.DefaultKey
	k.Policy = without(actions...)
	r.server.AddKey(k)
}

func TestResumeTrustsTheRecordWhereTheListIsNotToBeHad(t *testing.T) {
	t.Run("denied", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.interrupt(2, 4)
		r.deny("ListParts")
		r.ok()
		r.sent(2, 4)
		r.counts("List 1, Part 2, Complete 1")
		r.left(0, 0)
	})
	t.Run("unreachable", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.interrupt(2, 4)
		r.server.Inject(osstest.Fail(osstest.OpListParts, 500, "InternalError").Always())
		r.ok()
		r.sent(2, 4)
		r.counts("List 4, Part 2, Complete 1")
		r.left(0, 0)
	})
	t.Run("denied, and the upload is gone", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.interrupt(2, 4)
		r.deny("ListParts")
		r.server.AbortUpload(media, name, r.server.Uploads(media)[0].UploadID)
		r.ok()
		if n := r.server.Count(osstest.OpInitiateMultipartUpload); n != 1 {
			t.Errorf("initiated %d times, want 1", n)
		}
		r.left(0, 0)
	})
	t.Run("denied, and the record tells of parts that are not there", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		waitForTick(t, r.path)
		r.interrupt(2)
		cp := must(r.store.Open(r.ctx, r.job(nil).key()))
		if err := errors.Join(cp.Add(checkpoint.Part{Number: 2, Size: partSize, ETag: "0123456789ABCDEF0123456789ABCDEF", CRC64: 7}), cp.Close()); err != nil {
			t.Fatal(err)
		}
		r.deny("ListParts")
		r.ok() // not stuck with InvalidPart for ever
		r.counts("List 3, Complete 2, Abort 1, Initiate 1, Part 5")
		r.left(0, 0)
	})
}

// What the record says of the file, and what the file has become since.
func TestResumeOfAnotherSourceStartsOver(t *testing.T) {
	t.Run("changed in size", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.interrupt(4)
		r.write(data(fiveParts+1, 1))
		old := r.server.Uploads(media)[0].UploadID
		res := r.ok()
		r.counts("Abort 1, List 1, Initiate 1, Part 5, Complete 1")
		r.left(0, 0)
		if res.ResumedParts != 0 {
			t.Errorf("got %d parts resumed, want none", res.ResumedParts)
		}
		wantWarning(t, &r.seen, "bytes and is")
		wantWarning(t, &r.seen, "upload "+old+" is aborted, parts recorded of it: 4")
	})
	t.Run("also where the old upload cannot be aborted", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.interrupt(4)
		r.write(data(fiveParts+1, 1))
		r.deny("AbortMultipartUpload")
		r.ok()
		r.left(1, 0)
		if w := r.seen.of(Warning); len(w) != 2 {
			t.Errorf("got warnings %v, want also that an upload stays", texts(w))
		}
	})
}

func TestResumeReadsAgainWhatWasTouched(t *testing.T) {
	r := newTestbed(t, fiveParts)
	r.interrupt(5)
	r.change(2*partSize, []byte("other bytes, with the time set back"))
	res := r.ok()
	r.sent(3, 5)
	if res.ResumedParts != 3 {
		t.Errorf("got %d parts resumed, want the 3 whose bytes are the same", res.ResumedParts)
	}
	r.left(0, 0)
}

func TestResumeKeepsThePartSize(t *testing.T) {
	r := newTestbed(t, fiveParts)
	r.interrupt(2)
	r.opts.PartSize = 2 * partSize
	res := r.ok()
	r.sent(2)
	if res.Parts != 5 {
		t.Errorf("got %d parts, want 5", res.Parts)
	}
}

// A file that now fits into one part has no use for the upload that was begun.
func TestSingleEndsWhatAnEarlierRunLeft(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(r *testbed)
	}{
		{"larger parts", func(r *testbed) { r.opts.PartSize = 1 << 20 }},
		{"smaller file", func(r *testbed) { r.write(data(1000, 3)) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newTestbed(t, fiveParts)
			r.interrupt(2)
			tt.change(r)
			r.ok()
			r.counts("Put 1, Abort 1, List 1")
			r.left(0, 0)
		})
	}
	t.Run("but not if it is in use", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.interrupt(2)
		cp := must(r.store.Open(r.ctx, r.job(nil).key()))
		r.opts.PartSize = 1 << 20
		r.ok()
		r.counts("Put 1")
		if err := cp.Close(); err != nil {
			t.Fatal(err)
		}
		r.left(1, 1)
	})
}

func TestRecordWithAPartSizeThatCannotBe(t *testing.T) {
	r := newTestbed(t, fiveParts)
	r.interrupt(2)
	cp := must(r.store.Open(r.ctx, r.job(nil).key()))
	rec, _, _ := cp.Load()
	rec.PartSize = 10
	if err := errors.Join(cp.Begin(r.ctx, rec), cp.Close()); err != nil {
		t.Fatal(err)
	}
	r.ok()
	r.counts("Abort 1, List 1, Initiate 1, Part 5, Complete 1")
	wantWarning(t, &r.seen, "part size of 10 bytes")
	r.left(0, 0)
}

func TestDamagedRecordBeginsAnew(t *testing.T) {
	r := newTestbed(t, fiveParts)
	dir := must(checkpoint.OpenDir(t.TempDir()))
	defer dir.Close()
	r.store.Store = dir
	r.interrupt(2)
	files := must(filepath.Glob(filepath.Join(dir.Path(), "*.checkpoint")))
	if len(files) != 1 {
		t.Fatalf("got files %v, want one", files)
	}
	if err := os.WriteFile(files[0], []byte("not a checkpoint at all"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.ok()
	r.counts("Initiate 1, Part 5, Complete 1")
	wantWarning(t, &r.seen, "damaged")
	r.left(1, 0) // nobody knows the ID of the old one; Sweep finds it
}

func TestTheSameUploadTwiceIsInUse(t *testing.T) {
	r := newTestbed(t, fiveParts)
	r.opts.Optional = true // also then
	hang := hang(osstest.OpUploadPart)
	r.server.Inject(hang)
	ctx, stop := context.WithCancelCause(r.ctx)
	done := make(chan error)
	go func() {
		_, err := r.run(ctx)
		done <- err
	}()
	<-hang.Fired()
	src := must(OpenFile(r.path))
	defer src.Close()
	job := r.job(src)
	job.Slots = newSlots(1)
	if _, err := r.service().NewSession(nil).Run(r.ctx, job); !errors.Is(err, checkpoint.ErrInUse) || errors.Is(err, ErrCheckpoint) {
		t.Errorf("got %v, want %v alone", err, checkpoint.ErrInUse)
	}
	if n := r.server.Count(osstest.OpInitiateMultipartUpload); n != 1 {
		t.Errorf("initiated %d times, want 1", n)
	}
	stop(errPause)
	<-done
	r.left(1, 1)
}

// Requests that have no options of the object carry the header as well.
func TestRequestPayer(t *testing.T) {
	r := newTestbed(t, fiveParts)
	r.object.RequestPayer = true
	r.interrupt(2)
	r.server.Inject(osstest.LoseAnswer(osstest.OpCompleteMultipartUpload))
	r.ok()
	for _, q := range r.server.Requests() {
		if q.Header.Get("X-Oss-Request-Payer") != "requester" {
			t.Errorf("%v has no x-oss-request-payer", q)
		}
	}
	if r.server.Count(osstest.OpHeadObject, osstest.OpListParts) < 2 {
		t.Error("the test has not come to all that it is about")
	}
}

func TestWrongTargetIsAnErrorAtOnce(t *testing.T) {
	r := newTestbed(t, fiveParts)
	src := must(OpenFile(r.path))
	defer src.Close()
	job := r.job(src)
	job.Target.Bucket = "No Bucket"
	if _, err := r.service().NewSession(nil).Run(r.ctx, job); err == nil {
		t.Error("got success")
	}
	if err := r.service().NewSession(nil).Abandon(r.ctx, job); err == nil {
		t.Error("Abandon: got success")
	}
	r.counts("")
	var we *wire.Error
	if _, err := r.run(canceledCtx()); errors.As(err, &we) {
		t.Errorf("got %v, want no request", err)
	}
	r.counts("")
}

func canceledCtx() context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errPause)
	return ctx
}

// A record with an ETag in another case than the server's counts, and takes over the
// server's: where the list is not to be had next time, Complete goes by the record.
func TestResumeTakesTheServersETag(t *testing.T) {
	r := newTestbed(t, fiveParts)
	waitForTick(t, r.path) // of a file that was just written, all parts are recorded once more
	r.interrupt(4)
	for _, e := range must(r.store.List(r.ctx)) {
		cp := must(r.store.Open(r.ctx, e.Record.Key))
		_, parts, _ := cp.Load()
		for _, p := range parts {
			p.ETag = strings.ToLower(p.ETag)
			if err := cp.Add(p); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(cp.Flush(r.ctx), cp.Close()); err != nil {
			t.Fatal(err)
		}
	}
	r.server.Inject(osstest.Fail(osstest.OpCompleteMultipartUpload, 403, "AccessDenied"))
	r.refused("AccessDenied")
	r.counts("List 1, Part 1, Complete 1")
	for _, e := range must(r.store.List(r.ctx)) {
		cp := must(r.store.Open(r.ctx, e.Record.Key))
		_, parts, _ := cp.Load()
		if len(parts) != 5 {
			t.Errorf("%d parts are recorded, want 5", len(parts))
		}
		for _, p := range parts {
			if p.ETag != strings.ToUpper(p.ETag) {
				t.Errorf("part %d is recorded with the ETag %s, want the server's", p.Number, p.ETag)
			}
		}
		_ = cp.Close()
	}
}
