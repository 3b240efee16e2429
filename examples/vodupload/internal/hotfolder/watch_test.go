package hotfolder

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// A box is where a test's uploads go.
type box struct {
	mu    sync.Mutex
	got   map[string][]string // what was uploaded, by name
	err   map[string]error
	hold  chan struct{}
	after func(path string) // runs at the end of each upload
}

var errFatal, errOfFile, errPassing = errors.New("fatal"), errors.New("of the file"), errors.New("passing")

func (b *box) upload(ctx context.Context, c Candidate, path string) (Outcome, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Outcome{}, err
	}
	if b.hold != nil {
		select {
		case <-b.hold:
		case <-ctx.Done():
			return Outcome{}, context.Cause(ctx)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.err[c.Name]; err != nil {
		if err == errPassing {
			delete(b.err, c.Name)
		}
		return Outcome{}, err
	}
	b.got[c.Name] = append(b.got[c.Name], string(text))
	if b.after != nil {
		b.after(path)
	}
	return Outcome{CRC64: sum(string(text)), Verified: true}, nil
}

func (b *box) all(name string) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.got[name])
}

func judge(err error) (Verdict, Failure) {
	switch {
	case errors.Is(err, errFatal):
		return Fatal, Failure{}
	case errors.Is(err, errOfFile):
		return OfFile, Failure{Object: "o", Code: "C", Error: err.Error()}
	}
	return Again, Failure{}
}

// options are quick ones.
func (b *box) options() *Options {
	b.got = make(map[string][]string)
	return &Options{
		Rules: Rules{Settle: 90 * time.Millisecond}, Poll: 30 * time.Millisecond, Once: true,
		Upload: b.upload, Judge: judge,
	}
}

func watchNow(t *testing.T, dir string, o *Options) error {
	t.Helper()
	j := openJournal(t, filepath.Join(t.TempDir(), "j"))
	return watchWith(t, dir, j, o)
}

func watchWith(t *testing.T, dir string, j *Journal, o *Options) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	return Watch(ctx, dir, j, o)
}

func TestWatchTakesEachFileOnce(t *testing.T) {
	dir := t.TempDir()
	want := map[string]string{"a.mov": "one", "b/c/d.mov": "two", "empty.mov": ""}
	for name, text := range want {
		write(t, filepath.Join(dir, name), text)
	}
	for _, name := range []string{"x.part", ".hidden", "~x", "failed/y.mov", ".d/z.mov"} {
		write(t, filepath.Join(dir, name), "no")
	}
	_ = os.Symlink(filepath.Join(dir, "a.mov"), filepath.Join(dir, "link.mov"))
	var b box
	j := openJournal(t, filepath.Join(t.TempDir(), "j"))
	for range 2 {
		if err := watchWith(t, dir, j, b.options()); err != nil {
			t.Fatal(err)
		}
		if len(b.got) == 0 {
			continue
		}
		for name, text := range want {
			if got := b.all(name); !slices.Equal(got, []string{text}) {
				t.Errorf("%s: got %q, want %q once", name, got, text)
			}
		}
		if len(b.got) != len(want) {
			t.Errorf("got %v", b.got)
		}
	}
	if len(b.got) != 0 {
		t.Errorf("a second run has uploaded %v", b.got)
	}
	write(t, filepath.Join(dir, "a.mov"), "another")
	if err := watchWith(t, dir, j, b.options()); err != nil || !slices.Equal(b.all("a.mov"), []string{"another"}) || len(b.got) != 1 {
		t.Errorf("after a change: error %v, uploaded %v", err, b.got)
	}
}

// list makes a file of which the journal says that it was uploaded.
func list(t *testing.T, j *Journal, dir, name string, after After) {
	t.Helper()
	write(t, filepath.Join(dir, name), name)
	id, _ := look(dir, name)
	e := Entry{Name: name, Size: id.Size, ModTime: id.ModTime, Inode: id.Inode, CRC64: sum(name), At: time.Now(), After: after}
	if err := j.Add(e); err != nil {
		t.Fatal(err)
	}
}

