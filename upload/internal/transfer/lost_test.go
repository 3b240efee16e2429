package transfer

import (
	"encoding/base64"
	"errors"
	"fmt"
	"testing"

	"github.com/vodupload/vodupload/upload/internal/target"
	"github.com/vodupload/vodupload/upload/osstest"
)

// inject puts faults to work, which have to strike before the test ends.
func (r *testbed) inject(faults ...*osstest.Fault) {
	r.server.Inject(faults...)
	r.Cleanup(func() { r.server.AssertFired(r) })
}

func TestLostAnswers(t *testing.T) {
	const complete = osstest.OpCompleteMultipartUpload
	for _, tt := range []struct {
		name   string
		faults []*osstest.Fault
		counts string
		left   int // uploads at the server
	}{
		{
			"of Initiate: begins another upload, and aborts the first", []*osstest.Fault{osstest.LoseAnswer(osstest.OpInitiateMultipartUpload)},
			"Initiate 2, Part 5, Complete 1, Uploads 1, List 1, Abort 1", 0,
		},
		{
			"of a part: sends it again", []*osstest.Fault{osstest.LoseAnswer(osstest.OpUploadPart)},
			"Initiate 1, Part 6, Complete 1", 0,
		},
		{
			"500 after a part was stored: sends it again", []*osstest.Fault{osstest.Fail(osstest.OpUploadPart, 500, "InternalError").AfterWork()},
			"Initiate 1, Part 6, Complete 1", 0,
		},
		{
			"of Complete: finds the object", []*osstest.Fault{osstest.LoseAnswer(complete)},
			"Initiate 1, Part 5, Complete 1, Head 1, List 1", 0,
		},
		{
			"500 after Complete has worked: finds the object", []*osstest.Fault{osstest.Fail(complete, 500, "InternalError").AfterWork()},
			"Initiate 1, Part 5, Complete 1, Head 1, List 1", 0,
		},
		{
			"empty 200 after Complete has worked: finds the object", []*osstest.Fault{osstest.EmptyAnswer(complete).AfterWork()},
			"Initiate 1, Part 5, Complete 1, Head 1, List 1", 0,
		},
		{
			"HTML of a proxy after Complete has worked: finds the object", []*osstest.Fault{osstest.HTML(complete, 504).AfterWork()},
			"Initiate 1, Part 5, Complete 1, Head 1, List 1", 0,
		},
		{
			"500 before Complete has worked: completes again", []*osstest.Fault{osstest.Fail(complete, 500, "InternalError")},
			"Initiate 1, Part 5, Complete 2, Head 1", 0,
		},
		{
			"NoSuchUpload on the retry of Complete: finds the object",
			[]*osstest.Fault{osstest.LoseAnswer(complete), osstest.Fail(osstest.OpHeadObject, 500, "InternalError")},
			"Initiate 1, Part 5, Complete 2, Head 2", 0,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newTestbed(t, fiveParts)
			r.inject(tt.faults...)
			if res := r.ok(); !res.Verified || res.ETag == "" {
				t.Errorf("got %+v, want it verified", res)
			}
			r.counts(tt.counts)
			r.left(tt.left, 0)
		})
	}
}

