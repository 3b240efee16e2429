package upload

import (
	"encoding/binary"
	"encoding/hex"
	"strings"
	"time"
)

// A packed is the values of a file on the shelf, one after the other: numbers of variable
// length, and texts with theirs.
type packed string

// A packer writes a packed.
type packer struct {
	b     []byte
	texts *texts
}

func (p *packer) packed() packed { return packed(strings.Clone(string(p.b))) }

func (p *packer) number(n uint64) { p.b = binary.AppendUvarint(p.b, n) }

func (p *packer) ints(all ...int64) {
	for _, n := range all {
		p.b = binary.AppendVarint(p.b, n)
	}
}

// bools writes at most seven.
func (p *packer) bools(all ...bool) {
	var bits uint64
	for i, is := range all {
		if is {
			bits |= 1 << i
		}
	}
	p.number(bits)
}

func (p *packer) text(s string) {
	p.number(uint64(len(s)))
	p.b = append(p.b, s...)
}

// id writes a text that mostly is a number in upper-case hexadecimal digits, which take half
// the room then.
func (p *packer) id(s string) {
	b, err := hex.DecodeString(s)
	if err != nil || idText(b) != s {
		p.number(0)
		p.text(s)
		return
	}
	p.number(1)
	p.text(string(b))
}

func idText(b []byte) string { return strings.ToUpper(hex.EncodeToString(b)) }

// other writes a text that mostly is usual.
func (p *packer) other(s, usual string) {
	if s == usual {
		s = ""
	}
	p.text(s)
}

// common writes a text that many files have.
func (p *packer) common(s string) {
	n := p.texts.number(s)
	p.number(n)
	if n == 0 {
		p.text(s)
	}
}

// times writes when a file was started, if it was, and when it has ended.
func (p *packer) times(started, ended time.Time) {
	if started.IsZero() {
		p.ints(0, ended.UnixNano())
		return
	}
	p.ints(started.UnixNano(), int64(ended.Sub(started)))
}

// result writes the result of a file of that size, but for what the file has itself.
func (p *packer) result(r *Result, size int64) {
	p.id(r.ETag)
	p.b = binary.LittleEndian.AppendUint64(p.b, r.CRC64)
	p.ints(r.Size-size, int64(r.Parts), int64(r.ResumedParts), r.ResumedBytes, r.SentBytes, int64(r.Duration))
}

// An unpacker reads what a packer has written.
type unpacker struct {
	rest  packed
	texts *texts
}

func (p *unpacker) number() uint64 {
	n, size := binary.Uvarint([]byte(p.rest[:min(len(p.rest), binary.MaxVarintLen64)]))
	p.rest = p.rest[size:]
	return n
}

func (p *unpacker) int() int64 {
	n, size := binary.Varint([]byte(p.rest[:min(len(p.rest), binary.MaxVarintLen64)]))
	p.rest = p.rest[size:]
	return n
}

func (p *unpacker) ints(all ...*int64) {
	for _, n := range all {
		*n = p.int()
	}
}

func (p *unpacker) bools(all ...*bool) {
	bits := p.number()
	for i, is := range all {
		*is = bits&(1<<i) != 0
	}
}

func (p *unpacker) text() string {
	n := int(p.number())
	s := p.rest[:n]
	p.rest = p.rest[n:]
	return string(s)
}

func (p *unpacker) id() string {
	isNumber, s := p.number() == 1, p.text()
	if isNumber {
		return idText([]byte(s))
	}
	return s
}

func (p *unpacker) other(usual string) string {
	if s := p.text(); s != "" {
		return s
	}
	return usual
}

func (p *unpacker) common() string {
	if n := p.number(); n > 0 {
		return p.texts.all[n-1]
	}
	return p.text()
}

func (p *unpacker) times() (started, ended time.Time) {
	first, second := p.int(), p.int()
	if first == 0 {
		return time.Time{}, time.Unix(0, second)
	}
	started = time.Unix(0, first)
	return started, started.Add(time.Duration(second))
}

func (p *unpacker) result(size int64) *Result {
	r := &Result{ETag: p.id()}
	r.CRC64 = binary.LittleEndian.Uint64([]byte(p.rest[:8]))
	p.rest = p.rest[8:]
	var more, parts, resumed, took int64
	p.ints(&more, &parts, &resumed, &r.ResumedBytes, &r.SentBytes, &took)
	r.Size, r.Parts, r.ResumedParts, r.Duration = size+more, int(parts), int(resumed), time.Duration(took)
	return r
}

// texts are those that many files have, and errors, by numbers from 1 on.
type texts struct {
	numbers map[string]uint64
	all     []string
	causes  map[error]uint64
	errors  []error
}

// maxTexts bounds how many texts are kept, and errors: some servers say something else each
// time.
const maxTexts = 500

// number returns the number of a text; 0: it has none.
func (t *texts) number(s string) uint64 {
	n, ok := t.numbers[s]
	if ok || len(t.all) == maxTexts {
		return n
	}
	if t.numbers == nil {
		t.numbers = make(map[string]uint64)
	}
	s = strings.Clone(s)
	t.all = append(t.all, s)
	n = uint64(len(t.all))
	t.numbers[s] = n
	return n
}
