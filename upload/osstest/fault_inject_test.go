package osstest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// hits makes n calls and returns which of them, counted from 1, a fault that
// answers 503 has hit.
func hits(f *faultTest, n int, call func(i int) reply) []int {
	var hits []int
	for i := range n {
		if call(i+1).status == 503 {
			hits = append(hits, i+1)
		}
	}
	return hits
}

func TestWhichCalls(t *testing.T) {
	fail := func(op Op) *Fault { return Fail(op, 503, "ServiceUnavailable") }
	tests := []struct {
		name  string
		fault *Fault
		want  []int
	}{
		{"the first", fail(OpUploadPart), []int{1}},
		{"the third", fail(OpUploadPart).Nth(3), []int{3}},
		{"two from the third on", fail(OpUploadPart).Nth(3).Times(2), []int{3, 4}},
		{"all", fail(OpUploadPart).Always(), []int{1, 2, 3, 4, 5, 6}},
		{"all from the fifth on", fail(OpUploadPart).Nth(5).Always(), []int{5, 6}},
		{"all of any operation", fail(AnyOp).Times(2), []int{1, 2}},
		{"another operation", fail(OpGetObject), nil},
		{"a part", fail(OpUploadPart).Part(4).Always(), []int{4}},
		{"the second of a part", fail(OpUploadPart).Part(4).Nth(2), nil},
		{"a bucket", fail(OpUploadPart).Bucket("media"), []int{1}},
		{"another bucket", fail(OpUploadPart).Bucket("other"), nil},
		{"a key", fail(OpUploadPart).Key("object"), []int{1}},
		{"another key", fail(OpUploadPart).Key("other"), nil},
		{"matches", fail(OpUploadPart).Match(func(r Request) bool { return r.PartNumber%2 == 0 }).Nth(2), []int{4}},
		{"all matches", fail(OpUploadPart).
			Match(func(r Request) bool { return r.PartNumber > 2 }).
			Match(func(r Request) bool { return r.Header.Get("X-Test") == "5" }), []int{5}},
		{"no probability", fail(OpUploadPart).Probability(0), nil},
		{"certainty", fail(OpUploadPart).Probability(1), []int{1, 2, 3, 4, 5, 6}},
		{"certainty, twice", fail(OpUploadPart).Probability(1).Times(2), []int{1, 2}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFaultTest(t, nil)
			f.Inject(test.fault)
			got := hits(f, 6, func(i int) reply {
				return f.do("PUT", f.part(i), "x", "X-Test", fmt.Sprint(i))
			})
			if !slices.Equal(got, test.want) {
				t.Errorf("hit the calls %v, want %v", got, test.want)
			}
			if test.fault.Count() != len(test.want) {
				t.Errorf("Count is %d, want %d", test.fault.Count(), len(test.want))
			}
		})
	}
}

func TestProbabilityIsReproducible(t *testing.T) {
	run := func(seed uint64, others int) string {
		f := newFaultTest(t, &Options{Seed: seed})
		for range others {
			f.Inject(Fail(OpListBuckets, 500, "InternalError"))
		}
		f.Inject(Fail(OpGetObject, 503, "ServiceUnavailable").Probability(0.5))
		return fmt.Sprint(hits(f, 40, func(int) reply { return f.do("GET", "/media/object", "") }))
	}
	first := run(1, 0)
	if again := run(1, 0); again != first {
		t.Errorf("the same seed hit %s, then %s", first, again)
	}
	if other := run(2, 0); other == first {
		t.Errorf("another seed hit the same calls %s", first)
	}
	if other := run(1, 1); other == first {
		t.Errorf("the second fault hit the same calls as the first would, %s", first)
	}
	if n := strings.Count(first, " "); n < 8 || n > 32 {
		t.Errorf("%d of 40 calls hit at even odds", n)
	}
}

func TestFaultsInjectedTogetherHitOneCallEach(t *testing.T) {
	f := newFaultTest(t, nil)
	f.Inject(Fail(OpUploadPart, 503, "ServiceUnavailable"), HTML(OpUploadPart, 502), Reset(OpUploadPart))
	for i, want := range []int{503, 502, 0, 200} {
		if r := f.do("PUT", f.part(2), "x"); r.status != want {
			t.Errorf("call %d: got %d, %v; want %d", i+1, r.status, r.err, want)
		}
	}
	f.AssertFired(t)
}