func TestLostCompleteAndWhatElseIsThere(t *testing.T) {
	fail := func() *osstest.Fault { return osstest.Fail(osstest.OpCompleteMultipartUpload, 500, "InternalError") }
	content := data(fiveParts, 1)
	t.Run("an object of other content: completes again", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.olderParts(data(fiveParts, 9))
		r.inject(fail())
		r.ok()
		r.counts("Initiate 1, Part 5, Complete 2, Head 1")
		r.left(0, 0)
	})
	t.Run("an older object of the same content: completes again", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.olderParts(content)
		r.inject(fail())
		r.ok()
		r.counts("Initiate 1, Part 5, Complete 2, Head 1")
		r.left(0, 0)
	})
	t.Run("the same content made by one request: completes again", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.older(content)
		r.inject(fail())
		r.ok()
		r.counts("Initiate 1, Part 5, Complete 2, Head 1")
		if o, _ := r.server.Object(media, name); o.Type != typeMultipart {
			t.Errorf("the object is %s, want %s", o.Type, typeMultipart)
		}
		r.left(0, 0)
	})
	t.Run("the same content made by somebody else meanwhile: completes again", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.meanwhile(content, fail())
		r.ok()
		if n := r.server.Count(osstest.OpCompleteMultipartUpload); n != 3 {
			t.Errorf("completed %d times, want 3: by the other, with an error, and again", n)
		}
		r.left(0, 0) // and not one that is taken for done, while its parts stay
	})
	t.Run("also where the server does not say whether the upload is unfinished", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.meanwhile(content, fail(), osstest.Fail(osstest.OpListParts, 500, "InternalError"))
		r.ok()
		if n := r.server.Count(osstest.OpCompleteMultipartUpload); n != 3 {
			t.Errorf("completed %d times, want 3: by the other, with an error, and again", n)
		}
		r.left(0, 0)
	})
	t.Run("without the right to list: completes again, and finds it done", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.deny("ListParts")
		r.inject(osstest.LoseAnswer(osstest.OpCompleteMultipartUpload))
		r.ok()
		r.counts("Initiate 1, Part 5, Complete 2, Head 2, List 1")
		r.left(0, 0)
	})
	t.Run("an older object of the same content, and the upload is gone: begins anew", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.olderParts(content)
		r.inject(osstest.LoseUpload(osstest.OpCompleteMultipartUpload))
		r.ok()
		r.counts("Initiate 2, Part 10, Complete 2, Head 1")
		r.left(0, 0)
	})
}

// meanwhile lets somebody else upload b to the same name, once all parts are there.
// Faults strike after that.
func (r *testbed) meanwhile(b []byte, faults ...*osstest.Fault) {
	r.seen.when(func(e Event) bool { return e.Kind == Progress && e.Uploaded == fiveParts }, func() {
		job := r.job(inMemory(b))
		job.Name, job.Emit, job.Object, job.Slots = "/another/file", nil, target.ObjectOptions{}, newSlots(5)
		if _, err := r.service().NewSession(nil).Run(r.ctx, job); err != nil {
			r.Error(err)
		}
		r.inject(faults...)
	})
}

// Where HEAD is denied, nobody can say what came of a Complete that was not
// answered. It is neither taken for done, nor aborted.
func TestLostCompleteWithoutTheRightToLook(t *testing.T) {
	t.Run("begins anew", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.deny("GetObject")
		r.inject(osstest.LoseAnswer(osstest.OpCompleteMultipartUpload))
		r.ok()
		r.counts("Initiate 2, Part 10, Complete 3, Head 2")
		r.left(0, 0)
	})
	t.Run("and says so where it must not overwrite", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.deny("GetObject")
		r.object.ForbidOverwrite = true
		r.inject(osstest.LoseAnswer(osstest.OpCompleteMultipartUpload))
		r.refused(codeExists)
		r.counts("Initiate 2, Part 5, Complete 2, Head 2")
		r.same()
	})
}

func TestCompleteThatIsNeverAnswered(t *testing.T) {
	r := newTestbed(t, fiveParts)
	r.inject(osstest.Fail(osstest.OpCompleteMultipartUpload, 500, "InternalError").Always())
	we := r.refused("InternalError")
	if we.Op != "CompleteMultipartUpload" {
		t.Errorf("got %v, want the error of Complete", we)
	}
	r.counts("Initiate 1, Part 5, Complete 4, Head 4")
	r.left(1, 1) // never aborted: it may yet be done
	r.server.ClearFaults()
	r.server.ResetRequests()
	r.ok()
	r.counts("List 1, Complete 1")
	r.left(0, 0)
}

