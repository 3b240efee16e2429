package osstest

import "net/http"

// Nth makes the fault begin with the n-th of the calls that it is meant for,
// counted from 1. The default is 1.
func (f *Fault) Nth(n int) *Fault {
	f.spec.nth = n
	return f
}

// Times makes the fault hit n calls; a negative n is for ever. The default is
// 1, or for ever where [Fault.Probability] is set.
func (f *Fault) Times(n int) *Fault {
	f.spec.times = n
	return f
}

// Always is Times(-1): the fault hits all calls, from the first or Nth on.
func (f *Fault) Always() *Fault { return f.Times(-1) }

// Probability makes the fault hit each call with the probability p, from 0 to
// 1. Which calls it hits is drawn from the server's Options.Seed and from the number
// of faults that were injected before: the n-th matching call has the same
// result in each run.
func (f *Fault) Probability(p float64) *Fault {
	f.spec.random, f.spec.probability = true, min(max(p, 0), 1)
	return f
}

// Part restricts the fault to calls with the part number n.
func (f *Fault) Part(n int) *Fault {
	f.spec.part = n
	return f
}

// Bucket restricts the fault to calls on one bucket and its objects.
func (f *Fault) Bucket(name string) *Fault {
	f.spec.bucket = name
	return f
}

// Key restricts the fault to calls on one object name.
func (f *Fault) Key(name string) *Fault {
	f.spec.key = name
	return f
}

// Match restricts the fault to calls for which ok returns true. The Request
// has all that is known before the body is read. Each further Match restricts
// it further. ok may be called on many goroutines at the same time.
func (f *Fault) Match(ok func(Request) bool) *Fault {
	f.spec.match = append(f.spec.match, ok)
	return f
}

// Header adds a header to the answer that [Fail], [HTML], [EmptyAnswer] or
// [Redirect] gives.
func (f *Fault) Header(name, value string) *Fault {
	if f.spec.header == nil {
		f.spec.header = http.Header{}
	}
	f.spec.header.Set(name, value)
	return f
}

// BeforeBody makes the fault hit before a byte of the request's body is read.
// An answer that is given here comes while the client still sends.
func (f *Fault) BeforeBody() *Fault { return f.at(beforeBody, 0) }

// InBody makes the fault hit when n bytes of the request's body have been
// read, or at the end of a body that is shorter.
func (f *Fault) InBody(n int64) *Fault { return f.at(inBody, n) }

// BeforeWork makes the fault hit when the whole body has been read, and
// nothing has been done with it.
func (f *Fault) BeforeWork() *Fault { return f.at(beforeWork, 0) }

// AfterWork makes the fault hit when the server has done what was asked for,
// and has sent no byte of the answer.
func (f *Fault) AfterWork() *Fault { return f.at(afterWork, 0) }

// InAnswer makes [Reset], [Disconnect], [Delay] and [Hang] hit when n bytes
// of the answer have been sent, its header included. At least one byte of the
// answer stays behind. For other faults it is AfterWork.
func (f *Fault) InAnswer(n int64) *Fault { return f.at(inAnswer, n) }

// at moves the faults that can be moved.
func (f *Fault) at(m moment, after int64) *Fault {
	if !f.spec.effect.ends() && !f.spec.effect.holds() {
		return f
	}
	if m == inAnswer && f.spec.effect.ends() && !f.spec.effect.breaks() {
		m = afterWork
	}
	f.spec.moment, f.spec.after = m, after
	return f
}

// breaks reports whether the effect ends the connection.
func (e effect) breaks() bool { return e == effectReset || e == effectDisconnect }
