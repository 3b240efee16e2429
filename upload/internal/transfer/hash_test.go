package transfer

import (
	"context"
	"errors"
	"testing"

	"github.com/vodupload/vodupload/upload/internal/crc64"
	"github.com/vodupload/vodupload/upload/internal/wire"
)

func TestHash(t *testing.T) {
	b := data(1<<20+7, 3)
	u := &upload{caller: &caller{}, job: &Job{Source: inMemory(b)}}
	for _, tt := range []struct{ off, size int64 }{{0, 0}, {0, 1}, {5, 256 << 10}, {7, 1 << 20}, {0, 1<<20 + 7}} {
		got, err := u.hash(t.Context(), tt.off, tt.size)
		if want := crc64.Checksum(b[tt.off : tt.off+tt.size]); err != nil || got != want {
			t.Errorf("%d bytes from %d: got %d, %v; want %d", tt.size, tt.off, got, err, want)
		}
	}
	if _, err := u.hash(t.Context(), 1<<20, 100); err == nil {
		t.Error("got the CRC64 of bytes that are not there")
	}
}

// Reading a large file again ends with its context, and not with the file. What was
// not looked at by then is not taken for changed.
func TestHashEndsWithItsContext(t *testing.T) {
	for _, count := range []int{1, 100} {
		ctx, stop := context.WithCancelCause(t.Context())
		reads := make(chan int64, 1000)
		src := &memSource{inMemory: data(100*partSize, 3), read: func(off int64) error {
			reads <- off
			stop(errPause)
			return nil
		}}
		u := &upload{caller: &caller{Service: &Service{}}, job: &Job{Source: src}, plan: must(NewPlan(100*partSize, partSize))}
		parts := make([]wire.Part, count)
		for i := range parts {
			parts[i].Number = i + 1
		}
		if got, err := u.matching(ctx, parts); !errors.Is(err, errPause) {
			t.Errorf("%d parts: got %d of them, %v; want %v", count, len(got), err, errPause)
		}
		if n := len(reads); n > 50 {
			t.Errorf("read %d times after it was to end", n)
		}
	}
}

// TestHashOfAPartEndsWithItsContext, and not with the part: that may have 5 GiB.
func TestHashOfAPartEndsWithItsContext(t *testing.T) {
	ctx, stop := context.WithCancelCause(t.Context())
	reads := 0
	src := &memSource{inMemory: make([]byte, 8<<20), read: func(int64) error {
		reads++
		stop(errPause)
		return nil
	}}
	u := &upload{caller: &caller{Service: &Service{}}, job: &Job{Source: src}}
	if _, err := u.hash(ctx, 0, 8<<20); !errors.Is(err, errPause) || reads != 1 {
		t.Errorf("got %v after %d reads, want %v after one", err, reads, errPause)
	}
}

func TestMatchingKeepsTheOrder(t *testing.T) {
	b := data(5*partSize, 3)
	u := &upload{caller: &caller{Service: &Service{}}, job: &Job{Source: inMemory(b)}, plan: must(NewPlan(5*partSize, partSize))}
	parts := trueParts(b, u.plan)
	parts[1].CRC64++
	got, err := u.matching(t.Context(), parts)
	if err != nil || len(got) != 4 || got[0].Number != 1 || got[1].Number != 3 || got[3].Number != 5 {
		t.Errorf("got %v, %v; want parts 1, 3, 4 and 5", numbers(got), err)
	}
	if got := combined(trueParts(b, u.plan)); got != crc64.Checksum(b) {
		t.Errorf("combined: got %d, want %d", got, crc64.Checksum(b))
	}
}

func trueParts(b []byte, p Plan) (parts []wire.Part) {
	for n := 1; n <= p.Count; n++ {
		off, size := p.Section(n)
		parts = append(parts, wire.Part{Number: n, Size: size, CRC64: crc64.Checksum(b[off : off+size])})
	}
	return parts
}
