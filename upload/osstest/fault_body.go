package osstest

import (
	"io"
	"time"
)

// A faultyBody is the body of a request as an operation reads it: counted, and
// with the faults that strike while it is read. Only the call's own goroutine
// reads it.
type faultyBody struct {
	x     *exchange
	r     io.ReadCloser
	read  int64
	holds []*chosen // Delay and Hang in and after the body
	slow  []*chosen
}

func (b *faultyBody) Close() error { return b.r.Close() }

func (b *faultyBody) Read(p []byte) (int, error) {
	if b.x.over || !b.hold(false) {
		return 0, errOver
	}
	n, err := b.r.Read(p[:b.limit(len(p))])
	b.read += int64(n)
	b.x.log.body.Add(int64(n))
	if !b.pace(n) || !b.hold(err == io.EOF || b.read == b.x.req.ContentLength) {
		return n, errOver
	}
	return n, err
}

// limit returns how many bytes may be read at once: no more than up to the next
// point where a fault strikes, and no more than what comes in a moment.
func (b *faultyBody) limit(n int) int {
	for _, p := range b.slow {
		n = min(n, burst(p.spec.rate))
	}
	for _, p := range b.holds {
		if left := p.spec.after - b.read; p.spec.moment == inBody && !p.struck && left > 0 {
			n = int(min(int64(n), left))
		}
	}
	return n
}

// pace waits for as long as n bytes take on a slow link.
func (b *faultyBody) pace(n int) bool {
	for _, p := range b.slow {
		b.x.apply(p)
		if !b.x.pause(lasting(n, p.spec.rate)) {
			return false
		}
	}
	return true
}

// hold applies the faults whose moment is reached. It returns false if the
// call ended meanwhile.
func (b *faultyBody) hold(whole bool) bool {
	for _, p := range b.holds {
		reached := whole || p.spec.moment == inBody && b.read >= p.spec.after
		if reached && !p.struck && !b.x.hold(p) {
			return false
		}
	}
	return true
}

// burst returns how many bytes pass at once at a rate, so that a slow link
// flows rather than stutters.
func burst(bytesPerSecond int) int { return max(bytesPerSecond/20, 1) }

// lasting returns how long n bytes take at a rate.
func lasting(n, bytesPerSecond int) time.Duration {
	return time.Duration(n) * time.Second / time.Duration(bytesPerSecond)
}