func TestForbidOverwrite(t *testing.T) {
	put, complete := osstest.OpPutObject, osstest.OpCompleteMultipartUpload
	forbidding := func(t *testing.T, size int) *testbed {
		r := newTestbed(t, size)
		r.object.ForbidOverwrite = true
		return r
	}
	t.Run("Put whose answer was lost is found", func(t *testing.T) {
		r := forbidding(t, 1000)
		r.inject(osstest.LoseAnswer(put))
		if res := r.ok(); !res.Verified || res.ETag == "" {
			t.Errorf("got %+v, want it verified", res)
		}
		r.counts("Put 2, Head 1")
	})
	t.Run("Put answered with 500 after the work is found", func(t *testing.T) {
		r := forbidding(t, 1000)
		r.inject(osstest.Fail(put, 500, "InternalError").AfterWork())
		r.ok()
		r.counts("Put 2, Head 1")
	})
	t.Run("Put where an object is fails", func(t *testing.T) {
		r := forbidding(t, 1000)
		r.older(data(1000, 1))
		r.refused(codeExists)
		r.counts("Put 1")
	})
	t.Run("Put that was lost before the work, where another object is, fails", func(t *testing.T) {
		r := forbidding(t, 1000)
		r.older(data(1000, 9))
		r.inject(osstest.Reset(put))
		r.refused(codeExists)
		r.counts("Put 2, Head 1")
	})
	t.Run("Complete whose answer was lost is found", func(t *testing.T) {
		r := forbidding(t, fiveParts)
		r.inject(osstest.LoseAnswer(complete))
		r.ok()
		r.counts("Initiate 1, Part 5, Complete 1, Head 1, List 1")
		r.left(0, 0)
	})
	t.Run("Initiate where an object is fails, and leaves nothing", func(t *testing.T) {
		r := forbidding(t, fiveParts)
		r.olderParts(data(fiveParts, 1))
		r.refused(codeExists)
		r.counts("Initiate 1")
		r.left(0, 0)
	})
	t.Run("Complete where somebody else was faster fails, also with the same content", func(t *testing.T) {
		for seed := byte(1); seed <= 2; seed++ {
			r := forbidding(t, fiveParts)
			r.meanwhile(data(fiveParts, seed))
			r.refused(codeExists)
			r.left(1, 1)
		}
	})
}

// The object is stored, and the application's server was not told of it well.
func TestCallbackFails(t *testing.T) {
	callback := base64.StdEncoding.EncodeToString([]byte(`{"callbackUrl":"http://127.0.0.1:1/","callbackBody":"x=1"}`))
	for _, tt := range []struct {
		size   int
		counts string
	}{{1000, "Put 1"}, {fiveParts, "Initiate 1, Part 5, Complete 1"}} {
		t.Run(tt.counts, func(t *testing.T) {
			r := newTestbed(t, tt.size)
			r.object.Callback = callback
			we := r.refused("CallbackFailed")
			if !we.Stored() {
				t.Errorf("got %v, want it to say that the object is stored", we)
			}
			r.counts(tt.counts)
			r.same()
			r.left(0, 0)
		})
	}
	t.Run("and the object is not what was sent", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.object.Callback = callback
		r.inject(osstest.WrongCRC64(osstest.OpCompleteMultipartUpload))
		r.fails(ErrIntegrity)
		r.left(0, 0)
	})
}

// Parts that are refused are compared once more, and what is wrong is mended.
func TestRefusedParts(t *testing.T) {
	t.Run("an ETag that was told wrong is looked up", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.inject(osstest.WrongETag(osstest.OpUploadPart).Part(3))
		if res := r.ok(); res.SentBytes != fiveParts || !res.Verified {
			t.Errorf("got %+v, want nothing sent twice", res)
		}
		r.counts("Initiate 1, Part 5, Complete 2, List 1")
		r.left(0, 0)
	})
	t.Run("also one that was listed wrong", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.interrupt(2)
		r.inject(osstest.WrongETag(osstest.OpListParts))
		if res := r.ok(); res.ResumedParts != 4 {
			t.Errorf("got %+v, want four parts resumed", res)
		}
		r.counts("List 2, Part 1, Complete 2")
		r.left(0, 0)
	})
	t.Run("without the right to look, it begins anew", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.deny("ListParts")
		r.inject(osstest.WrongETag(osstest.OpUploadPart).Part(3))
		r.ok()
		r.counts("Initiate 2, Part 10, Complete 2, List 2, Abort 1")
		r.left(0, 0)
	})
	t.Run("that is refused for ever comes to an end", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.inject(osstest.Fail(osstest.OpCompleteMultipartUpload, 400, "InvalidPart").Always())
		r.refused("InvalidPart")
		r.counts("Initiate 2, Part 10, Complete 4, List 3, Abort 1")
		r.left(1, 1)
	})
	t.Run("gone when it is looked at: begins anew", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.inject(osstest.WrongETag(osstest.OpUploadPart).Part(3), osstest.LoseUpload(osstest.OpListParts))
		r.ok()
		r.counts("Initiate 2, Part 10, Complete 2, List 1")
		r.left(0, 0)
	})
}

