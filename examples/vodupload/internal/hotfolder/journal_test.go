package hotfolder

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func entry(i int) Entry {
	return Entry{Name: fmt.Sprintf("in/clip %d\n.mov", i), Size: int64(i), ModTime: at(float64(i)), Inode: uint64(i), CRC64: 1<<63 + uint64(i), At: at(1)}
}

func openJournal(t *testing.T, path string) *Journal {
	t.Helper()
	j, err := OpenJournal(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j
}

func TestJournalSurvivesAnEndAtEachByte(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "whole")
	j := openJournal(t, path)
	var ends []int
	for i := range 4 {
		if err := j.Add(entry(i)); err != nil {
			t.Fatal(err)
		}
		ends = append(ends, int(j.end))
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(whole) + 1 {
		want := 0
		for _, end := range ends {
			if end <= n {
				want++
			}
		}
		for name, tail := range map[string][]byte{"cut": nil, "zeros": make([]byte, len(whole)-n), "garbage": bytes.Repeat([]byte("x\n"), 40)} {
			// A new file each time: file systems sync one that is written anew.
			cut := filepath.Join(dir, fmt.Sprint(name, n))
			if err := os.WriteFile(cut, append(bytes.Clone(whole[:n]), tail...), 0o600); err != nil {
				t.Fatal(err)
			}
			j, err := OpenJournal(cut)
			if err != nil {
				t.Fatal(err)
			}
			if got, _ := j.Len(); got != want {
				t.Fatalf("%s after %d bytes: %d entries, want %d", name, n, got, want)
			}
			if n%40 != 0 {
				_ = j.Close()
				continue
			}
			if err := j.Add(entry(9)); err != nil {
				t.Fatal(err)
			}
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			again := openJournal(t, cut)
			if got, damaged := again.Len(); got != want+1 || damaged != 0 {
				t.Fatalf("%s after %d bytes, and one more entry: %d entries and %d damaged, want %d", name, n, got, damaged, want+1)
			}
			if !again.Done(entry(9).Name, entry(9).Identity()) {
				t.Fatal("the entry is not the one that was added")
			}
			_ = again.Close()
		}
	}
}

func TestJournalLosesOnlyTheDamagedLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	j := openJournal(t, path)
	for i := range 3 {
		if err := j.Add(entry(i)); err != nil {
			t.Fatal(err)
		}
	}
	text, _ := os.ReadFile(path)
	lines := bytes.SplitAfter(text, []byte("\n"))
	lines[1][20] ^= 1
	if err := os.WriteFile(path, bytes.Join(lines, nil), 0o600); err != nil {
		t.Fatal(err)
	}
	j = openJournal(t, path)
	if n, damaged := j.Len(); n != 2 || damaged != 1 || !j.Done(entry(0).Name, entry(0).Identity()) || !j.Done(entry(2).Name, entry(2).Identity()) {
		t.Errorf("%d entries and %d damaged, want the two others", n, damaged)
	}
}

func TestJournalKnowsOneStateOfAFile(t *testing.T) {
	j := openJournal(t, filepath.Join(t.TempDir(), "j"))
	e := entry(1)
	if err := j.Add(e); err != nil {
		t.Fatal(err)
	}
	for name, id := range map[string]Identity{
		"size": {e.Size + 1, e.ModTime, e.Inode}, "time": {e.Size, e.ModTime.Add(1), e.Inode}, "inode": {e.Size, e.ModTime, e.Inode + 1},
	} {
		if j.Done(e.Name, id) {
			t.Errorf("a file of another %s is done", name)
		}
	}
	if err := j.Forget(e.Name); err != nil || j.Done(e.Name, e.Identity()) {
		t.Errorf("a file that was forgotten is done (%v)", err)
	}
}

func TestJournalTakesAnyTime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	j := openJournal(t, path)
	times := []time.Time{time.Unix(1<<40, 999_999_999), time.Unix(-1<<40, 1), {}, time.Unix(0, 0)}
	for i, when := range times {
		e := entry(i)
		e.ModTime = when
		if err := j.Add(e); err != nil {
			t.Fatal(err)
		}
	}
	again := openJournal(t, path)
	for i, when := range times {
		e := entry(i)
		e.ModTime = when
		if !again.Done(e.Name, e.Identity()) {
			t.Errorf("a file of %v is not done", when)
		}
	}
}

func TestJournalIsCompacted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	j := openJournal(t, path)
	for i := range 3 {
		if err := j.Add(entry(i)); err != nil {
			t.Fatal(err)
		}
	}
	for range compactAfter {
		j.mu.Lock()
		err := j.appendLocked(entry(0))
		j.apply(entry(0))
		j.mu.Unlock()
		if err != nil {
			t.Fatal(err)
		}
	}
	before, _ := os.Stat(path)
	gone := func(name string) bool { return name == entry(1).Name }
	if err := j.Compact(at(2), gone); err != nil {
		t.Fatal(err)
	}
	if info, _ := os.Stat(path); info.Size() != before.Size() {
		t.Error("compacted too early")
	}
	for range 10 {
		j.lines++
	}
	if err := j.Compact(at(2), gone); err != nil {
		t.Fatal(err)
	}
	if info, _ := os.Stat(path); info.Size() >= before.Size()/100 {
		t.Errorf("%d bytes after, %d before", info.Size(), before.Size())
	}
	if n, _ := j.Len(); n != 3 {
		t.Errorf("%d entries, want those of files that are gone for a short time, too", n)
	}
	j.lines += 5 * compactAfter
	if err := j.Compact(at(1).Add(keepGone+time.Hour), gone); err != nil {
		t.Fatal(err)
	}
	if err := j.Add(entry(7)); err != nil {
		t.Fatal(err)
	}
	_ = j.Close()
	again := openJournal(t, path)
	if n, damaged := again.Len(); n != 3 || damaged != 0 || again.Done(entry(1).Name, entry(1).Identity()) {
		t.Errorf("%d entries, %d damaged, want the two that are there and the new one", n, damaged)
	}
}

func TestJournalWritesAgainWhatFailed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	j := openJournal(t, path)
	if err := j.Add(entry(1)); err != nil {
		t.Fatal(err)
	}
	_ = j.f.Close()
	if err := j.Add(entry(2)); err == nil || j.Done(entry(2).Name, entry(2).Identity()) {
		t.Fatalf("an entry that could not be written is done (%v)", err)
	}
	j.broken = os.ErrInvalid
	if err := j.Add(entry(3)); err != nil {
		t.Fatal(err)
	}
	again := openJournal(t, path)
	if n, _ := again.Len(); n != 2 {
		t.Errorf("%d entries, want that from before and that from after", n)
	}
}
