package checkpoint

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// slowEnv names the directory in which this program, run once more, adds parts while
// its disk takes longer for a transaction than it lives.
const slowEnv = "CHECKPOINT_TEST_SLOW"

// slowUpload is the child: it begins an upload, and then adds a part whenever a line
// comes in, which it answers once it has done so.
func slowUpload(dir string) {
	sys := hostSystem()
	stuck := false
	sys.commit = func(write func() error) error {
		if stuck {
			select {}
		}
		return write()
	}
	d, err := openDir(dir, sys)
	if err != nil {
		panic(err)
	}
	u, err := d.Open(context.Background(), testKey("child"))
	if err == nil {
		err = u.Begin(context.Background(), testRecord("child"))
	}
	stuck = true
	lines := bufio.NewScanner(os.Stdin)
	for n := 1; lines.Scan() && err == nil; n++ {
		err = u.Add(testPart(n))
		fmt.Println("added", n, err)
	}
	os.Exit(1)
}

func TestKilledWhileTheDiskIsSlow(t *testing.T) {
	for _, tt := range []struct {
		name   string
		rounds int // of parts, each more than 100 ms apart
	}{{"before the first group", 1}, {"while a group is written", 3}} {
		t.Run(tt.name, func(t *testing.T) {
			d := mustOpenDir(t, t.TempDir(), hostSystem())
			exe, err := os.Executable()
			must(t, err)
			cmd := exec.Command(exe)
			cmd.Env = append(os.Environ(), slowEnv+"="+d.Path())
			stdin, err := cmd.StdinPipe()
			must(t, err)
			stdout, err := cmd.StdoutPipe()
			must(t, err)
			must(t, cmd.Start())
			defer func() { _, _ = cmd.Process.Kill(), cmd.Wait() }()
			answers := bufio.NewReader(stdout)
			n := 0
			for range tt.rounds {
				for range 20 {
					n++
					_, err := fmt.Fprintln(stdin)
					must(t, err)
					line, err := answers.ReadString('\n')
					if err != nil || line != fmt.Sprintf("added %d <nil>\n", n) {
						t.Fatalf("child says %q, %v", line, err)
					}
				}
				// As long as is promised, and as long as a busy machine takes to run the child.
				time.Sleep(110 * time.Millisecond)
				for begin := time.Now(); time.Since(begin) < time.Minute; time.Sleep(time.Millisecond) {
					if handed, _ := readJournal(d.file(testKey("child")) + journalExt); len(handed) == n {
						break
					}
				}
			}
			must(t, cmd.Process.Kill())
			_ = cmd.Wait()
			entries, err := d.List(t.Context())
			if err != nil || len(entries) != 1 || entries[0].Parts != n {
				t.Errorf("List: %+v, %v, want one upload with %d parts", entries, err, n)
			}
			u := mustOpen(t, d, "child")
			if err := u.Damaged(); err != nil {
				t.Errorf("damaged: %v", err)
			}
			wantContent(t, u, "child", testParts(1, n))
			must(t, u.Close())
			u = mustOpen(t, d, "child")
			wantContent(t, u, "child", testParts(1, n))
			must(t, u.Remove())
			if files := filesIn(t, d.Path()); len(files) > 0 {
				t.Errorf("%v are left", files)
			}
		})
	}
}

func frames(t testing.TB, tag []byte, from uint64, parts ...Part) []byte {
	t.Helper()
	var b []byte
	for i, p := range parts {
		b = appendFrame(b, frame{from + uint64(i), [tagLen]byte(tag), p})
	}
	return b
}

// killed leaves an upload as a process that was killed does, with a journal of its own
// making.
func killed(t *testing.T, d *Dir, journal func(tag []byte, number uint64) []byte, parts ...Part) {
	t.Helper()
	u := mustBegin(t, d, "a", parts...)
	must(t, u.Flush(t.Context()))
	path, tag, number := u.file.path, u.file.tag, u.number
	must(t, u.Close())
	must(t, os.WriteFile(path+journalExt, journal(tag, number), 0o600))
}

func TestWhatAJournalAdds(t *testing.T) {
	other := testPart(2)
	other.CRC64, other.ETag = 5, "another"
	for _, tt := range []struct {
		name    string
		journal func(tag []byte, number uint64) []byte
		want    []Part
	}{
		{"nothing: it is empty", func([]byte, uint64) []byte { return nil }, testParts(1, 3)},
		{"parts that came later", func(tag []byte, n uint64) []byte { return frames(t, tag, n+1, testParts(4, 6)...) }, testParts(1, 6)},
		{"a part that came later once more", func(tag []byte, n uint64) []byte { return frames(t, tag, n+1, other) }, []Part{testPart(1), other, testPart(3)}},
		{"nothing of what a transaction has", func(tag []byte, n uint64) []byte { return frames(t, tag, n, other) }, testParts(1, 3)},
		{"nothing of another record", func(tag []byte, n uint64) []byte { return frames(t, []byte("else"), n+1, testPart(4)) }, testParts(1, 3)},
		{"what stands before a frame that was cut short", func(tag []byte, n uint64) []byte {
			b := frames(t, tag, n+1, testParts(4, 6)...)
			return b[:len(b)-1]
		}, testParts(1, 5)},
		{"what stands before a damaged frame", func(tag []byte, n uint64) []byte {
			b := frames(t, tag, n+1, testParts(4, 6)...)
			b[len(b)/2]++
			return b
		}, testParts(1, 4)},
		{"nothing: it is noise", func([]byte, uint64) []byte { return bytes.Repeat([]byte{0xFF}, 1000) }, testParts(1, 3)},
		{"nothing: the disk has only made room for it", func([]byte, uint64) []byte { return make([]byte, 1000) }, testParts(1, 3)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := mustOpenDir(t, t.TempDir(), hostSystem())
			killed(t, d, tt.journal, testParts(1, 3)...)
			u := mustOpen(t, d, "a")
			wantContent(t, u, "a", tt.want)
			mustAdd(t, u, testPart(7))
			must(t, u.Close())
			u = mustOpen(t, d, "a")
			wantContent(t, u, "a", append(slices.Clone(tt.want), testPart(7)))
			must(t, u.Close())
			if files := filesIn(t, d.Path()); len(files) != 1 {
				t.Errorf("after Close there are %v, want the record alone", files)
			}
		})
	}
}

