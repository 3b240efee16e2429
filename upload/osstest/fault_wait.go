package osstest

import "time"

// hold makes a call wait as a fault asks for. It returns false if the call
// ended meanwhile.
func (x *exchange) hold(p *chosen) bool {
	x.apply(p)
	if p.spec.effect == effectDelay {
		return x.pause(p.spec.delay)
	}
	return x.wait(nil, p.released)
}

// pause waits for d.
func (x *exchange) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	return x.wait(t.C, nil)
}

// wait waits for one of the two channels. It returns false if the client went
// away or the server was closed before; then the call is over. Its connection
// is broken, since an operation that simply returned would answer 200.
func (x *exchange) wait(timer <-chan time.Time, released <-chan struct{}) bool {
	select {
	case <-timer:
		return true
	case <-released:
		return true
	case <-x.req.Context().Done():
	case <-x.gone:
	}
	x.reset()
	return false
}