func TestAFaultThatACallNeverComesToIsNotSpent(t *testing.T) {
	f := newFaultTest(t, nil)
	delay := Delay(OpUploadPart, time.Millisecond).BeforeWork()
	f.Inject(delay)
	f.key.AccessKeyID = "nobody"
	f.do("PUT", f.part(2), "x") // is refused before its body is read
	if delay.Count() != 0 {
		t.Fatal("the fault hit a call that was refused before")
	}
	f.key = DefaultKey
	f.good("PUT", f.part(2), "x")
	f.AssertFired(t)
}

func TestInjectedFaultsDoNotChange(t *testing.T) {
	f := newFaultTest(t, nil)
	fault := Fail(OpUploadPart, 503, "ServiceUnavailable").Header("A", "1")
	f.Inject(fault)
	fault.Header("A", "2").Nth(5)
	if r := f.do("PUT", f.part(2), "x"); r.status != 503 || r.header.Get("A") != "1" {
		t.Errorf("got %d with A %q, want the fault as it was injected", r.status, r.header.Get("A"))
	}
}

// A recorder is a TB that keeps the errors it gets.
type recorder struct{ errors []string }

func (r *recorder) Helper() {}
func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

func TestAssertFired(t *testing.T) {
	f := newFaultTest(t, nil)
	fired, unfired := Fail(OpGetObject, 503, "ServiceUnavailable"), Reset(OpGetObject).Nth(7)
	f.Inject(fired, unfired)
	f.do("GET", "/media/object", "")
	f.do("GET", "/media/object", "")
	var r recorder
	f.AssertFired(&r)
	want := "osstest: the fault Reset(GetObject).BeforeBody().Nth(7) never fired; 2 calls matched it"
	if len(r.errors) != 1 || r.errors[0] != want {
		t.Errorf("got %q, want %q", r.errors, want)
	}
	if got := f.Unfired(); len(got) != 1 || got[0] != unfired {
		t.Errorf("Unfired is %v, want %v", got, unfired)
	}
	f.ClearFaults()
	f.AssertFired(t)
}

func TestFaultsPrintAsTheyAreWritten(t *testing.T) {
	for want, fault := range map[string]*Fault{
		`Fail(UploadPart, 503, ServiceUnavailable).BeforeWork().Nth(3)`: Fail(OpUploadPart, 503, "ServiceUnavailable").Nth(3),
		`Reset(AnyOp).InBody(65536).Part(7).Times(2)`:                   Reset(AnyOp).InBody(64 << 10).Part(7).Times(2),
		`Reset(CompleteMultipartUpload).AfterWork()`:                    LoseAnswer(OpCompleteMultipartUpload),
		`Disconnect(GetObject).InAnswer(half)`:                          Truncate(OpGetObject),
		`Disconnect(GetObject).InAnswer(20)`:                            Truncate(OpGetObject).InAnswer(20),
		`Delay(AnyOp, 50ms).AfterWork().Always()`:                       Delay(AnyOp, 50*time.Millisecond).Always(),
		`Hang(UploadPart).BeforeBody().Bucket("b").Key("k").Match(…)`:   Hang(OpUploadPart).Bucket("b").Key("k").Match(func(Request) bool { return true }),
		`SlowBody(UploadPart, 1000).Probability(0.5)`:                   SlowBody(OpUploadPart, 1000).Probability(0.5),
		`DropHeader(UploadPart, ETag, Date)`:                            DropHeader(OpUploadPart, "ETag", "Date"),
		`SetHeader(UploadPart, Via, "a proxy")`:                         SetHeader(OpUploadPart, "Via", "a proxy"),
		`ClockSkew(AnyOp, 20m0s).Always()`:                              ClockSkew(AnyOp, 20*time.Minute),
		`HTML(PutObject, 502).BeforeWork()`:                             HTML(OpPutObject, 502),
		`Redirect(PutObject, "http://other.example/").BeforeWork()`:     Redirect(OpPutObject, "http://other.example/"),
		`Fault(AnyOp)`: {},
	} {
		if got := fmt.Sprint(fault); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
