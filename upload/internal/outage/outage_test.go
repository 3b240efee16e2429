package outage

import (
	"errors"
	"testing"
	"time"
)

var (
	errRefused = errors.New("connection refused")
	start      = time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)
)

// A script drives an endpoint through time.
type script struct {
	*testing.T
	e   *Endpoint
	now time.Time
}

func newScript(t *testing.T) *script {
	return &script{t, New(Policy{Interval: 2 * time.Second, Limit: 10 * time.Minute, Grace: 30 * time.Second}), start}
}

func (s *script) pass(d time.Duration) { s.now = s.now.Add(d) }

func (s *script) enter() Pass {
	s.Helper()
	p, ok := s.e.Enter(s.now)
	if !ok {
		s.Fatalf("at %v no request may be made", s.now.Sub(start))
	}
	return p
}

func (s *script) leave(p Pass, q *Request, r Report, want Verdict) {
	s.Helper()
	if got := s.e.Leave(p, q, r, s.now); got != want {
		s.Fatalf("at %v the verdict is %d, want %d", s.now.Sub(start), got, want)
	}
}

func (s *script) closed() {
	s.Helper()
	if s.e.Open(s.now) {
		s.Fatalf("at %v a request may be made", s.now.Sub(start))
	}
}

var (
	answered = Report{Outcome: Answered, Bucket: "b"}
	lost     = Report{Outcome: Lost, Bucket: "b", Err: errRefused}
)

// gone is an endpoint that went away a minute after an answer.
func gone(t *testing.T) (*script, *Request) {
	s, q := newScript(t), new(Request)
	s.leave(s.enter(), new(Request), answered, Blame)
	s.pass(time.Minute)
	s.leave(s.enter(), q, lost, Gone)
	return s, q
}

func TestNeverAnswered(t *testing.T) {
	s, q := newScript(t), new(Request)
	for range 4 {
		s.leave(s.enter(), q, lost, Blame)
		s.pass(time.Second)
	}
}

func TestOneProbeAtATime(t *testing.T) {
	s, q := gone(t)
	s.closed()
	s.pass(2 * time.Second)
	p := s.enter()
	s.closed()
	s.pass(time.Hour / 60)
	s.leave(p, q, lost, Wait)
	s.closed()
	s.pass(3100 * time.Millisecond) // a twentieth of the 62 s that it has lasted
	s.leave(s.enter(), q, answered, Back)
	if s.e.Away() {
		t.Error("it is still away")
	}
}

func TestPausesGrow(t *testing.T) {
	s, q := gone(t)
	for s.now.Sub(s.e.Since()) < 9*time.Minute {
		lasted := s.now.Sub(s.e.Since())
		pause := s.e.Delay(s.now)
		if want := max(2*time.Second, min(lasted/20, 15*time.Second)); pause != want {
			t.Fatalf("after %v the pause is %v, want %v", lasted, pause, want)
		}
		s.pass(pause)
		s.leave(s.enter(), q, lost, Wait)
	}
}

func TestAskedPause(t *testing.T) {
	s := newScript(t)
	s.leave(s.enter(), new(Request), answered, Blame)
	s.pass(time.Minute)
	r := lost
	r.Pause = time.Minute
	s.leave(s.enter(), new(Request), r, Gone)
	if got := s.e.Delay(s.now); got != time.Minute {
		t.Errorf("the next probe is %v off, want a minute", got)
	}
}

func TestOthersGetThrough(t *testing.T) {
	s, q := newScript(t), new(Request)
	s.leave(s.enter(), new(Request), answered, Blame)
	p := s.enter()
	s.pass(time.Second)
	s.leave(s.enter(), new(Request), answered, Blame)
	s.leave(p, q, lost, Blame)
}

func TestAnswerOfLongAgoDoesNotCount(t *testing.T) {
	s, q := newScript(t), new(Request)
	p := s.enter()
	s.pass(time.Second)
	s.leave(s.enter(), new(Request), answered, Blame)
	s.pass(30 * time.Second)
	s.leave(p, q, lost, Gone)
}

// TestRequestThatIsLostAlone puts the endpoint away once, and is blamed from then on.
func TestRequestThatIsLostAlone(t *testing.T) {
	s, q := gone(t)
	s.pass(2 * time.Second)
	s.leave(s.enter(), new(Request), answered, Back)
	for range 3 {
		s.leave(s.enter(), q, lost, Blame)
		s.pass(time.Second)
		s.leave(s.enter(), new(Request), answered, Blame)
		s.pass(time.Second)
	}
}

func TestNamesAreTheBucketsMatter(t *testing.T) {
	s := newScript(t)
	s.leave(s.enter(), new(Request), answered, Blame)
	s.pass(time.Minute)
	s.leave(s.enter(), new(Request), Report{Outcome: Lost, Bucket: "mistyped", Name: true, Err: errRefused}, Blame)
	s.leave(s.enter(), new(Request), Report{Outcome: Lost, Bucket: "other", Err: errRefused}, Gone)
}

