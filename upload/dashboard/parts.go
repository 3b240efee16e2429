package dashboard

import "strconv"

// A partState is the state of one part, as the letter that stands for it in a map.
type partState byte

const (
	partMissing  partState = 'm'
	partInFlight partState = 'f'
	partRetrying partState = 't' // failed, and to be sent again
	partAcked    partState = 'a'
	partResumed  partState = 'r' // an earlier run sent it
)

// parts are the states of one file's parts.
type parts struct {
	states  []partState // by number-1; those beyond are missing
	running bool
}

// set sets the state of a part. Numbers that no part has are ignored.
func (p *parts) set(n int, s partState) {
	if n < 1 || n > maxPart {
		return
	}
	for len(p.states) < n {
		p.states = append(p.states, partMissing)
	}
	p.states[n-1] = s
}

// cutOff records that nothing of the file is in flight any more.
func (p *parts) cutOff() {
	for i, s := range p.states {
		if s == partInFlight || s == partRetrying {
			p.states[i] = partMissing
		}
	}
}

// text returns the states of count parts as runs of equal ones: "120a3f877m".
func (p *parts) text(count int) string {
	var b []byte
	for i := 0; i < count; {
		s, n := p.at(i), 1
		for i+n < count && p.at(i+n) == s {
			n++
		}
		b = append(strconv.AppendInt(b, int64(n), 10), byte(s))
		i += n
	}
	return string(b)
}

func (p *parts) at(i int) partState {
	if i < len(p.states) {
		return p.states[i]
	}
	return partMissing
}

// fill returns the text of count parts of which none or all are there.
func (p *parts) fill(count int, all bool) string {
	if all {
		for n := range count {
			p.set(n+1, partAcked)
		}
	}
	return p.text(count)
}
