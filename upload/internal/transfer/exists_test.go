package transfer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/target"
	"github.com/vodupload/vodupload/upload/internal/wire"
	"github.com/vodupload/vodupload/upload/osstest"
)

// upsert uploads the file as the client does where its object may exist.
func (r *testbed) upsert(policy IfExists, l *Listing) (Result, error) {
	r.Helper()
	r.object.ForbidOverwrite = policy == Fail || policy == Skip
	s := r.service().NewSession(nil)
	job := r.job(nil)
	job.IfExists, job.Listing = policy, l
	res, skipped, err := s.SkipExisting(r.ctx, job)
	if skipped || err != nil {
		return res, err
	}
	job.Source = r.source
	if job.Source == nil {
		job.Source = must(OpenFile(r.path))
	}
	defer job.Source.Close()
	return s.Run(r.ctx, job)
}

// skips wants the object to be left as it is, after the given requests.
func (r *testbed) skips(policy IfExists, l *Listing, requests string) Result {
	r.Helper()
	res, err := r.upsert(policy, l)
	if err != nil || !res.Skipped {
		r.Fatalf("got %+v, %v; want it skipped", res, err)
	}
	r.counts(requests)
	return res
}

// sends wants the object to be the file, after the given requests.
func (r *testbed) sends(policy IfExists, l *Listing, requests string) {
	r.Helper()
	res, err := r.upsert(policy, l)
	if err != nil || res.Skipped {
		r.Fatalf("got %+v, %v; want it sent", res, err)
	}
	r.counts(requests)
	r.same()
}

func TestSkip(t *testing.T) {
	for _, size := range []int{0, 1000, fiveParts} {
		t.Run(fmt.Sprintf("skips an object of %d bytes, whatever its bytes", size), func(t *testing.T) {
			r := newTestbed(t, size)
			r.older(data(700, 9))
			if err := os.Remove(r.path); err != nil { // it is not even looked at
				t.Fatal(err)
			}
			res := r.skips(Skip, nil, "Head 1")
			if res.Size != 700 || res.ETag == "" || res.Verified {
				t.Errorf("got %+v, want what is known of the object", res)
			}
		})
	}
	t.Run("sends what is not there", func(t *testing.T) {
		newTestbed(t, 1000).sends(Skip, nil, "Head 1, Put 1")
		newTestbed(t, fiveParts).sends(Skip, nil, "Head 1, Initiate 1, Part 5, Complete 1")
	})
	for op, size := range map[osstest.Op]int{
		osstest.OpPutObject: 1000, osstest.OpInitiateMultipartUpload: fiveParts, osstest.OpCompleteMultipartUpload: fiveParts,
	} {
		t.Run("leaves an object that is made after the HEAD, before "+string(op), func(t *testing.T) {
			r := newTestbed(t, size)
			late := osstest.Hang(op).BeforeWork()
			r.inject(late)
			done := make(chan error, 1)
			go func() {
				res, err := r.upsert(Skip, nil)
				if err == nil && (!res.Skipped || res.Size != 700) {
					err = fmt.Errorf("got %+v, want it skipped", res)
				}
				done <- err
			}()
			<-late.Fired()
			r.make(data(700, 9), 2*partSize)
			late.Release()
			if err := <-done; err != nil {
				t.Error(err)
			}
			if len(r.content()) != 700 {
				t.Error("the object was overwritten")
			}
			r.left(0, 0)
		})
	}
	t.Run("removes what an interrupted upload has left", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.interrupt(3)
		r.older(data(700, 9))
		r.skips(Skip, nil, "Head 1, Abort 1, List 1")
		r.left(0, 0)
	})
	t.Run("sends, and leaves what is there, where the server does not say", func(t *testing.T) {
		r := newTestbed(t, 1000)
		r.inject(osstest.Fail(osstest.OpHeadObject, 403, "AccessDenied").Always())
		r.sends(Skip, nil, "Head 1, Put 1")
		r.server.ResetRequests()
		r.write(data(1000, 5))
		r.skips(Skip, nil, "Head 2, Put 1")
		if w := r.seen.of(Warning); len(w) == 0 || !strings.Contains(w[0].Err.Error(), "oss:GetObject") {
			t.Errorf("got warnings %v, want the missing right", w)
		}
	})
}

