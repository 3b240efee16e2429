package transfer

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
)

var someTime = time.Date(2026, 3, 1, 12, 0, 0, 1, time.UTC)

func TestWhatVouchesForRecordedBytes(t *testing.T) {
	file := checkpoint.Source{Size: 5, ModTime: someTime, Inode: 7, Device: 2, ChangeTime: someTime}
	named := checkpoint.Source{Size: 5, Fingerprint: "f"}
	for _, tt := range []struct {
		name    string
		rec     checkpoint.Source
		change  func(*checkpoint.Source)
		other   string // part of the reason why it cannot be the same; empty: it may be
		vouched bool
	}{
		{"a file as it was", file, func(*checkpoint.Source) {}, "", true},
		{"the same instant in another zone", file, func(s *checkpoint.Source) { s.ModTime = someTime.In(time.FixedZone("", 3600)) }, "", true},
		{"touched", file, func(s *checkpoint.Source) { s.ChangeTime = someTime.Add(1) }, "", false},
		{"mounted under another number", file, func(s *checkpoint.Source) { s.Device = 3 }, "", false},
		{"copied", file, func(s *checkpoint.Source) { s.Inode = 8 }, "", false},
		{"written a nanosecond later", file, func(s *checkpoint.Source) { s.ModTime = someTime.Add(1) }, "", false},
		{"larger", file, func(s *checkpoint.Source) { s.Size = 6 }, "5 bytes and is 6", false},
		{"without a change time in the record", checkpoint.Source{Size: 5, ModTime: someTime, Inode: 7, Device: 2}, func(s *checkpoint.Source) { s.ChangeTime = someTime }, "", false},
		{"of a system without change times", checkpoint.Source{Size: 5, ModTime: someTime, Inode: 7, Device: 2}, func(*checkpoint.Source) {}, "", false},
		{"of a system without inodes", checkpoint.Source{Size: 5, ModTime: someTime, ChangeTime: someTime}, func(*checkpoint.Source) {}, "", false},
		{"of a file system that tells a time only", checkpoint.Source{Size: 5, ModTime: someTime}, func(*checkpoint.Source) {}, "", false},
		{"of which nothing is known", checkpoint.Source{Size: 5}, func(*checkpoint.Source) {}, "", false},
		{"with the same fingerprint", named, func(*checkpoint.Source) {}, "", true},
		{"with another fingerprint", named, func(s *checkpoint.Source) { s.Fingerprint = "g" }, "fingerprint", false},
		{"with the same fingerprint and another size", named, func(s *checkpoint.Source) { s.Size = 4 }, "5 bytes and is 4", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			now := tt.rec
			tt.change(&now)
			if got := otherSource(tt.rec, now); (got == "") != (tt.other == "") || !strings.Contains(got, tt.other) {
				t.Errorf("cannot be the same because %q, want %q", got, tt.other)
			}
			if got := vouched(tt.rec, now); got != tt.vouched {
				t.Errorf("vouched for: %t, want %t", got, tt.vouched)
			}
		})
	}
}