func TestWatchAfter(t *testing.T) {
	t.Run("delete", func(t *testing.T) {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "a/b.mov"), "one")
		write(t, filepath.Join(dir, "a/b.mov.ready"), "")
		var b box
		o := b.options()
		o.After, o.Rules.Trigger = Delete, []string{".ready"}
		if err := watchNow(t, dir, o); err != nil || len(names(t, dir)) != 0 || len(b.all("a/b.mov")) != 1 {
			t.Errorf("error %v, left %q, uploaded %v", err, names(t, dir), b.got)
		}
	})
	t.Run("move", func(t *testing.T) {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "a/b.mov"), "one")
		write(t, filepath.Join(dir, "done/a/b.mov"), "earlier")
		var b box
		o := b.options()
		o.After, o.MoveTo, o.Rules.Exclude = Move, filepath.Join(dir, "done"), []string{"done"}
		if err := watchNow(t, dir, o); err != nil || read(t, filepath.Join(dir, "done/a/b (2).mov")) != "one" || len(names(t, dir)) != 2 {
			t.Errorf("error %v, files %q", err, names(t, dir))
		}
	})
	t.Run("move to another file system, with the sidecar", func(t *testing.T) {
		dir, target := t.TempDir(), otherFileSystem(t)
		write(t, filepath.Join(dir, "a.mov"), "one")
		write(t, filepath.Join(dir, "a.mov.ready"), "now")
		var b box
		o := b.options()
		o.After, o.MoveTo, o.Rules.Trigger = Move, target, []string{".ready"}
		if err := watchNow(t, dir, o); err != nil || len(names(t, dir)) != 0 || read(t, filepath.Join(target, "a.mov.ready")) != "now" {
			t.Errorf("error %v, files %q and %q", err, names(t, dir), names(t, target))
		}
	})
	t.Run("what could not be moved: ErrStay, and the next run moves it", func(t *testing.T) {
		dir, other := t.TempDir(), t.TempDir()
		write(t, filepath.Join(dir, "a.mov"), "one")
		write(t, filepath.Join(other, "done"), "a file in the way")
		var b box
		o := b.options()
		o.After, o.MoveTo = Move, filepath.Join(other, "done")
		j := openJournal(t, filepath.Join(t.TempDir(), "j"))
		for range 2 {
			if err := watchWith(t, dir, j, o); !errors.Is(err, ErrStay) || read(t, filepath.Join(dir, "a.mov")) != "one" {
				t.Errorf("error %v, files %q", err, names(t, dir))
			}
		}
		if err := os.Remove(o.MoveTo); err != nil {
			t.Fatal(err)
		}
		if err := watchWith(t, dir, j, o); err != nil || len(names(t, dir)) != 0 || len(b.all("a.mov")) != 1 {
			t.Errorf("error %v, files %q, uploaded %v", err, names(t, dir), b.got)
		}
	})
	t.Run("what could not be moved is tried again, after longer and longer pauses", func(t *testing.T) {
		dir := t.TempDir()
		j := openJournal(t, filepath.Join(t.TempDir(), "j"))
		list(t, j, dir, "a.mov", Move)
		id, _ := look(dir, "a.mov")
		w := &watch{
			Options: Options{After: Move, Report: func(Report) {}}, dir: dir, journal: j,
			finished: make(map[string]bool), stays: make(map[string]stay),
		}
		w.folder = NewFolder(Rules{}, w.isDone)
		now := time.Now()
		for _, pause := range []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute} {
			w.uploaded(now, result{name: "a.mov", stay: errPassing, owed: true})
			now = now.Add(pause)
			if w.saw(now.Add(-time.Millisecond), "a.mov", id); len(w.owed) != 0 {
				t.Errorf("it is tried again before %v", pause)
			}
			if w.saw(now, "a.mov", id); len(w.owed) != 1 {
				t.Errorf("it is not tried again after %v", pause)
			}
			w.owed = nil
		}
	})
	t.Run("a file that changed during its upload is uploaded again", func(t *testing.T) {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "a.mov"), "one")
		var b box
		o := b.options()
		o.After = Delete
		b.after = func(path string) { b.after = nil; write(t, path, "another") }
		if err := watchNow(t, dir, o); err != nil || !slices.Equal(b.all("a.mov"), []string{"one", "another"}) || len(names(t, dir)) != 0 {
			t.Errorf("error %v, files %q, uploaded %v", err, names(t, dir), b.got)
		}
	})
	t.Run("what an earlier run could not delete is deleted, and not sent again", func(t *testing.T) {
		dir := t.TempDir()
		j := openJournal(t, filepath.Join(t.TempDir(), "j"))
		for n := range 40 { // more than are worked on at the same time
			list(t, j, dir, fmt.Sprintf("%d.mov", n), Delete)
		}
		list(t, j, dir, "left on purpose.mov", Leave)
		var b box
		o := b.options()
		o.After = Delete
		if err := watchWith(t, dir, j, o); err != nil || len(b.got) != 0 || !slices.Equal(names(t, dir), []string{"left on purpose.mov"}) {
			t.Errorf("error %v, uploaded %v, files %q", err, b.got, names(t, dir))
		}
	})
	t.Run("what is open for writing is deleted once it is closed", func(t *testing.T) {
		if runtime.GOOS != "linux" {
			t.Skip("not known here")
		}
		dir := t.TempDir()
		j := openJournal(t, filepath.Join(t.TempDir(), "j"))
		list(t, j, dir, "a.mov", Delete)
		f, err := os.OpenFile(filepath.Join(dir, "a.mov"), os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		var b box
		o := b.options()
		o.After = Delete
		o.Report = func(r Report) {
			if r.Kind == Rewatch {
				_ = f.Close()
			}
		}
		if err := watchWith(t, dir, j, o); err != nil || len(b.got) != 0 || len(names(t, dir)) != 0 {
			t.Errorf("error %v, uploaded %v, files %q", err, b.got, names(t, dir))
		}
	})
	t.Run("without a verified checksum it stays", func(t *testing.T) {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "a.mov"), "one")
		var b box
		o := b.options()
		o.After = Delete
		var stays error
		o.Report = func(r Report) {
			if r.Kind == Stays {
				stays = r.Err
			}
		}
		o.Upload = func(context.Context, Candidate, string) (Outcome, error) { return Outcome{}, nil }
		if err := watchNow(t, dir, o); err != nil || read(t, filepath.Join(dir, "a.mov")) != "one" || stays == nil {
			t.Errorf("error %v, files %q, report %v", err, names(t, dir), stays)
		}
	})
}