func TestSkipSame(t *testing.T) {
	for _, size := range []int{0, 1000, fiveParts} {
		t.Run(fmt.Sprintf("skips an object of the same %d bytes", size), func(t *testing.T) {
			for _, older := range []func(*testbed, []byte){(*testbed).older, (*testbed).olderParts} {
				r := newTestbed(t, size)
				older(r, data(size, 1))
				if res := r.skips(SkipSame, nil, "Head 1"); !res.Verified || res.Size != int64(size) || res.CRC64 == 0 && size > 0 {
					t.Errorf("got %+v, want it verified", res)
				}
			}
		})
	}
	t.Run("sends what is not there", func(t *testing.T) {
		newTestbed(t, 1000).sends(SkipSame, nil, "Head 1, Put 1")
	})
	t.Run("sends another size without a look at the bytes", func(t *testing.T) {
		r := newTestbed(t, 1000)
		r.older(data(1001, 1))
		r.sends(SkipSame, nil, "Head 1, Put 1")
	})
	t.Run("overwrites other bytes", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.older(data(fiveParts, 9))
		r.sends(SkipSame, nil, "Head 1, Initiate 1, Part 5, Complete 1")
	})
	t.Run("sends where the server gives no CRC64", func(t *testing.T) {
		r := newTestbed(t, 1000)
		r.older(data(1000, 1))
		r.inject(osstest.DropHeader(osstest.OpHeadObject, "X-Oss-Hash-Crc64ecma").Always())
		r.sends(SkipSame, nil, "Head 1, Put 1")
	})
	t.Run("removes what an interrupted upload has left", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.interrupt(3)
		r.olderParts(data(fiveParts, 1))
		r.skips(SkipSame, nil, "Head 1, Abort 1, List 1")
		r.left(0, 0)
	})
	t.Run("resumes what an interrupted upload has left of other bytes", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.interrupt(3)
		r.older(data(fiveParts, 9))
		r.sends(SkipSame, nil, "Head 1, List 1, Part 1, Complete 1")
	})
	t.Run("ErrChanged of a source that is written to while it is compared", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.older(data(fiveParts, 1))
		src := must(OpenFile(r.path))
		r.source = &spoiledSource{Source: src, at: fiveParts, do: func() { r.change(0, []byte("other")) }}
		if _, err := r.upsert(SkipSame, nil); !errors.Is(err, ErrChanged) {
			t.Errorf("got %v, want ErrChanged", err)
		}
	})
	t.Run("ErrChanged of a source that has more bytes than its size", func(t *testing.T) {
		r := newTestbed(t, 1000)
		r.older(data(500, 1))
		r.source = longer{inMemory(data(1000, 1)), 500}
		if _, err := r.upsert(SkipSame, nil); !errors.Is(err, ErrChanged) {
			t.Errorf("got %v, want ErrChanged", err)
		}
	})
	t.Run("compares twice where no write would show", func(t *testing.T) {
		r := newTestbed(t, 0)
		r.older(data(1000, 1))
		fsys := fstest.MapFS{"talk.mp4": {Data: data(1000, 1), ModTime: time.Now()}}
		src := must(OpenFS(fsys, "talk.mp4"))
		r.source = &spoiledSource{Source: src, at: 1000, do: func() { fsys["talk.mp4"].Data[0]++ }}
		if _, err := r.upsert(SkipSame, nil); !errors.Is(err, ErrChanged) {
			t.Errorf("got %v, want ErrChanged", err)
		}
	})
}

// A spoiledSource is changed once the bytes before at were read.
type spoiledSource struct {
	Source
	at int64
	do func()
}

func (s *spoiledSource) ReadAt(p []byte, off int64) (int, error) {
	n, err := s.Source.ReadAt(p, off)
	if do := s.do; do != nil && off < s.at && off+int64(n) >= s.at {
		s.do = nil
		do()
	}
	return n, err
}

// longer says to have fewer bytes than it has.
type longer struct {
	inMemory
	size int64
}

func (s longer) State() checkpoint.Source { return checkpoint.Source{Size: s.size} }

