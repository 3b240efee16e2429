package checkpointtest

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/vodupload/vodupload/checkpoint"
)

var parts = []test{
	{"parts come back in order, with holes, the later of two", func(t *testing.T, s checkpoint.Store) {
		again := Part(3)
		again.ETag, again.CRC64 = strings.ToLower(again.ETag), 42
		odd := checkpoint.Part{Number: 10_000, Size: 17, ETag: `"not-a-hash"-12`}
		rec := Record(Key("a"))
		u := begun(t, s, rec, Part(500), Part(3), odd, Part(1), again, Part(2))
		want := []checkpoint.Part{Part(1), Part(2), again, Part(500), odd}
		holds(t, u, rec, want...)
		u = reopened(t, s, u, rec.Key)
		defer u.Close()
		holds(t, u, rec, want...)
	}},
	{"parts of many runs add up", func(t *testing.T, s checkpoint.Store) {
		rec := Record(Key("a"))
		u := begun(t, s, rec)
		var want []checkpoint.Part
		for run := range 5 {
			more := Parts(1+run*40, 40+run*40)
			want = append(want, more...)
			add(t, u, more...)
			u = reopened(t, s, u, rec.Key)
			holds(t, u, rec, want...)
		}
		noError(t, "Remove", u.Remove())
	}},
	{"as many parts as an upload can have come back", func(t *testing.T, s checkpoint.Store) {
		const most = 10_000 // OSS documentation, UploadPart
		rec := Record(Key("a"))
		backwards := Parts(1, most)
		slices.Reverse(backwards)
		u := begun(t, s, rec, backwards...)
		u = reopened(t, s, u, rec.Key)
		defer u.Close()
		holds(t, u, rec, Parts(1, most)...)
	}},
	{"what Load returns is the caller's", func(t *testing.T, s checkpoint.Store) {
		rec := Record(Key("a"))
		u := begun(t, s, rec, Parts(1, 3)...)
		defer u.Close()
		_, got, _ := u.Load()
		got[0].ETag = "changed"
		holds(t, u, rec, Parts(1, 3)...)
	}},
	{"parts from many goroutines all come back", func(t *testing.T, s checkpoint.Store) {
		const goroutines, each = 8, 50
		rec := Record(Key("a"))
		u := begun(t, s, rec)
		var wg sync.WaitGroup
		for g := range goroutines {
			wg.Go(func() {
				for n := range each {
					noError(t, "Add", u.Add(Part(1+n*goroutines+g)))
					if n%10 == 0 {
						noError(t, "Flush", u.Flush(context.Background()))
						u.Load()
					}
				}
			})
		}
		wg.Wait()
		u = reopened(t, s, u, rec.Key)
		defer u.Close()
		holds(t, u, rec, Parts(1, goroutines*each)...)
	}},
	{"Flush returns with and without parts to write", func(t *testing.T, s checkpoint.Store) {
		rec := Record(Key("a"))
		u := begun(t, s, rec)
		defer u.Close()
		noError(t, "Flush of nothing", u.Flush(t.Context()))
		add(t, u, Parts(1, 10)...)
		noError(t, "Flush", u.Flush(t.Context()))
		noError(t, "Flush again", u.Flush(t.Context()))
		holds(t, u, rec, Parts(1, 10)...)
	}},
	{"Add needs a record and a part", func(t *testing.T, s checkpoint.Store) {
		u := claim(t, s, Key("a"))
		defer u.Close()
		wantError(t, "Add before Begin", u.Add(Part(1)), checkpoint.ErrNoRecord)
		noError(t, "Begin", u.Begin(t.Context(), Record(Key("a"))))
		for _, p := range []checkpoint.Part{{}, {Number: -1}, {Number: 10_001}, {Number: 1, Size: -1}} {
			wantError(t, "Add", u.Add(p), checkpoint.ErrInvalid)
		}
		holds(t, u, Record(Key("a")))
	}},
}
