package transfer

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/vodupload/vodupload/upload/osstest"
)

// A rewritten source is overwritten in place when its byte at is read.
type rewritten struct {
	*fileSource
	at   int64
	once sync.Once
	t    *testing.T
}

func (s *rewritten) ReadAt(p []byte, off int64) (int, error) {
	n, err := s.fileSource.ReadAt(p, off)
	if off <= s.at && s.at < off+int64(n) {
		s.once.Do(func() {
			if err := os.WriteFile(s.path, data(int(s.state.Size), 2), 0o600); err != nil {
				s.t.Error(err)
			}
		})
	}
	return n, err
}

func TestNoObjectIsMadeOfTwoVersionsByOneRequest(t *testing.T) {
	const size = partSize - 1
	for _, at := range []int64{0, size / 2, size - 1} {
		r := newTestbed(t, size)
		past := time.Unix(1e9, 0)
		if err := os.Chtimes(r.path, past, past); err != nil {
			t.Fatal(err)
		}
		file := must(OpenFile(r.path)).(*fileSource)
		defer file.Close()
		if _, err := r.runSource(&rewritten{fileSource: file, at: at, t: t}); !errors.Is(err, ErrChanged) {
			t.Errorf("changed at byte %d: got %v, want %v", at, err, ErrChanged)
		}
		if err := r.server.WaitIdle(r.ctx); err != nil {
			t.Fatal(err)
		}
		if _, ok := r.server.Object(media, name); ok {
			t.Errorf("changed at byte %d: the object is there", at)
		}
	}
}

func TestOpenFSSeesChanges(t *testing.T) {
	at := time.Unix(1e9, 0)
	for _, tt := range []struct {
		name   string
		time   time.Time // of the file
		change func(fstest.MapFS)
		want   string // part of Check's error; empty: none
	}{
		{"nothing", at, func(fstest.MapFS) {}, ""},
		{"nothing, of one without a time", time.Time{}, func(fstest.MapFS) {}, ""},
		{"grown", at, func(m fstest.MapFS) { m["a"] = &fstest.MapFile{Data: []byte("bytes"), ModTime: at} }, "5 bytes, it had 4"},
		{"written", at, func(m fstest.MapFS) { m["a"] = &fstest.MapFile{Data: []byte("BYTE"), ModTime: at.Add(1)} }, "was written at"},
		{"in place, where the path shows nothing", at, func(m fstest.MapFS) {
			old := *m["a"]
			m["a"].ModTime = at.Add(1)
			m["a"] = &old
		}, "was written at"},
		{"removed", at, func(m fstest.MapFS) { delete(m, "a") }, "no longer there"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := fstest.MapFS{"a": {Data: []byte("byte"), ModTime: tt.time}}
			src := must(OpenFS(m, "a"))
			defer src.Close()
			tt.change(m)
			err := src.Check()
			if tt.want == "" && err != nil || tt.want != "" && (!errors.Is(err, ErrChanged) || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if touched, err := src.Touched(); !touched || err != nil {
				t.Errorf("touched %t, %v", touched, err)
			}
			if s := src.State(); (s.Fingerprint == "") == tt.time.IsZero() {
				t.Errorf("got state %+v, want a time or a fingerprint", s)
			}
		})
	}
}

// A file of os.DirFS is known as well as one of the system.
func TestOpenFSOfAFolder(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	if err := os.WriteFile(path, []byte("byte"), 0o600); err != nil {
		t.Fatal(err)
	}
	plain, inFS := must(OpenFile(path)), must(OpenFS(os.DirFS(dir), "a"))
	defer plain.Close()
	if plain.State() != inFS.State() {
		t.Errorf("got %+v, want %+v", inFS.State(), plain.State())
	}
	changeInPlace(t, path, 0, []byte("BYTE"))
	if touched, err := inFS.Touched(); !touched || err != nil {
		t.Errorf("touched %t, %v", touched, err)
	}
	if err := inFS.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenFS(os.DirFS(dir), "."); !errors.Is(err, ErrNotRegular) {
		t.Errorf("got %v, want ErrNotRegular", err)
	}
	if _, err := OpenFS(os.DirFS(dir), "none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want ErrNotExist", err)
	}
	if _, err := OpenFS(onlyReads{os.DirFS(dir)}, "a"); !errors.Is(err, ErrNoReadAt) {
		t.Errorf("got %v, want ErrNoReadAt", err)
	}
}

// onlyReads is a file system whose files can be read from their start on.
type onlyReads struct{ fs.FS }

func (o onlyReads) Open(name string) (fs.File, error) {
	f, err := o.FS.Open(name)
	return struct{ fs.File }{f}, err
}

// A later run is told that a PutObject was made whose answer nobody has.
func TestUnansweredPutIsKnownToALaterRun(t *testing.T) {
	r := newTestbed(t, partSize-1)
	r.object.ForbidOverwrite = true
	r.opts.Retry.Count = 0
	src := must(OpenFile(r.path))
	defer src.Close()
	session := r.service().NewSession(nil)
	run := func() (Result, error) { return session.Run(r.ctx, r.job(src)) }
	r.server.Inject(osstest.LoseAnswer(osstest.OpPutObject))
	if _, err := run(); err == nil || !session.putUnknown {
		t.Fatalf("got %v, outcome unknown %t; want an error, and true", err, session.putUnknown)
	}
	if res, err := run(); err != nil || !res.Verified {
		t.Errorf("got %+v, %v; want success, verified", res, err)
	}
	r.same()
	r.counts("Put 2, Head 1")
	session = r.service().NewSession(nil)
	if _, err := run(); err == nil || session.putUnknown {
		t.Errorf("got %v, outcome unknown %t; want a refusal that leaves nothing open", err, session.putUnknown)
	}
}