// A write that comes after the bytes were read may get the change time that they had,
// as long as the clock of the file system has not ticked.
func TestRecordLeavesOutAChangeTimeThatMayBeGivenAgain(t *testing.T) {
	whole := someTime.Truncate(time.Second)
	for _, tt := range []struct {
		name    string
		changed time.Time
		after   time.Duration // the bytes are read
		kept    bool
	}{
		{"just now", someTime, 0, false},
		{"a moment ago", someTime, 20 * time.Millisecond, false},
		{"a clock tick ago", someTime, 21 * time.Millisecond, true},
		{"in the future", someTime, -time.Hour, false},
		{"a second ago, by a clock of whole seconds", whole, time.Second, false},
		{"two seconds ago, by a clock of whole seconds", whole, 2 * time.Second, false},
		{"longer ago, by a clock of whole seconds", whole, 2*time.Second + 1, true},
		{"never told", time.Time{}, 0, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := checkpoint.Source{Size: 5, ModTime: tt.changed, Inode: 7, Device: 2, ChangeTime: tt.changed}
			want := s
			if !tt.kept {
				want.ChangeTime = time.Time{}
			}
			if got := recorded(s, tt.changed.Add(tt.after)); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

// A stated source is bytes that say of themselves whatever they like.
type stated struct {
	*bytes.Reader
	state checkpoint.Source
	read  atomic.Int64
}

func newStated(b []byte, s checkpoint.Source) *stated {
	s.Size = int64(len(b))
	return &stated{Reader: bytes.NewReader(b), state: s}
}

func (s *stated) ReadAt(p []byte, off int64) (int, error) {
	n, err := s.Reader.ReadAt(p, off)
	s.read.Add(int64(n))
	return n, err
}

func (s *stated) State() checkpoint.Source { return s.state }
func (s *stated) Check() error             { return nil }
func (s *stated) Touched() (bool, error)   { return false, nil }
func (s *stated) Close() error             { return nil }

// becomes lets the object that the next runs make be of src.
func (r *testbed) becomes(src Source) Result {
	r.Helper()
	r.source = src
	res, err := r.run(r.ctx)
	if err != nil {
		r.Fatalf("got %v, want success", err)
	}
	want := must(io.ReadAll(io.NewSectionReader(src, 0, src.State().Size)))
	if !bytes.Equal(r.content(), want) {
		r.Error("the object differs from its source")
	}
	r.left(0, 0)
	return res
}

// Recorded parts that nothing vouches for count only if the source has their bytes.
func TestResumeComparesWhatNothingVouchesFor(t *testing.T) {
	film, other := data(fiveParts, 1), data(fiveParts, 2)
	inFS := func(b []byte) Source {
		return must(OpenFS(fstest.MapFS{"a": {Data: b, ModTime: someTime}}, "a"))
	}
	file := checkpoint.Source{ModTime: someTime, Inode: 7, Device: 2, ChangeTime: someTime}
	with := func(change func(*checkpoint.Source)) func(b []byte) Source {
		return func(b []byte) Source {
			s := file
			change(&s)
			return newStated(b, s)
		}
	}
	as := func(s checkpoint.Source) func(b []byte) Source {
		return func(b []byte) Source { return newStated(b, s) }
	}
	for _, tt := range []struct {
		name      string
		then, now func(b []byte) Source
	}{
		{"in a file system that tells only a time", inFS, inFS},
		{"on another disk", as(file), with(func(s *checkpoint.Source) { s.Device, s.Inode = 3, 8 })},
		{"restored under another inode", as(file), with(func(s *checkpoint.Source) { s.Inode, s.ChangeTime = 8, someTime.Add(time.Hour) })},
		{"restored with a coarser time", as(file), with(func(s *checkpoint.Source) { s.Inode, s.ModTime = 8, someTime.Truncate(time.Second) })},
		{"touched", as(file), with(func(s *checkpoint.Source) { s.ChangeTime = someTime.Add(time.Hour) })},
		{"with the same fingerprint", as(checkpoint.Source{Fingerprint: "constant"}), as(checkpoint.Source{Fingerprint: "constant"})},
		{"of which nothing is known", as(checkpoint.Source{}), as(checkpoint.Source{})},
	} {
		for _, denied := range []bool{false, true} {
			name := tt.name
			if denied {
				name += ", ListParts denied"
			}
			interrupted := func(t *testing.T) *testbed {
				r := newTestbed(t, fiveParts)
				r.source = tt.then(film)
				r.interrupt(2)
				if denied {
					r.deny("ListParts")
				}
				return r
			}
			t.Run(name+": the same bytes are not sent again", func(t *testing.T) {
				r := interrupted(t)
				if res := r.becomes(tt.now(film)); res.ResumedParts != 4 {
					t.Errorf("got %d parts resumed, want 4", res.ResumedParts)
				}
				r.sent(2)
				if w := r.seen.of(Warning); len(w) > 0 {
					t.Errorf("got warnings %v, want none", texts(w))
				}
			})
			t.Run(name+": other bytes are sent", func(t *testing.T) {
				r := interrupted(t)
				r.becomes(tt.now(other))
				r.sent(1, 2, 3, 4, 5)
				wantWarning(t, &r.seen, "4 of 4 recorded parts have other bytes")
			})
			t.Run(name+": one part has other bytes", func(t *testing.T) {
				r := interrupted(t)
				changed := bytes.Clone(film)
				changed[0]++
				r.becomes(tt.now(changed))
				r.sent(1, 2)
			})
		}
	}
}

func TestResumeReadsOnePartOfASourceWithAFingerprint(t *testing.T) {
	r := newTestbed(t, fiveParts)
	film := data(fiveParts, 1)
	r.source = newStated(film, checkpoint.Source{Fingerprint: "f"})
	r.interrupt(4)
	src := newStated(film, checkpoint.Source{Fingerprint: "f"})
	r.source = src
	if _, err := r.run(r.ctx); err != nil {
		t.Fatal(err)
	}
	if got := src.read.Load(); got != 2*partSize {
		t.Errorf("%d bytes were read, want those of the sample and of the part that was missing: %d", got, 2*partSize)
	}
}

// Parts of the second source are not taken for parts of the first when that is back,
// as after two disks were mounted in turns.
func TestResumeOfASourceThatComesBack(t *testing.T) {
	r := newTestbed(t, fiveParts)
	first := newStated(data(fiveParts, 1), checkpoint.Source{ModTime: someTime, Inode: 7, Device: 2, ChangeTime: someTime})
	second := newStated(data(fiveParts, 2), checkpoint.Source{ModTime: someTime, Inode: 7, Device: 3, ChangeTime: someTime})
	r.source = first
	r.interrupt(4, 5)
	r.source = second
	r.interrupt(5)
	r.becomes(first)
	r.sent(1, 2, 3, 4, 5)
}

// The whole way, with files of the system.
func TestResumeOfACopy(t *testing.T) {
	r := newTestbed(t, fiveParts)
	film := must(os.ReadFile(r.path))
	replace := func(b []byte) {
		info, next := must(os.Stat(r.path)), r.path+".next"
		err := errors.Join(os.WriteFile(next, b, 0o600),
			os.Chtimes(next, info.ModTime(), info.ModTime()), os.Rename(next, r.path))
		if err != nil {
			t.Fatal(err)
		}
	}
	r.interrupt(4, 5)
	replace(film)
	r.interrupt(5)
	r.sent()
	if e := must(r.store.List(r.ctx)); e[0].Parts != 4 {
		t.Errorf("the record has %d parts, want 4", e[0].Parts)
	}
	replace(data(fiveParts, 2))
	if res := r.ok(); res.ResumedParts != 0 {
		t.Errorf("got %d parts resumed, want none", res.ResumedParts)
	}
	r.counts("List 1, Part 5, Complete 1")
	r.left(0, 0)
}

// A folder as a file system tells of its files what the system does.
func TestResumeInAFolderReadsNothing(t *testing.T) {
	r := newTestbed(t, fiveParts)
	opened := func() Source { return must(OpenFS(os.DirFS(r.path[:strings.LastIndex(r.path, "/")]), "talk.mp4")) }
	waitForTick(t, r.path)
	r.source = opened()
	r.interrupt(2)
	now := opened()
	rec := must(r.store.List(r.ctx))[0].Record.Source
	if !vouched(rec, now.State()) {
		t.Errorf("%+v is not vouched for by %+v", rec, now.State())
	}
	r.becomes(now)
	r.sent(2)
}

// waitForTick waits until a file can be told from one that is written from now on.
func waitForTick(t *testing.T, path string) {
	for {
		info := must(os.Stat(path))
		s := stateOf(info)
		if s.ChangeTime.IsZero() {
			t.Skip("there are no change times here")
		}
		if !recorded(s, time.Now()).ChangeTime.IsZero() {
			return
		}
		time.Sleep(time.Millisecond)
	}
}