func TestListing(t *testing.T) {
	// listed returns a testbed whose server has objects, and their listing.
	listed := func(t *testing.T, size int) (*testbed, *Listing) {
		r := newTestbed(t, size)
		to := r.target()
		to.Object = "in/"
		return r, NewListing(to)
	}
	t.Run("answers for the objects that come after the first", func(t *testing.T) {
		r, l := listed(t, 1000)
		r.older(data(700, 9))
		r.skips(Skip, l, "Objects 1")
		r.skips(Skip, l, "Objects 1")
	})
	t.Run("says that an object is not there", func(t *testing.T) {
		r, l := listed(t, 1000)
		r.sends(Skip, l, "Objects 1, Put 1")
	})
	t.Run("does not overwrite what is made after it was asked for", func(t *testing.T) {
		r, l := listed(t, 1000)
		r.object.ForbidOverwrite = true
		if there, _, err := l.find(r.ctx, must(r.service().NewSession(nil).upload(r.job(nil)))); there != nil || err != nil {
			t.Fatalf("got %v, %v", there, err)
		}
		r.older(data(700, 9))
		r.skips(Skip, l, "Put 1, Head 1")
	})
	t.Run("is asked for again when it is old", func(t *testing.T) {
		r, l := listed(t, 1000)
		r.older(data(700, 9))
		r.skips(Skip, l, "Objects 1")
		l.pages[0].at = time.Now().Add(-2 * listingAge)
		r.skips(Skip, l, "Objects 2")
	})
	t.Run("decides by the MD5 of small objects of one request", func(t *testing.T) {
		r, l := listed(t, 1000)
		r.older(data(1000, 1))
		if res := r.skips(SkipSame, l, "Objects 1"); !res.Verified || res.CRC64 == 0 {
			t.Errorf("got %+v, want it verified", res)
		}
	})
	t.Run("leaves it to a HEAD where the MD5 differs", func(t *testing.T) {
		r, l := listed(t, 1000)
		r.older(data(1000, 9))
		r.sends(SkipSame, l, "Objects 1, Head 1, Put 1")
	})
	t.Run("leaves it to a HEAD where the ETag is no MD5", func(t *testing.T) {
		r, l := listed(t, fiveParts)
		r.olderParts(data(fiveParts, 1))
		r.skips(SkipSame, l, "Objects 1, Head 1")
	})
	t.Run("leaves larger objects to a HEAD while nothing says that an MD5 is faster", func(t *testing.T) {
		r, l := listed(t, smallMD5+1)
		r.older(data(smallMD5+1, 1))
		r.skips(SkipSame, l, "Objects 1, Head 1")
	})
	t.Run("decides by the size", func(t *testing.T) {
		r, l := listed(t, 1000)
		r.older(data(1001, 1))
		r.sends(SkipSame, l, "Objects 1, Put 1")
	})
	for code, fault := range map[string]*osstest.Fault{
		"AccessDenied":   osstest.Fail(osstest.OpListObjects, 403, "AccessDenied").Always(),
		"another answer": osstest.HTML(osstest.OpListObjects, 200).Always(),
	} {
		t.Run("is given up after "+code, func(t *testing.T) {
			r, l := listed(t, 1000)
			r.older(data(1000, 1))
			r.inject(fault)
			r.skips(SkipSame, l, "Objects 1, Head 1")
			r.skips(SkipSame, l, "Objects 1, Head 2")
			if w := r.seen.of(Warning); len(w) != 1 || !strings.Contains(w[0].Err.Error(), "oss:ListObjects") {
				t.Errorf("got warnings %v, want one", w)
			}
		})
	}
	t.Run("is asked for again after the network has failed", func(t *testing.T) {
		r, l := listed(t, 1000)
		r.older(data(1000, 1))
		r.inject(osstest.Fail(osstest.OpListObjects, 500, "InternalError"))
		r.skips(SkipSame, l, "Objects 1, Head 1")
		r.skips(SkipSame, l, "Objects 2, Head 1")
	})
	t.Run("is of no use for other places", func(t *testing.T) {
		r, l := listed(t, 1000)
		l.prefix.Object = "elsewhere/"
		r.sends(Skip, l, "Head 1, Put 1")
	})
	t.Run("a job that waits for it ends with its context", func(t *testing.T) {
		r, l := listed(t, 1000)
		l.turn <- struct{}{}
		ctx, cancel := context.WithCancelCause(r.ctx)
		cancel(errPause)
		job := r.job(nil)
		job.IfExists, job.Listing = Skip, l
		if _, _, err := r.service().NewSession(nil).SkipExisting(ctx, job); !errors.Is(err, errPause) {
			t.Errorf("got %v, want %v", err, errPause)
		}
	})
}

