package transfer

import (
	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/wire"
)

// reconciled is what a resumed upload has, by the word of both sides.
type reconciled struct {
	done  []wire.Part // recorded here and listed by the server, and alike in all
	adopt []wire.Part // listed by the server only: done if the local bytes have the same CRC64
}

// reconcile compares the recorded parts with those that the server lists. A part
// counts only if number, size, ETag and CRC64 agree; everything else is sent
// again. Parts that the plan does not have are ignored: Complete leaves them out.
func reconcile(plan Plan, local []checkpoint.Part, listed []wire.Part) reconciled {
	recorded := byNumber(local)
	var r reconciled
	for _, p := range listed {
		if !fits(plan, p.Number, p.Size) {
			continue
		}
		mine, ok := recorded[p.Number]
		switch {
		case ok && agrees(mine, p):
			p.CRC64, p.HasCRC64 = mine.CRC64, true
			r.done = append(r.done, p)
		case p.HasCRC64:
			// Also where the record has another CRC64 or ETag: an answer that was
			// lost may have been for a later attempt than the recorded one.
			r.adopt = append(r.adopt, p)
		}
	}
	return r
}

// trusted takes the record's word alone, for when the server would not say.
func trusted(plan Plan, local []checkpoint.Part) []wire.Part {
	var done []wire.Part
	for _, p := range local {
		if fits(plan, p.Number, p.Size) {
			done = append(done, wire.Part{Number: p.Number, Size: p.Size, ETag: p.ETag, CRC64: p.CRC64, HasCRC64: true})
		}
	}
	return done
}

func byNumber(parts []checkpoint.Part) map[int]checkpoint.Part {
	m := make(map[int]checkpoint.Part, len(parts))
	for _, p := range parts {
		m[p.Number] = p
	}
	return m
}

func fits(plan Plan, number int, size int64) bool {
	if number < 1 || number > plan.Count {
		return false
	}
	_, want := plan.Section(number)
	return size == want
}

// agrees does not ask for a CRC64 where the server lists none, nor for an ETag where it
// gives none, but for one of them.
func agrees(mine checkpoint.Part, listed wire.Part) bool {
	switch {
	case mine.Size != listed.Size, listed.HasCRC64 && mine.CRC64 != listed.CRC64:
		return false
	case mine.ETag == "" && listed.ETag == "":
		return listed.HasCRC64
	}
	return wire.SameETag(mine.ETag, listed.ETag)
}

// sameBytes reports whether the server lists a part with the bytes of mine: by the
// CRC64, or where it lists none by the ETag.
func sameBytes(mine, listed wire.Part) bool {
	if mine.Size != listed.Size {
		return false
	}
	if listed.HasCRC64 {
		return mine.CRC64 == listed.CRC64
	}
	return wire.SameETag(mine.ETag, listed.ETag)
}
