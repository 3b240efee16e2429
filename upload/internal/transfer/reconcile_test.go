package transfer

import (
	"slices"
	"testing"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/wire"
)

// local and remote are a part of the plan of the tests, as the record and the server
// have it if all is well.
func local(n int) checkpoint.Part {
	size := int64(partSize)
	if n == 3 {
		size = 7
	}
	return checkpoint.Part{Number: n, Size: size, ETag: string(rune('A' + n)), CRC64: uint64(n)}
}

func remote(n int) wire.Part {
	p := local(n)
	return wire.Part{Number: n, Size: p.Size, ETag: p.ETag, CRC64: p.CRC64, HasCRC64: true}
}

func TestReconcile(t *testing.T) {
	plan := must(NewPlan(2*partSize+7, partSize))
	with := func(p wire.Part, change func(*wire.Part)) wire.Part {
		change(&p)
		return p
	}
	for _, tt := range []struct {
		name        string
		local       []checkpoint.Part
		listed      []wire.Part
		done, adopt []int
	}{
		{"nothing anywhere", nil, nil, nil, nil},
		{"all there", []checkpoint.Part{local(1), local(2), local(3)}, []wire.Part{remote(1), remote(2), remote(3)}, []int{1, 2, 3}, nil},
		{"holes stay holes", []checkpoint.Part{local(1), local(3)}, []wire.Part{remote(1), remote(3)}, []int{1, 3}, nil},
		{"a part that only the record has is sent again", []checkpoint.Part{local(1), local(2)}, []wire.Part{remote(2)}, []int{2}, nil},
		{"a part that only the server has may be adopted", nil, []wire.Part{remote(2)}, nil, []int{2}},
		{"but not if its CRC is not told", nil, []wire.Part{with(remote(2), func(p *wire.Part) { p.HasCRC64 = false })}, nil, nil},
		{"a CRC that is not told does not count against a recorded part", []checkpoint.Part{local(2)}, []wire.Part{with(remote(2), func(p *wire.Part) { p.CRC64, p.HasCRC64 = 0, false })}, []int{2}, nil},
		{"the case of an ETag does not count", []checkpoint.Part{local(2)}, []wire.Part{with(remote(2), func(p *wire.Part) { p.ETag = "c" })}, []int{2}, nil},
		{"another ETag makes it a part that only the server has", []checkpoint.Part{local(2)}, []wire.Part{with(remote(2), func(p *wire.Part) { p.ETag = "X" })}, nil, []int{2}},
		{"another CRC does so too", []checkpoint.Part{local(2)}, []wire.Part{with(remote(2), func(p *wire.Part) { p.CRC64 = 99 })}, nil, []int{2}},
		{"another ETag without a CRC is sent again", []checkpoint.Part{local(2)}, []wire.Part{with(remote(2), func(p *wire.Part) { p.ETag, p.HasCRC64 = "X", false })}, nil, nil},
		{"an empty ETag on both sides leaves it to the CRC", []checkpoint.Part{{Number: 2, Size: partSize, CRC64: 2}}, []wire.Part{with(remote(2), func(p *wire.Part) { p.ETag = "" })}, []int{2}, nil},
		{"where that is not told either, nothing vouches for the bytes", []checkpoint.Part{{Number: 2, Size: partSize, CRC64: 2}}, []wire.Part{with(remote(2), func(p *wire.Part) { p.ETag, p.HasCRC64 = "", false })}, nil, nil},
		{"a size that is not of the plan is sent again", []checkpoint.Part{local(2)}, []wire.Part{with(remote(2), func(p *wire.Part) { p.Size-- })}, nil, nil},
		{"also where both say so", []checkpoint.Part{{Number: 3, Size: 8, ETag: "D", CRC64: 3}}, []wire.Part{with(remote(3), func(p *wire.Part) { p.Size = 8 })}, nil, nil},
		{"parts beyond the plan are ignored", []checkpoint.Part{local(1), {Number: 4, Size: partSize, ETag: "E"}}, []wire.Part{remote(1), {Number: 4, Size: partSize, ETag: "E", HasCRC64: true}, {Number: 10_000, HasCRC64: true}}, []int{1}, nil},
		{"and so are numbers that are none", nil, []wire.Part{{Number: 0, Size: partSize, HasCRC64: true}, {Number: -1, Size: partSize, HasCRC64: true}}, nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := reconcile(plan, tt.local, tt.listed)
			if got := numbers(r.done); !slices.Equal(got, tt.done) {
				t.Errorf("done: got %v, want %v", got, tt.done)
			}
			if got := numbers(r.adopt); !slices.Equal(got, tt.adopt) {
				t.Errorf("to adopt: got %v, want %v", got, tt.adopt)
			}
			for _, p := range r.done {
				if p.CRC64 != local(p.Number).CRC64 {
					t.Errorf("part %d has CRC64 %d, want the record's", p.Number, p.CRC64)
				}
			}
		})
	}
}

func TestTrusted(t *testing.T) {
	plan := must(NewPlan(2*partSize+7, partSize))
	got := trusted(plan, []checkpoint.Part{local(1), {Number: 2, Size: 3}, local(3), {Number: 4, Size: partSize}})
	if want := []int{1, 3}; !slices.Equal(numbers(got), want) {
		t.Errorf("got parts %v, want %v: those whose size fits the plan", numbers(got), want)
	}
	if got[1] != remote(3) {
		t.Errorf("got %+v, want all of the record: %+v", got[1], remote(3))
	}
}

func TestSameBytes(t *testing.T) {
	mine := remote(1)
	for _, tt := range []struct {
		name   string
		listed wire.Part
		want   bool
	}{
		{"alike", mine, true},
		{"another ETag for the same CRC", wire.Part{Number: 1, Size: mine.Size, ETag: "X", CRC64: mine.CRC64, HasCRC64: true}, true},
		{"another CRC under the same ETag", wire.Part{Number: 1, Size: mine.Size, ETag: mine.ETag, CRC64: 9, HasCRC64: true}, false},
		{"the same ETag where no CRC is told", wire.Part{Number: 1, Size: mine.Size, ETag: mine.ETag}, true},
		{"another ETag where no CRC is told", wire.Part{Number: 1, Size: mine.Size, ETag: "X"}, false},
		{"no ETag where no CRC is told", wire.Part{Number: 1, Size: mine.Size}, false},
		{"another size", wire.Part{Number: 1, Size: 1, ETag: mine.ETag, CRC64: mine.CRC64, HasCRC64: true}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := sameBytes(mine, tt.listed); got != tt.want {
				t.Errorf("got %t, want %t", got, tt.want)
			}
		})
	}
}

// A server that gives each part an empty ETag says nothing of its bytes by that.
func TestSameBytesOfEmptyETags(t *testing.T) {
	mine := wire.Part{Number: 1, Size: 7, CRC64: 9, HasCRC64: true}
	if sameBytes(mine, wire.Part{Number: 1, Size: 7}) {
		t.Error("two empty ETags count as the same bytes")
	}
	if !sameBytes(mine, mine) {
		t.Error("the same CRC64 does not count")
	}
}

func numbers(parts []wire.Part) []int {
	var n []int
	for _, p := range parts {
		n = append(n, p.Number)
	}
	return n
}