func TestWatchErrors(t *testing.T) {
	t.Run("of a file: it is in failed, with the reason", func(t *testing.T) {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "a/b.mov"), "one")
		write(t, filepath.Join(dir, "c.mov"), "two")
		var b box
		o := b.options()
		b.err = map[string]error{"a/b.mov": errOfFile}
		if err := watchNow(t, dir, o); err != nil || len(b.all("c.mov")) != 1 {
			t.Fatalf("error %v, uploaded %v", err, b.got)
		}
		var f Failure
		if err := json.Unmarshal([]byte(read(t, filepath.Join(dir, "failed/a/b.mov.error.json"))), &f); err != nil {
			t.Fatal(err)
		}
		if f.Name != "a/b.mov" || f.Code != "C" || f.Error != "of the file" || f.Size != 3 || f.At.IsZero() || read(t, filepath.Join(dir, "failed/a/b.mov")) != "one" {
			t.Errorf("failure %+v, files %q", f, names(t, dir))
		}
	})
	t.Run("that may pass: ErrUnfinished, and it stays", func(t *testing.T) {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "a.mov"), "one")
		var b box
		o := b.options()
		b.err = map[string]error{"a.mov": errPassing}
		if err := watchNow(t, dir, o); !errors.Is(err, ErrUnfinished) || read(t, filepath.Join(dir, "a.mov")) != "one" {
			t.Errorf("error %v", err)
		}
	})
	t.Run("of all: it ends, and all stay", func(t *testing.T) {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "a.mov"), "one")
		var b box
		o := b.options()
		b.err = map[string]error{"a.mov": errFatal}
		if err := watchNow(t, dir, o); !errors.Is(err, errFatal) || read(t, filepath.Join(dir, "a.mov")) != "one" {
			t.Errorf("error %v", err)
		}
	})
	t.Run("of the context: uploads end before Watch", func(t *testing.T) {
		defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
		dir := t.TempDir()
		write(t, filepath.Join(dir, "a.mov"), "one")
		b := box{hold: make(chan struct{})}
		o := b.options()
		o.Once = false
		ctx, cancel := context.WithCancelCause(t.Context())
		o.Report = func(r Report) {
			if r.Kind == Taken {
				cancel(errFatal)
			}
		}
		j := openJournal(t, filepath.Join(t.TempDir(), "j"))
		if err := Watch(ctx, dir, j, o); !errors.Is(err, errFatal) {
			t.Errorf("error %v, want the cause of the end", err)
		}
	})
	t.Run("of a folder that is not there", func(t *testing.T) {
		var b box
		o := b.options()
		o.Once = false
		ctx, cancel := context.WithCancel(t.Context())
		var trouble error
		o.Report = func(r Report) {
			if r.Kind == Trouble {
				trouble = r.Err
				cancel()
			}
		}
		_ = Watch(ctx, filepath.Join(t.TempDir(), "none"), openJournal(t, filepath.Join(t.TempDir(), "j")), o)
		if trouble == nil || !strings.Contains(trouble.Error(), "none") {
			t.Errorf("trouble is %v", trouble)
		}
	})
}