func TestListingLooks(t *testing.T) {
	l := NewListing(target.Target{})
	now := time.Now()
	l.pages = []span{
		{after: "b", last: "d", at: now, objects: []wire.Listed{{Object: "c", Size: 3}, {Object: "d", Size: 4}}},
		{after: "x", at: now, objects: []wire.Listed{{Object: "y"}}},
		{after: "e", last: "g", at: now.Add(-2 * listingAge), objects: []wire.Listed{{Object: "g"}}},
		{after: "bb", last: "c", at: now, objects: []wire.Listed{{Object: "c", Size: 5}}}, // newer
	}
	for name, want := range map[string]string{
		"a": "unknown", "b": "unknown", "ba": "absent", "c": "5", "cc": "absent", "d": "4", "da": "unknown",
		"f": "unknown", "g": "unknown", "x": "unknown", "y": "0", "z": "absent",
	} {
		there, known := l.look(name)
		got := "unknown"
		switch {
		case there != nil:
			got = fmt.Sprint(there.Size)
		case known:
			got = "absent"
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

// TestListingBegins: a page begins where the one before ends, so that those who ask out of
// order need no page of their own, until that has missed what was asked for.
func TestListingBegins(t *testing.T) {
	l := NewListing(target.Target{})
	for name, want := range map[string]string{"in/c": "in/b", "in/b": "", "in/z": "in/x", "in/a": ""} {
		l.pages = []span{{last: "in/b"}, {after: "in/d", last: "in/x"}, {after: "in/y"}}
		if got := l.from(name, "near"); got != want {
			t.Errorf("%s: after %q, want %q", name, got, want)
		}
	}
	l.isSparse()
	if got := l.from("in/c", "near"); got != "near" {
		t.Errorf("after %q, want what is just before the object", got)
	}
}

func TestListingForgets(t *testing.T) {
	l := NewListing(target.Target{})
	for i := range 3 * listingPages {
		l.keep(span{at: time.Now()}, wire.ObjectsPage{Objects: []wire.Listed{{Object: fmt.Sprint(i)}}, More: true})
	}
	if len(l.pages) != listingPages || l.pages[listingPages-1].last != fmt.Sprint(3*listingPages-1) {
		t.Errorf("got %d pages, the last ends with %q", len(l.pages), l.pages[len(l.pages)-1].last)
	}
}

func TestJustBefore(t *testing.T) {
	for name, want := range map[string]string{
		"in/seg005.ts": "in/seg005.tr~", "a0": "a/~", "a": "`~", "a!": "a ~",
		"": "", "in/ ": "", "in/\x00": "", "in/ü": "", strings.Repeat("a", 1001): "",
	} {
		got, ok := justBefore(name)
		if got != want || ok != (want != "") || ok && got >= name {
			t.Errorf("%q: got %q, %t; want %q", name, got, ok, want)
		}
	}
}

func TestMD5IsFaster(t *testing.T) {
	for outcome, test := range map[string]struct {
		size       int64
		trip       time.Duration
		requests   int
		processors int
		want       bool
	}{
		"small objects":                       {smallMD5, time.Microsecond, 64, 1, true},
		"a server nearby":                     {1 << 20, 2 * time.Millisecond, 5, 2, false},
		"a server far away":                   {1 << 20, 30 * time.Millisecond, 5, 2, true},
		"far away, by many requests at once":  {1 << 20, 30 * time.Millisecond, 64, 2, false},
		"far away, of large objects":          {16 << 20, 30 * time.Millisecond, 5, 2, false},
		"far away, with many processors":      {8 << 20, 30 * time.Millisecond, 5, 16, true},
		"a server of which nothing was heard": {1 << 20, 0, 5, 2, false},
	} {
		if got := md5IsFaster(test.size, test.trip, test.requests, test.processors); got != test.want {
			t.Errorf("%s: got %v", outcome, got)
		}
	}
	var s shortest
	for _, d := range []time.Duration{3, 2, 5} {
		s.record(d)
	}
	if s.now() != 2 {
		t.Errorf("the shortest of 3, 2 and 5 is %d", s.now())
	}
}
