package slots

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// A link is what simulated uploads go over: TCP connections that share a rate.
type link struct {
	rate    float64       // bytes per second
	trip    time.Duration // there and back, when nothing waits
	loss    float64       // share of the packets that get lost
	bbr     bool          // the connections do not slow down for losses
	latency time.Duration // of the server, between two requests of a connection
	part    float64       // bytes of a request
	quota   int           // requests in flight; above it the server throttles. 0: none
	blind   bool          // the system says nothing of the connections
}

// A flow is one connection.
type flow struct {
	window  float64 // bytes in flight at most
	begun   bool    // it is out of slow start
	resting time.Duration
	sent    float64 // of the request
	ended   bool    // one request has
}

const (
	step    = 5 * time.Millisecond
	segment = 1448.0
)

// A world is a link at work.
type world struct {
	link
	rng    *rand.Rand
	now    time.Time
	flows  []*flow
	queue  float64 // bytes that wait on the way
	acked  float64
	losses uint64
}

func newWorld(l link) *world {
	return &world{link: l, rng: rand.New(rand.NewPCG(1, 2)), now: time.Unix(1000, 0)}
}

func (w *world) delay() time.Duration {
	return time.Duration(w.queue / w.rate * float64(time.Second))
}

// run has requests in flight, as many as limit says, for a while. It returns the bytes
// that got through in a second.
func (w *world) run(length time.Duration, limit func() int) float64 {
	before := w.acked
	for end := w.now.Add(length); w.now.Before(end); w.now = w.now.Add(step) {
		for len(w.flows) < limit() {
			w.flows = append(w.flows, &flow{window: 10 * segment, resting: w.trip})
		}
		w.step(w.flows[:min(len(w.flows), limit())])
	}
	return (w.acked - before) / length.Seconds()
}

func (w *world) step(flows []*flow) {
	trip := (w.trip + w.delay()).Seconds()
	total := 0.0
	rates := make([]float64, len(flows))
	for i, f := range flows {
		if f.resting > 0 {
			f.resting -= step
			continue
		}
		rates[i] = f.window / trip
		total += rates[i]
	}
	overflow := false
	if w.queue += (total - w.rate) * step.Seconds(); w.queue > w.rate*w.trip.Seconds() {
		w.queue, overflow = w.rate*w.trip.Seconds(), true
	}
	w.queue = max(0, w.queue)
	share := min(1, w.rate/max(1, total))
	for i, f := range flows {
		w.move(f, rates[i]*share*step.Seconds(), trip, overflow)
	}
}

// move carries bytes of one connection.
func (w *world) move(f *flow, bytes, trip float64, overflow bool) {
	if bytes == 0 {
		return
	}
	w.acked += bytes
	lost := w.rng.Float64() > math.Pow(1-w.loss, bytes/segment)
	full := overflow && w.rng.Float64() < step.Seconds()/trip
	switch {
	case w.bbr && w.delay() > w.trip/8:
		f.begun, f.window = true, f.window*math.Pow(0.9, step.Seconds()/trip)
	case w.bbr && f.begun:
		f.window *= math.Pow(1.05, step.Seconds()/trip)
	case w.bbr:
		f.window *= math.Pow(2, step.Seconds()/trip)
	case lost || full:
		w.losses++
		f.begun, f.window = true, max(2*segment, 0.7*f.window)
	case f.begun:
		f.window += 2 * segment * step.Seconds() / trip
	default:
		f.window *= math.Pow(2, step.Seconds()/trip)
	}
	if f.sent += bytes; f.sent >= w.part {
		f.sent, f.resting, f.ended = 0, w.trip+w.latency, true
	}
}

// idle is the share of the requests that wait for their answer. (A connection rests while
// its request waits, and before its first.)
func (w *world) idle(limit int) float64 {
	n, idle := min(len(w.flows), limit), 0.0
	for _, f := range w.flows[:n] {
		if f.resting > 0 && f.ended {
			idle++
		}
	}
	return idle / float64(max(1, n))
}