func TestAnswerThatWasUnderWay(t *testing.T) {
	for after, want := range map[time.Duration]Verdict{100 * time.Millisecond: Blame, time.Second: Back} {
		s := newScript(t)
		s.leave(s.enter(), new(Request), answered, Blame)
		s.pass(time.Minute)
		p := s.enter()
		s.leave(s.enter(), new(Request), lost, Gone)
		s.pass(after)
		s.leave(p, new(Request), answered, want)
	}
}

func TestProbeThatComesToNothing(t *testing.T) {
	s, q := gone(t)
	s.pass(2 * time.Second)
	s.leave(s.enter(), q, Report{}, Blame)
	s.leave(s.enter(), q, answered, Back)
}

func TestTick(t *testing.T) {
	s, q := gone(t)
	at, ok := s.e.Next()
	if !ok || at.Sub(s.now) != 2*time.Second {
		t.Fatalf("Tick is due %v, %v", at, ok)
	}
	if one, all := s.e.Tick(s.now); one || all {
		t.Error("somebody is woken before it is time")
	}
	s.pass(2 * time.Second)
	for range 2 { // the one that was woken did not come
		if one, all := s.e.Tick(s.now); !one || all {
			t.Errorf("got %v, %v, want one to be woken", one, all)
		}
		if one, _ := s.e.Tick(s.now); one {
			t.Error("two are woken")
		}
		s.pass(2 * time.Second)
	}
	s.enter()
	if one, _ := s.e.Tick(s.now); one {
		t.Error("one is woken during a probe")
	}
	s.now = s.e.Since().Add(10 * time.Minute)
	if _, all := s.e.Tick(s.now); all {
		t.Error("the time counts in which nobody probed")
	}
	s.pass(33 * time.Second)
	if _, all := s.e.Tick(s.now); all {
		t.Error("the outage ends while a probe is under way")
	}
	s.pass(2 * time.Second)
	if _, all := s.e.Tick(s.now); !all || s.e.Away() || !s.e.TooLong(s.e.Outage()) {
		t.Error("the outage does not end after its limit")
	}
	s.leave(s.enter(), q, lost, Blame) // it is one that never answered
}

func TestProbeAtTheEnd(t *testing.T) {
	for r, want := range map[*Report]Verdict{&answered: Back, &lost: Wait} {
		s, q := gone(t)
		for s.e.ends.After(s.e.due) {
			s.now = s.e.due
			if s.e.ends.Sub(s.now) < maxPause {
				break
			}
			s.leave(s.enter(), q, lost, Wait)
		}
		p := s.enter()
		s.pass(25 * time.Second)
		if _, tooLong := s.e.Tick(s.now); tooLong {
			t.Fatal("the outage has ended while a probe was under way")
		}
		s.leave(p, q, *r, want)
		if _, tooLong := s.e.Tick(s.now); tooLong != (want == Wait) {
			t.Errorf("the outage has lasted too long: %t, after the verdict %d", tooLong, want)
		}
	}
}

// A timer that is late finds what it would have found in time, and has no time in the past
// to be set to.
func TestTickThatIsLate(t *testing.T) {
	s, q := gone(t)
	for s.e.ends.After(s.e.due) {
		s.now = s.e.due
		s.leave(s.enter(), q, lost, Wait)
	}
	s.now = s.e.due.Add(time.Second)
	if _, tooLong := s.e.Tick(s.now); !tooLong {
		at, _ := s.e.Next()
		t.Errorf("%v after its limit, the outage has not ended, and the next tick is %v off", s.now.Sub(s.e.ends), at.Sub(s.now))
	}
}

func TestOff(t *testing.T) {
	s := newScript(t)
	s.e = New(Policy{Interval: 2 * time.Second, Limit: -1})
	s.leave(s.enter(), new(Request), answered, Blame)
	s.pass(time.Minute)
	s.leave(s.enter(), new(Request), lost, Blame)
}

// A request that never gets an answer, while others to the same endpoint do, makes it look
// away each time. That has the bound of an outage.
func TestOneRequestThatIsAlwaysLost(t *testing.T) {
	s, q := newScript(t), new(Request)
	other := func(want Verdict) {
		t.Helper()
		s.pass(time.Second)
		p, ok := s.e.EnterEarly(s.now)
		if !ok {
			t.Fatal("nobody may look whether the request has done its work")
		}
		s.leave(p, new(Request), answered, want)
	}
	lose := func(want Verdict) {
		t.Helper()
		p := s.enter()
		s.pass(30 * time.Second) // a StallTimeout
		s.leave(p, q, lost, want)
	}
	other(Blame)
	for q.first.IsZero() || s.now.Add(30*time.Second).Sub(q.first) < 10*time.Minute {
		lose(Gone)
		other(Back)
	}
	for range 4 {
		lose(Blame)
		other(Blame)
	}
	s.leave(s.enter(), q, answered, Blame)
	s.pass(30 * time.Second)
	lose(Gone) // the time begins again
}
