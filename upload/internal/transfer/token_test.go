package transfer

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload/osstest"
)

// temporary gives the testbed a token, and a new one each time that one has expired.
func (r *testbed) temporary() {
	add := func(s Snapshot) Snapshot {
		r.server.AddKey(osstest.Key{AccessKeyID: s.AccessKeyID, AccessKeySecret: s.AccessKeySecret, SecurityToken: s.SecurityToken})
		return s
	}
	r.gate = newGate(add(key(1)))
	r.gate.renew = func(generation uint64) (Snapshot, error) { return add(key(generation + 1)), nil }
}

func TestTokenExpiresAtEachCall(t *testing.T) {
	lost := osstest.LoseAnswer(osstest.OpCompleteMultipartUpload)
	for _, tt := range []struct {
		op      osstest.Op
		size    int
		resume  bool
		faults  []*osstest.Fault
		refused int // requests
		counts  string
	}{
		{osstest.OpPutObject, 1000, false, nil, 1, "Put 2"},
		{osstest.OpInitiateMultipartUpload, fiveParts, false, nil, 1, "Initiate 2, Part 5, Complete 1"},
		{osstest.OpListParts, fiveParts, true, nil, 1, "List 2, Part 1, Complete 1"},
		{osstest.OpCompleteMultipartUpload, fiveParts, false, nil, 1, "Initiate 1, Part 5, Complete 2"},
		{osstest.OpHeadObject, fiveParts, false, []*osstest.Fault{lost}, 1, "Initiate 1, Part 5, Complete 1, Head 2, List 1"},
	} {
		t.Run(string(tt.op), func(t *testing.T) {
			r := newTestbed(t, tt.size)
			r.temporary()
			if tt.resume {
				r.interrupt(4)
			}
			r.inject(append(tt.faults, osstest.ExpireToken(tt.op))...)
			r.ok()
			r.counts(tt.counts)
			r.left(0, 0)
			if r.gate.asked != 1 || r.gate.refusals != tt.refused {
				t.Errorf("%d requests were refused, and a token asked for %d times; want %d, 1", r.gate.refusals, r.gate.asked, tt.refused)
			}
			if n := len(r.seen.of(Retrying)); n != 0 {
				t.Errorf("%d retries were reported, want none", n)
			}
		})
	}
}

func TestTokenExpiresInTheMiddle(t *testing.T) {
	r := newTestbed(t, 20*partSize)
	r.temporary()
	r.inject(osstest.ExpireToken(osstest.OpUploadPart).Nth(8))
	res := r.ok()
	if r.gate.asked != 1 {
		t.Errorf("a token was asked for %d times, want once", r.gate.asked)
	}
	if n := r.server.Count(osstest.OpInitiateMultipartUpload); n != 1 {
		t.Errorf("initiated %d times, want the same upload to continue", n)
	}
	acknowledged := make(map[int]int)
	for _, q := range r.server.Requests(osstest.OpUploadPart) {
		if q.Status == 200 {
			acknowledged[q.PartNumber]++
		}
	}
	for n, times := range acknowledged {
		if times != 1 {
			t.Errorf("part %d was stored %d times, want once", n, times)
		}
	}
	if len(acknowledged) != 20 || !res.Verified {
		t.Errorf("%d parts were stored, want 20", len(acknowledged))
	}
}

func TestFivePartsRefusedAtOnceAskOnce(t *testing.T) {
	r := newTestbed(t, fiveParts)
	r.temporary()
	// All five are held until the last of them is there, and refused then.
	hold := osstest.Hang(osstest.OpUploadPart).Times(5)
	r.inject(hold)
	go func() {
		_ = r.server.WaitRequests(r.ctx, 5, osstest.OpUploadPart)
		r.server.ExpireKey(key(1).AccessKeyID)
		hold.Release()
	}()
	r.ok()
	if r.gate.asked != 1 || r.gate.refusals != 5 {
		t.Errorf("%d requests were refused, and a token asked for %d times; want 5, 1", r.gate.refusals, r.gate.asked)
	}
	r.counts("Initiate 1, Part 10, Complete 1")
}

// STS keys are forgotten when they expire; long-lived ones are wrong.
func TestUnknownKey(t *testing.T) {
	t.Run("of STS: asks for another", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.temporary()
		r.server.RevokeKey(key(1).AccessKeyID)
		r.ok()
		r.counts("Initiate 2, Part 5, Complete 1")
	})
	t.Run("of an account: fails", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.server.RevokeKey(key(0).AccessKeyID)
		r.refused("InvalidAccessKeyId")
		if r.gate.asked != 0 {
			t.Error("a token was asked for")
		}
	})
}

func TestAccessDeniedIsNotExpiry(t *testing.T) {
	r := newTestbed(t, fiveParts)
	r.temporary()
	r.inject(osstest.Fail(osstest.OpUploadPart, 403, "AccessDenied").Part(2))
	we := r.refused("AccessDenied")
	if r.gate.asked != 0 || we.Part != 2 {
		t.Errorf("got %v, and a token was asked for %d times; want part 2, and none", we, r.gate.asked)
	}
	r.left(1, 1)
}

func TestAbortMeetsAnExpiredToken(t *testing.T) {
	r := newTestbed(t, fiveParts)
	r.temporary()
	r.interrupt(4)
	r.write(data(fiveParts+1, 2))
	r.inject(osstest.ExpireToken(osstest.OpAbortMultipartUpload))
	r.ok()
	r.counts("Abort 2, List 1, Initiate 1, Part 5, Complete 1")
	r.left(0, 0)
}

func TestClockIsWrongByADay(t *testing.T) {
	for _, d := range []time.Duration{24 * time.Hour, -24 * time.Hour} {
		for _, size := range []int{1000, fiveParts} {
			t.Run(fmt.Sprint(d, " ", size), func(t *testing.T) {
				r := newTestbed(t, size)
				r.inject(osstest.ClockSkew(osstest.AnyOp, d))
				if res := r.ok(); !res.Verified {
					t.Error("got not verified")
				}
				if n := len(r.seen.of(Retrying)); n != 0 {
					t.Errorf("%d retries were reported, want none", n)
				}
				// Requests of the same moment are corrected together.
				if n := r.server.Count(); n > 2+5+1 {
					t.Errorf("got %d requests", n)
				}
			})
		}
	}
}

func TestNoTokenEndsTheUploadAndKeepsIt(t *testing.T) {
	errNone := errors.New("none for ten minutes")
	r := newTestbed(t, fiveParts)
	r.temporary()
	r.gate.renew = func(uint64) (Snapshot, error) { return Snapshot{}, errNone }
	r.inject(osstest.ExpireToken(osstest.OpCompleteMultipartUpload))
	r.fails(errNone)
	r.left(1, 1)
	r.server.ClearFaults()
	r.server.ResetRequests()
	r.temporary()
	r.gate.give(func() Snapshot { s, _ := r.gate.renew(1); return s }())
	r.ok()
	r.counts("List 1, Complete 1")
	r.left(0, 0)
}