// drive runs the uploads as a says.
func (w *world) drive(a *auto, length time.Duration) float64 {
	next := w.now
	return w.run(length, func() int {
		if !w.now.Before(next) {
			next = w.now.Add(AutoTick)
			t := Traffic{Acked: uint64(w.acked)}
			if !w.blind {
				t.RoundTrip, t.Delay, t.Idle = w.trip, w.delay(), w.idle(a.limit)
				if t.Yields = !w.bbr; t.Yields {
					t.Losses = w.losses
				}
			}
			a.look(w.now, t, true)
			if w.quota > 0 && a.limit > w.quota && w.rng.IntN(4) == 0 {
				a.throttled(w.now)
			}
		}
		return a.limit
	})
}

const (
	kib = 1 << 10
	mib = 1 << 20
	ms  = time.Millisecond
)

func TestAuto(t *testing.T) {
	for _, tt := range []struct {
		name      string
		link      link
		low, high int     // of the limit after a minute
		early     float64 // goodput of the first ten seconds, as a part of the best fixed limit's
		late      float64 // goodput of the rest of the minute
	}{
		{"as many as there are where connections are slow for their losses", link{rate: 25e6, trip: 100 * ms, loss: 0.001, part: mib}, 32, 64, 0.85, 0.95},
		{"the same with large parts", link{rate: 25e6, trip: 100 * ms, loss: 0.001, part: 8 * mib}, 32, 64, 0.85, 0.95},
		{"more losses on a slower link", link{rate: 6.25e6, trip: 200 * ms, loss: 0.01, part: mib}, 32, 64, 0.75, 0.95},
		{"few where connections do not slow down for losses", link{rate: 25e6, trip: 100 * ms, loss: 0.001, bbr: true, part: 8 * mib}, 5, 16, 0.85, 0.9},
		{"few where the link is full", link{rate: 12.5e6, trip: 50 * ms, part: mib}, 5, 24, 0.85, 0.9},
		{"few where the link is slow", link{rate: 2.5e6, trip: 30 * ms, part: mib}, 5, 24, 0.9, 0.95},
		{"many where the server takes its time", link{rate: 125e6, trip: 20 * ms, latency: 50 * ms, part: 100 * kib}, 32, 64, 0.6, 0.8},
		{"many for small files far away", link{rate: 12.5e6, trip: 200 * ms, part: 16 * kib}, 40, 64, 0.6, 0.8},
		{"few nearby", link{rate: 125e6, trip: 5 * ms, part: mib}, 5, 12, 0.9, 0.9},
		{"many without a word of the system's where the server takes its time", link{rate: 125e6, trip: 20 * ms, latency: 50 * ms, part: 100 * kib, blind: true}, 40, 64, 0.6, 0.8},
		{"few without a word of the system's where the link is full", link{rate: 2.5e6, trip: 30 * ms, part: mib, blind: true}, 5, 24, 0.9, 0.95},
		{"what the server takes", link{rate: 125e6, trip: 20 * ms, latency: 50 * ms, part: 100 * kib, quota: 20}, 6, 26, 0, 0},
		{"less than at first for a server that wants it", link{rate: 125e6, trip: 20 * ms, latency: 50 * ms, part: 100 * kib, quota: 2}, 1, 3, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, w := newAuto(), newWorld(tt.link)
			early, late := w.drive(a, 10*time.Second), w.drive(a, 50*time.Second)
			if a.limit < tt.low || a.limit > tt.high {
				t.Errorf("the limit is %d, want %d to %d", a.limit, tt.low, tt.high)
			}
			bestEarly, bestLate := 0.0, 0.0
			for _, n := range []int{5, 16, 32, 64} {
				w := newWorld(tt.link)
				bestEarly = max(bestEarly, w.run(10*time.Second, func() int { return n }))
				bestLate = max(bestLate, w.run(50*time.Second, func() int { return n }))
			}
			t.Logf("limit %d, %.2f and %.2f of the best", a.limit, early/bestEarly, late/bestLate)
			if early < tt.early*bestEarly || late < tt.late*bestLate {
				t.Errorf("%.2f and then %.2f of the best fixed limit's goodput, want %.2f and %.2f", early/bestEarly, late/bestLate, tt.early, tt.late)
			}
		})
	}
}

