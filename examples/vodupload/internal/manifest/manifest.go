// Package manifest reads and writes lists of what was uploaded: one JSON object on each
// line, with where the bytes were, where they are, and their checksum.
//
//	{"path":"/films/talk.mp4","bucket":"media","object":"in/talk.mp4","size":1048577,
//	 "crc64":"9871262367192871","etag":"5B3C1A2E…-2","parts":2,"time":"2026-11-27T08:00:00Z"}
//
// (on one line). A line is written by one call, and a list that is opened again continues with
// a whole line, whatever ended the process that wrote it. Of several lines for an object the
// last counts.
package manifest

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unicode/utf8"
)

// A Line is one file that was uploaded.
type Line struct {
	Path     string    `json:"path"` // absolute; of what was no file, its name
	Endpoint string    `json:"endpoint,omitempty"`
	Bucket   string    `json:"bucket"`
	Object   string    `json:"object"`
	Size     int64     `json:"size"`
	CRC64    uint64    `json:"crc64,string"` // CRC-64/ECMA, in decimal digits as OSS writes it
	ETag     string    `json:"etag,omitempty"`
	Parts    int       `json:"parts,omitempty"`
	Time     time.Time `json:"time"`

	// PathBytes is a path that is not UTF-8, which JSON cannot have. Add sets it, and Read
	// has such a path in Path.
	PathBytes []byte `json:"path_bytes,omitempty"`
}

// A Writer appends lines to a file. Its methods may be called from any goroutine.
type Writer struct {
	hurried atomic.Bool

	mu  sync.Mutex
	f   *os.File
	err error // of a line that is there in part, perhaps
}

// ErrNoList is the error of Open for a file that has something else in it: nothing of it is
// changed.
var ErrNoList = errors.New("not a list of uploads, so it is left as it is")

// Open opens the list at path, which is made if it is not there. What an earlier process
// wrote of a line that it did not finish is cut off. Of a named pipe somebody has to be
// reading already.
func Open(path string) (*Writer, error) {
	flags := os.O_RDWR | os.O_CREATE | os.O_APPEND
	if info, err := os.Stat(path); err == nil && info.Mode()&fs.ModeNamedPipe != 0 {
		// Opened for reading, too, a pipe would never say that its reader is gone: lines were
		// lost, and once the pipe is full the upload would wait for ever.
		flags = os.O_WRONLY | syscall.O_NONBLOCK
	}
	f, err := os.OpenFile(path, flags, 0o666)
	if errors.Is(err, syscall.ENXIO) {
		return nil, fmt.Errorf("nobody reads the pipe %s: start its reader first", path)
	}
	if err != nil {
		return nil, err
	}
	if err := continueList(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &Writer{f: f}, nil
}

// continueList prepares a file for the first line. What is no list stays as it is.
func continueList(f *os.File) error {
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return err
	}
	if err := checkStart(io.NewSectionReader(f, 0, info.Size())); err != nil {
		return fmt.Errorf("%s: %w: %w", f.Name(), ErrNoList, err)
	}
	return cutTail(f, info.Size())
}

// checkStart returns an error unless r begins as a list does, or is empty.
func checkStart(r io.Reader) error {
	lines := bufio.NewReaderSize(r, longestLine)
	for {
		text, err := lines.ReadSlice('\n')
		switch {
		case err == io.EOF:
			if began := []byte(`{"path":"`); bytes.HasPrefix(text, began) || bytes.HasPrefix(began, text) {
				return nil // a first line that was cut off
			}
			return errors.New("its only line is none of a list")
		case errors.Is(err, bufio.ErrBufferFull):
			return fmt.Errorf("its first line is longer than %d bytes", longestLine)
		case err != nil:
			return err
		case len(bytes.TrimSpace(text)) > 0:
			_, err := parse(text)
			return err
		}
	}
}

// cutTail removes what follows the last end of a line.
func cutTail(f *os.File, size int64) error {
	const block = 64 << 10
	for end := size; end > 0; {
		from := max(0, end-block)
		buf := make([]byte, end-from)
		if _, err := f.ReadAt(buf, from); err != nil {
			return err
		}
		if i := bytes.LastIndexByte(buf, '\n'); i >= 0 || from == 0 {
			if whole := from + int64(i) + 1; whole < size {
				return f.Truncate(whole)
			}
			return nil
		}
		end = from
	}
	return nil
}

// Add appends a line. After an error nothing more is written: the list is not complete.
func (w *Writer) Add(l Line) error {
	if !utf8.ValidString(l.Path) {
		l.PathBytes = []byte(l.Path)
	}
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.hurried.Load() {
		w.wait()
	}
	if w.err == nil {
		_, w.err = w.f.Write(append(text, '\n'))
	}
	return w.err
}

// patience is how long a hurried Add waits for a pipe to be read.
const patience = time.Second

// Hurry has each Add, one that is under way too, fail when the pipe that it writes to is not
// read for a second: until then it waits for as long as that takes.
func (w *Writer) Hurry() {
	w.hurried.Store(true)
	w.wait()
}

func (w *Writer) wait() { _ = w.f.SetWriteDeadline(time.Now().Add(patience)) }

// Close makes the list durable and closes it. It returns the error of an earlier Add, too.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	syncErr := w.f.Sync()
	if info, err := w.f.Stat(); err == nil && !info.Mode().IsRegular() {
		syncErr = nil // a pipe
	}
	return cmp.Or(w.err, syncErr, w.f.Close())
}

// longestLine bounds what is read of one line: names are at most some kilobytes.
const longestLine = 64 << 10

// Read returns the lines of a list, for each object the last one, in the order in which
// the objects came first. The error names the line that is wrong, and why.
func Read(r io.Reader) ([]Line, error) {
	var all []Line
	at := make(map[[3]string]int)
	lines := bufio.NewReaderSize(r, longestLine)
	for n := 1; ; n++ {
		text, err := lines.ReadSlice('\n')
		switch {
		case err == io.EOF && len(text) == 0:
			return all, nil
		case errors.Is(err, bufio.ErrBufferFull):
			return nil, fmt.Errorf("line %d: longer than %d bytes, want one JSON object on each line", n, longestLine)
		case err == io.EOF:
			return nil, fmt.Errorf("line %d: cut off after %d bytes: the process that wrote it was ended there", n, len(text))
		case err != nil:
			return nil, err
		case len(bytes.TrimSpace(text)) == 0:
			continue
		}
		l, err := parse(text)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		key := [3]string{l.Endpoint, l.Bucket, l.Object}
		if i, ok := at[key]; ok {
			all[i] = l
			continue
		}
		at[key] = len(all)
		all = append(all, l)
	}
}

// parse reads one line.
func parse(text []byte) (l Line, err error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return l, fmt.Errorf("no JSON object: %w", err)
	}
	for _, name := range []string{"path", "bucket", "object", "size", "crc64"} {
		if fields[name] == nil {
			return l, fmt.Errorf("%q is missing", name)
		}
	}
	if err := json.Unmarshal(text, &l); err != nil {
		var typed *json.UnmarshalTypeError
		if errors.As(err, &typed) {
			return l, fmt.Errorf("%q: got a %s, want a %v", typed.Field, typed.Value, typed.Type)
		}
		return l, err
	}
	if len(l.PathBytes) > 0 {
		l.Path, l.PathBytes = string(l.PathBytes), nil
	}
	switch {
	case l.Path == "" || l.Bucket == "" || l.Object == "":
		return l, errors.New("path, bucket or object is empty")
	case l.Size < 0:
		return l, fmt.Errorf("\"size\": got %d, want 0 or more", l.Size)
	}
	return l, nil
}
