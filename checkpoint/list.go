package checkpoint

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/vodupload/vodupload/checkpoint/internal/filelock"
)

// List implements [Store]. Entries come in the order in which they were last
// written. Those that another process holds are read while it writes; in the rare
// case that this fails, the entry has an empty Record.
func (d *Dir) List(ctx context.Context) ([]Entry, error) {
	if d.isClosed() {
		return nil, ErrClosed
	}
	files, err := os.ReadDir(d.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fail("list", d.path, err)
	}
	var entries []Entry
	for _, file := range files {
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		if !file.Type().IsRegular() || !strings.HasSuffix(file.Name(), fileExt) {
			continue
		}
		if e, ok := entryOf(filepath.Join(d.path, file.Name())); ok {
			entries = append(entries, e)
		}
	}
	slices.SortStableFunc(entries, func(a, b Entry) int { return a.Saved.Compare(b.Saved) })
	return entries, nil
}

// entryOf returns the entry of the file at path, if there is one.
func entryOf(path string) (Entry, bool) {
	if u := inProcess.holder(path); u != nil {
		return u.entry()
	}
	f, err := os.Open(path)
	if err != nil {
		return Entry{}, false // removed meanwhile, or not for us to read
	}
	defer f.Close()
	free, err := filelock.Try(f, true)
	if err != nil {
		return Entry{}, false
	}
	if free {
		defer filelock.Unlock(f)
	}
	return readEntry(f, path, !free)
}

// readEntry reads a file, without its lock if it is in use: a transaction may fall
// into it, and makes it look damaged.
func readEntry(f *os.File, path string, inUse bool) (Entry, bool) {
	const tries = 3
	for range tries {
		info, err := f.Stat()
		if err != nil {
			return Entry{}, false
		}
		if !inUse && neverBegun(f, info.Size()) && time.Since(info.ModTime()) > unbegunKept && isAt(path, f) {
			_ = os.Remove(path) // its holder died before Begin
		}
		c, err := readContent(f, info.Size())
		if err == nil {
			frames, _ := readJournal(path + journalExt)
			return Entry{Record: c.rec, Parts: c.count(frames), Saved: info.ModTime(), InUse: inUse}, c.ok
		}
		if !inUse {
			return Entry{}, false
		}
	}
	return Entry{InUse: true, Saved: time.Now()}, true
}

// entry is what List returns of an upload that this process holds.
func (u *dirUpload) entry() (Entry, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	e := Entry{Record: u.state.rec, Parts: u.state.parts, InUse: true}
	if info, err := os.Stat(u.file.path); err == nil {
		e.Saved = info.ModTime()
	}
	return e, u.state.ok
}

// unbegunKept is how long List keeps a file that was claimed and never begun.
const unbegunKept = 24 * time.Hour