// With a long settle and a rare poll, only events can bring a file through in time.
func TestWatchHearsOfRenamesAndCloses(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("neither is reported here")
	}
	dir := t.TempDir()
	var b box
	o := b.options()
	o.Once, o.Poll, o.Rules.Settle = false, time.Hour, time.Hour
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan string, 10)
	started := make(chan struct{})
	o.Report = func(r Report) {
		switch r.Kind {
		case Started:
			close(started)
		case Done:
			done <- r.Name
		}
	}
	ended := make(chan error)
	j := openJournal(t, filepath.Join(t.TempDir(), "j"))
	go func() { ended <- Watch(ctx, dir, j, o) }()
	<-started
	expect := func(name string) {
		t.Helper()
		select {
		case got := <-done:
			if got != name {
				t.Errorf("%s was uploaded, want %s", got, name)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("%s was not uploaded", name)
		}
	}
	write(t, filepath.Join(dir, "a.mov.part"), "one")
	if err := os.Rename(filepath.Join(dir, "a.mov.part"), filepath.Join(dir, "a.mov")); err != nil {
		t.Fatal(err)
	}
	expect("a.mov")
	write(t, filepath.Join(dir, "b.mov"), "two")
	expect("b.mov")
	cancel()
	<-ended
}

func TestWatchLeavesWhatIsOpenForWriting(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("not known here")
	}
	dir := t.TempDir()
	f, err := os.Create(filepath.Join(dir, "a.mov"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	_, _ = f.WriteString("one")
	var b box
	o := b.options()
	again := 0
	o.Report = func(r Report) {
		if r.Kind == Rewatch {
			if again++; again == 2 {
				_, _ = f.WriteString(" two")
				_ = f.Close()
			}
		}
	}
	if err := watchNow(t, dir, o); err != nil || !slices.Equal(b.all("a.mov"), []string{"one two"}) {
		t.Errorf("error %v, uploaded %q", err, b.got)
	}
}

// A file that has changed when it should be deleted gets its name again, if it was set aside:
// that rename does not say that it is complete. All others do.
func TestWatchKnowsItsOwnRenames(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("renames are not reported here")
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.mov"), "one")
	put, _ := look(dir, "a.mov")
	other := put
	other.Inode++
	for name, tt := range map[string]struct {
		back  *Identity
		takes bool
	}{
		"of the file that was put back":           {&put, false},
		"of another file than was put back":       {&other, true},
		"of a file where none had been set aside": {nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			rules := Rules{Settle: time.Hour}.withDefaults()
			w := &watch{
				Options: Options{Rules: rules, Report: func(Report) {}}, dir: dir,
				folder: NewFolder(rules, func(string, Identity) bool { return false }), back: make(map[string]Identity),
			}
			w.uploaded(time.Now(), result{name: "a.mov", stay: ErrChanged, back: tt.back})
			w.handle(Event{Kind: Renamed, Name: "a.mov"})
			if ready := w.folder.Ready(time.Now()); len(ready) == 1 != tt.takes {
				t.Errorf("takes %v, want it: %v", ready, tt.takes)
			}
			if len(w.back) != 0 {
				t.Errorf("%v is left", w.back)
			}
		})
	}
}