func TestIntegrity(t *testing.T) {
	const part, complete = osstest.OpUploadPart, osstest.OpCompleteMultipartUpload
	t.Run("a part with another CRC64 is sent again", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.inject(osstest.WrongCRC64(part).Part(2))
		if res := r.ok(); res.SentBytes != fiveParts+partSize {
			t.Errorf("got %d bytes sent, want part 2 twice", res.SentBytes)
		}
		r.sent(1, 2, 2, 3, 4, 5)
		if e := r.seen.of(Retrying); len(e) != 1 || e[0].Part != 2 || e[0].Attempt != 1 {
			t.Errorf("got %+v, want one retry, of part 2", e)
		}
	})
	t.Run("one that always has, fails", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.inject(osstest.WrongCRC64(part).Part(2).Always())
		if _, err := r.run(r.ctx); err == nil {
			t.Fatal("got success")
		}
		r.left(1, 1)
	})
	t.Run("an object with another CRC64 is ErrIntegrity", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.inject(osstest.WrongCRC64(complete))
		r.fails(ErrIntegrity)
		r.counts("Initiate 1, Part 5, Complete 1")
		r.left(0, 0)
	})
	t.Run("a small object with another CRC64 is sent again", func(t *testing.T) {
		r := newTestbed(t, 1000)
		r.inject(osstest.WrongCRC64(osstest.OpPutObject))
		r.ok()
		r.counts("Put 2")
	})
	t.Run("without the object's CRC64 it is not verified", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.inject(osstest.DropHeader(complete, "x-oss-hash-crc64ecma"))
		if res := r.ok(); res.Verified {
			t.Error("got verified")
		}
		small := newTestbed(t, 1000)
		small.inject(osstest.DropHeader(osstest.OpPutObject, "x-oss-hash-crc64ecma"))
		if res := small.ok(); res.Verified {
			t.Error("small: got verified")
		}
	})
	t.Run("without that of the parts it still is", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.inject(osstest.DropHeader(part, "x-oss-hash-crc64ecma").Always())
		if res := r.ok(); !res.Verified {
			t.Error("got not verified")
		}
		r.sent(1, 2, 3, 4, 5)
	})
	t.Run("no ETag of a part: sends it again", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.inject(osstest.DropHeader(part, "ETag").Part(4))
		r.ok()
		r.sent(1, 2, 3, 4, 4, 5)
	})
	t.Run("no upload ID: initiates again", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.inject(osstest.DropElement(osstest.OpInitiateMultipartUpload, "UploadId"))
		r.ok()
		r.counts("Initiate 2, Part 5, Complete 1, Uploads 1, List 1, Abort 1")
	})
}

// What is broken for good says what is broken, and leaves what can continue.
func TestPermanentErrorsAreNotRetried(t *testing.T) {
	for op, counts := range map[osstest.Op]string{
		osstest.OpInitiateMultipartUpload: "Initiate 1",
		osstest.OpCompleteMultipartUpload: "Initiate 1, Part 5, Complete 1",
	} {
		r := newTestbed(t, fiveParts)
		r.inject(osstest.Fail(op, 403, "AccessDenied"))
		we := r.refused("AccessDenied")
		if we.RequestID == "" || we.Bucket != media || we.Object != name {
			t.Errorf("got %+v, want the request ID and what it was about", we)
		}
		r.counts(counts)
		if n := len(r.seen.of(Retrying)); n != 0 {
			t.Errorf("%s: %d retries were reported", op, n)
		}
	}
}

func TestSizes(t *testing.T) {
	for _, size := range []int{0, 1, partSize - 1, partSize, partSize + 1, 2 * partSize, 3*partSize - 1} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			r := newTestbed(t, size)
			res := r.ok()
			if !res.Verified || res.Size != int64(size) || res.SentBytes != int64(size) || res.Parts != max(1, (size+partSize-1)/partSize) {
				t.Errorf("got %+v", res)
			}
			r.left(0, 0)
		})
	}
}

func TestTooLarge(t *testing.T) {
	r := newTestbed(t, 0)
	job := r.job(huge{})
	if _, err := r.service().NewSession(nil).Run(r.ctx, job); !errors.Is(err, ErrTooLarge) {
		t.Errorf("got %v, want %v", err, ErrTooLarge)
	}
	r.counts("")
}
