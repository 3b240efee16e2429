package hotfolder

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// An Entry is a file that was uploaded.
type Entry struct {
	Name    string    `json:"name"` // relative to the folder, with slashes
	Size    int64     `json:"size"`
	ModTime time.Time `json:"-"` // see entryLine
	Inode   uint64    `json:"inode,omitempty"`
	CRC64   uint64    `json:"crc64,string"`
	At      time.Time `json:"at"`
	After   After     `json:"after"`            // what was to happen to the source
	Forget  bool      `json:"forget,omitempty"` // the source is gone: the entry ends here
}

// Identity returns that of the file when it was uploaded.
func (e Entry) Identity() Identity { return Identity{e.Size, e.ModTime, e.Inode} }

// A Journal is the list of what is done, in a file. Each line is the CRC-32 of an entry, in
// hexadecimal digits, a space and the entry in JSON. Lines are appended and synced; a line
// that is damaged, by a loss of power while it was written, counts as not written. Only one
// process may have it open. Its methods are safe for use by many goroutines.
type Journal struct {
	path string

	mu      sync.Mutex
	f       *os.File
	end     int64 // of the last whole line
	entries map[string]Entry
	lines   int
	damaged int
	named   bool  // the name of the file is durable
	broken  error // a line may be there in part: nothing can be appended any more
}

// compactAfter is how many lines more than entries a journal may have.
const compactAfter = 1000

// OpenJournal opens the journal at path, which is made if it is not there.
func OpenJournal(path string) (*Journal, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("list of finished files: %w", err)
	}
	j := &Journal{path: path, f: f, entries: make(map[string]Entry)}
	if err := j.read(); err != nil {
		return nil, errors.Join(fmt.Errorf("list of finished files: %w", err), f.Close())
	}
	if j.named {
		return j, nil
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return nil, errors.Join(fmt.Errorf("list of finished files: %w", err), f.Close())
	}
	return j, nil
}

// read takes in what is there, and cuts off what follows the last whole line.
func (j *Journal) read() error {
	r := bufio.NewReader(j.f)
	var at int64
	for {
		line, err := r.ReadBytes('\n')
		at += int64(len(line))
		if err == io.EOF {
			if len(line) > 0 {
				j.damaged++
			}
			break
		}
		if err != nil {
			return err
		}
		e, ok := parseLine(line)
		if !ok {
			j.damaged++
			continue
		}
		j.end = at
		j.apply(e)
	}
	info, err := j.f.Stat()
	if err != nil {
		return err
	}
	j.named = info.Size() > 0 // it is written to only once its name is durable
	if info.Size() == j.end {
		return nil
	}
	return j.f.Truncate(j.end)
}

func (j *Journal) apply(e Entry) {
	j.lines++
	if e.Forget {
		delete(j.entries, e.Name)
	} else {
		j.entries[e.Name] = e
	}
}

// An entryLine is an Entry as it is written. Files may have times of years that JSON has no
// text for.
type entryLine struct {
	Entry
	Seconds     int64 `json:"mtime"`
	Nanoseconds int64 `json:"mtime_ns"`
}

func formatLine(e Entry) []byte {
	text, err := json.Marshal(entryLine{e, e.ModTime.Unix(), int64(e.ModTime.Nanosecond())})
	if err != nil {
		panic(err) // nothing in an Entry can fail
	}
	return fmt.Appendf(nil, "%08x %s\n", crc32.ChecksumIEEE(text), text)
}

func parseLine(line []byte) (e Entry, ok bool) {
	const head = 9
	line = bytes.TrimSuffix(line, []byte("\n"))
	if len(line) < head {
		return e, false
	}
	text := line[head:]
	if string(line[:head]) != fmt.Sprintf("%08x ", crc32.ChecksumIEEE(text)) {
		return e, false
	}
	var l entryLine
	if json.Unmarshal(text, &l) != nil || l.Name == "" {
		return e, false
	}
	e = l.Entry
	e.ModTime = time.Unix(l.Seconds, l.Nanoseconds)
	return e, true
}

// Done reports whether the file of this name was uploaded as it is now.
func (j *Journal) Done(name string, id Identity) bool {
	e, ok := j.Entry(name)
	return ok && e.Identity().Equal(id)
}

// Entry returns what is known of the file.
func (j *Journal) Entry(name string) (Entry, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	e, ok := j.entries[name]
	return e, ok
}

// Len returns how many files are listed, and how many lines could not be read.
func (j *Journal) Len() (entries, damaged int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.entries), j.damaged
}

// Add records that a file was uploaded. When it returns nil, that is durable.
func (j *Journal) Add(e Entry) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.appendLocked(e); err != nil {
		return err
	}
	if err := j.f.Sync(); err != nil { // what is on the disk is not known now
		j.broken = err
		return fmt.Errorf("list of finished files: %w", err)
	}
	j.apply(e)
	return nil
}

// Forget records that the source of a file is gone. An end of the process may undo it,
// which does no harm.
func (j *Journal) Forget(name string) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, ok := j.entries[name]; !ok {
		return nil
	}
	e := Entry{Name: name, Forget: true}
	if err := j.appendLocked(e); err != nil {
		return err
	}
	j.apply(e)
	return nil
}

func (j *Journal) appendLocked(e Entry) error {
	if j.broken != nil {
		if err := j.rewriteLocked(); err != nil {
			return fmt.Errorf("list of finished files: %w", err)
		}
	}
	line := formatLine(e)
	if _, err := j.f.WriteAt(line, j.end); err != nil {
		return fmt.Errorf("list of finished files: %w", err) // the next line is written over it
	}
	j.end += int64(len(line))
	return nil
}

// keepGone is how long entries of files that are gone are kept: a network folder that is
// not mounted looks empty.
const keepGone = 7 * 24 * time.Hour

// Compact writes the journal anew, if it has grown, without what was replaced and what was
// uploaded a week ago of files that are gone.
func (j *Journal) Compact(now time.Time, gone func(name string) bool) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.lines <= 2*len(j.entries)+compactAfter && j.broken == nil {
		return nil
	}
	for name, e := range j.entries {
		if now.Sub(e.At) > keepGone && gone(name) {
			delete(j.entries, name)
		}
	}
	if err := j.rewriteLocked(); err != nil {
		return fmt.Errorf("list of finished files: %w", err)
	}
	return nil
}

// rewriteLocked replaces the file by one that has the entries and nothing else. What was
// there before counts until the new file has its name.
func (j *Journal) rewriteLocked() error {
	var all bytes.Buffer
	for _, e := range slices.SortedFunc(maps.Values(j.entries), func(a, b Entry) int { return strings.Compare(a.Name, b.Name) }) {
		all.Write(formatLine(e))
	}
	temp := j.path + ".new"
	f, err := os.OpenFile(temp, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(all.Bytes())
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, ignoreMissing(os.Remove(temp)))
	}
	_ = j.f.Close() // on Windows an open file cannot be replaced
	err = os.Rename(temp, j.path)
	j.f, j.broken = nil, err
	f, openErr := os.OpenFile(j.path, os.O_RDWR, 0o600)
	if openErr != nil {
		j.broken = openErr
		return errors.Join(err, openErr)
	}
	j.f = f
	if err != nil {
		return err
	}
	j.end, j.lines = int64(all.Len()), len(j.entries)
	return syncDir(filepath.Dir(j.path))
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Close closes the file.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.f.Close()
}