func TestAutoFollowsTheLink(t *testing.T) {
	far := link{rate: 25e6, trip: 100 * ms, loss: 0.001, part: mib}
	near := link{rate: 2.5e6, trip: 30 * ms, part: mib}
	a, w := newAuto(), newWorld(far)
	w.drive(a, 20*time.Second)
	if a.limit < 32 {
		t.Fatalf("the limit is %d, want 32 at least", a.limit)
	}
	w.link, w.flows = near, nil
	w.drive(a, 2*time.Minute)
	if a.limit > 24 {
		t.Errorf("on a link that five fill, the limit is still %d", a.limit)
	}
	w.link, w.flows = far, nil
	w.drive(a, 20*time.Second)
	if a.limit < 32 {
		t.Errorf("on a far link again, the limit is still %d", a.limit)
	}
}

func TestAutoWaitsForWork(t *testing.T) {
	a := newAuto()
	now := time.Unix(0, 0)
	for i := range 10_000 {
		a.look(now.Add(time.Duration(i)*AutoTick), Traffic{Acked: uint64(i) << 20, Losses: uint64(i)}, i%2 == 0)
		if a.limit != autoFloor {
			t.Fatal("the limit was changed although slots were free")
		}
	}
}

func TestAutoThrottled(t *testing.T) {
	now := time.Unix(100, 0)
	a := newAuto()
	a.limit = 64
	for i := range 10 {
		a.throttled(now.Add(time.Duration(i) * time.Millisecond))
	}
	if a.limit != 32 {
		t.Errorf("after answers to requests that were in flight together, the limit is %d, want 32", a.limit)
	}
	for i := range 100 {
		a.throttled(now.Add(time.Duration(i) * time.Second))
	}
	if a.limit != autoLeast {
		t.Errorf("the limit is %d, want %d", a.limit, autoLeast)
	}
}

func TestAutoDecides(t *testing.T) {
	full, empty := window{goodput: 1e6, waits: true, far: true}, window{goodput: 1e6, far: true}
	for _, tt := range []struct {
		name    string
		idle    float64
		windows []window
		want    int
	}{
		{"nothing while packets wait", 0, []window{full}, 5},
		{"nothing where a full link looks empty for a while", 0, []window{full, empty, empty, empty}, 5},
		{"more once the link is no longer full", 0, []window{full, empty, empty, empty, empty}, 10},
		{"more where it never was", 0, []window{empty}, 10},
		{"as many that five send", 0.2, []window{empty}, 8},
		{"not while packets wait", 0.2, []window{full}, 5},
		{"not while the server throttles", 0.2, []window{{goodput: 1e6, grows: true}}, 5},
		{"twice as many as long as the goodput grows on a way that is slow to fill", 0, []window{{goodput: 1e6, far: true, yields: true, grows: true}, {goodput: 2e6, far: true, yields: true, grows: true}}, 20},
		{"nothing where connections fill the way by themselves", 0, []window{{goodput: 1e6, far: true, grows: true}, {goodput: 2e6, far: true, grows: true}}, 5},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := newAuto()
			a.idle = tt.idle
			for _, w := range tt.windows {
				a.last = w.goodput
				a.decide(w)
			}
			if a.limit != tt.want {
				t.Errorf("the limit is %d, want %d", a.limit, tt.want)
			}
		})
	}
}

func TestAutoFloorHasFiveSend(t *testing.T) {
	for idle, want := range map[float64]int{0: 5, 0.1: 5, 0.2: 8, 0.33: 10, 0.9: autoWide, 1: autoWide} {
		if got := (&auto{idle: idle}).floor(); got != want {
			t.Errorf("where %.2f are idle: %d, want %d", idle, got, want)
		}
	}
}

func TestAutoIsAtOnceWhereConnectionsLosePackets(t *testing.T) {
	a, now := newAuto(), time.Unix(1000, 0)
	look := func(after time.Duration, losses uint64, delay time.Duration) {
		a.look(now.Add(after), Traffic{Acked: 1, Losses: losses, RoundTrip: 200 * ms, Delay: delay}, true)
	}
	look(0, 0, 0)
	look(350*ms, 1, 0)
	if a.limit != autoFloor {
		t.Errorf("after less than two round trips the limit is %d, want %d", a.limit, autoFloor)
	}
	look(400*ms, 1, 0)
	if a.limit != autoLossy*autoFloor {
		t.Errorf("after two round trips the limit is %d, want %d", a.limit, autoLossy*autoFloor)
	}
}