// A record that takes the place of another, or of itself, takes nothing from its
// journal.
func TestBeginLeavesTheJournalBehind(t *testing.T) {
	d := mustOpenDir(t, t.TempDir(), hostSystem())
	var tag []byte
	var number uint64
	killed(t, d, func(t2 []byte, n uint64) []byte {
		tag, number = t2, n
		return frames(t, t2, n+1, testPart(4))
	}, testParts(1, 3)...)
	u := mustOpen(t, d, "a")
	must(t, u.Begin(t.Context(), testRecord("a")))
	mustAdd(t, u, testPart(9))
	must(t, u.Flush(t.Context()))
	if u.number <= number+1 {
		t.Errorf("frames continue after %d, want them after %d", u.number, number+1)
	}
	c := onDisk(t, u)
	if got := c.later([]frame{{number + 1, [tagLen]byte(tag), testPart(4)}}); len(got) > 0 {
		t.Errorf("a part of the earlier record counts: %+v", got)
	}
	must(t, u.Close())
}

// An added part is with the system in time also while the disk is at work.
func TestPartsAreHandedToTheSystemWithin50ms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sys := hostSystem()
		free := make(chan struct{})
		close(free)
		sys.commit = func(write func() error) error {
			<-free
			return write()
		}
		d := mustOpenDir(t, t.TempDir(), sys)
		u := mustBegin(t, d, "a")
		free = make(chan struct{})
		for _, n := range []int{5, 10} {
			mustAdd(t, u, testParts(n-4, n)...)
			time.Sleep(49 * time.Millisecond) // the next group would wait for this one
			synctest.Wait()
			c := onDisk(t, u)
			got, _ := readJournal(u.journal.path)
			if len(c.parts) > 0 || len(c.later(got)) != n {
				t.Errorf("%d parts in transactions and %d in the journal 49 ms after part %d", len(c.parts), len(c.later(got)), n)
			}
			if n == 10 && u.Slowest() != 49*time.Millisecond {
				t.Errorf("the disk has taken %v so far, want 49 ms", u.Slowest())
			}
			if n == 5 {
				time.Sleep(time.Millisecond)
				synctest.Wait() // the group is at work
			}
		}
		close(free)
		must(t, u.Close())
	})
}

// A journal that cannot be written is no reason not to upload.
func TestWithoutAJournal(t *testing.T) {
	sys := hostSystem()
	open := sys.openFile
	sys.openFile = func(name string, flag int, perm os.FileMode) (*os.File, error) {
		if len(name) > len(journalExt) && name[len(name)-len(journalExt):] == journalExt {
			return nil, errors.New("no more files")
		}
		return open(name, flag, perm)
	}
	synctest.Test(t, func(t *testing.T) {
		d := mustOpenDir(t, t.TempDir(), sys)
		u := mustBegin(t, d, "a", testParts(1, 300)...)
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
		if c := onDisk(t, u); len(c.parts) != 300 {
			t.Errorf("%d parts are on disk, want 300", len(c.parts))
		}
		must(t, u.Close())
	})
}

// A journal that was removed before anything was added to it is begun, not continued.
func TestJournalIsRemovedBeforeItIsWritten(t *testing.T) {
	d := mustOpenDir(t, t.TempDir(), hostSystem())
	killed(t, d, func(tag []byte, n uint64) []byte { return frames(t, tag, n+1, testPart(4)) }, testParts(1, 3)...)
	u := mustOpen(t, d, "a")
	must(t, os.Remove(u.journal.path))
	u.journal.mu.Lock()
	u.journal.write(frames(t, u.tag[:], u.number+1, testPart(5)))
	u.journal.mu.Unlock()
	if got, _ := readJournal(u.journal.path); len(got) != 1 {
		t.Errorf("the journal has %d frames, want the one that was written", len(got))
	}
	must(t, u.Remove())
}

// FuzzJournal looks for bytes that crash the reader of journals, or that it reads as
// other frames than were written.
func FuzzJournal(f *testing.F) {
	f.Add(frames(f, []byte("tagg"), 1, testParts(1, 3)...))
	f.Add(make([]byte, 100))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, size := readFrames(bytes.NewReader(data))
		if size > int64(len(data)) {
			t.Fatalf("%d bytes of %d are sound", size, len(data))
		}
		var again []byte
		for _, one := range got {
			again = appendFrame(again, one)
		}
		if frames, _ := readFrames(bytes.NewReader(again)); !slices.Equal(frames, got) {
			t.Errorf("%+v became %+v", got, frames)
		}
	})
}
