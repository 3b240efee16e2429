package upload_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"

	"golang.org/x/sync/errgroup"

	"github.com/vodupload/vodupload/checkpoint/checkpointtest"
	"github.com/vodupload/vodupload/upload/osstest"
)

// A localFault goes wrong on this side of the connection, while a file is uploaded.
type localFault struct {
	name, what string
	set        func(*trial) // nil: this system cannot make it
}

// writeThroughMap maps a file into memory, writes to it, and returns what writes to it
// again. nil where it is not known that the client can notice it.
var writeThroughMap func(t *testing.T, path string) (again func())

// uploadStarved uploads files, of one part and of several, in a process that has so few
// descriptors left, up to their number, and returns what came of each. nil where a
// process cannot be limited.
var uploadStarved func(t *testing.T) [starvings][]string

const starvings = 3

var errTape = errors.New("tape torn")

func localFaults() []localFault {
	faults := []localFault{
		{"Reader: error", "Read returns an error before the last byte", brokenReader(func([]byte) (int, error) { return 0, errTape })},
		{"Reader: error with bytes", "Read returns an error together with the last byte", brokenReader(func([]byte) (int, error) { return 1, errTape })},
		{"Reader: unexpected EOF", "Read returns io.ErrUnexpectedEOF before the last byte, as the body of an answer does that was cut off", brokenReader(func([]byte) (int, error) { return 0, io.ErrUnexpectedEOF })},
		{"Reader: panic", "Read panics before the last byte", brokenReader(func([]byte) (int, error) { panic("torn") })},
		{"Reader: no progress", "Read returns neither bytes nor an error, 100 times in a row", brokenReader(func([]byte) (int, error) { return 0, nil })},
		{"Source: one read fails", "ReadAt returns an error, and the bytes when it is asked again", failingSource(1)},
		{"Source: each read fails", "ReadAt returns an error whenever it is asked for the second half", failingSource(1 << 30)},
		{"file: written to", "a byte changes", changed(func(f *os.File, size int64) error {
			_, err := f.WriteAt([]byte{'x'}, size/2)
			return err
		})},
		{"file: cut short", "the last byte is cut off", changed(func(f *os.File, size int64) error { return f.Truncate(size - 1) })},
		{"file: grows", "a byte is appended", changed(func(f *os.File, size int64) error { return f.Truncate(size + 1) })},
		{"claim: lost", "the process is stopped until its lease in a store that machines share has ended, right before a request with bytes", loseClaim},
		{"file: written to through a map", "a byte changes in a memory map (mmap) whose page was written to before the upload, too; on Linux", nil},
	}
	if writeThroughMap != nil {
		faults[len(faults)-1].set = func(r *trial) {
			r.copyFile()
			r.change(writeThroughMap(r.t, r.path))
		}
	}
	return faults
}

// brokenReader has the file come from a Reader that gives all bytes but the last, and then
// what rest returns. The Reader of the second upload is whole.
func brokenReader(rest readerFunc) func(*trial) {
	return func(r *trial) {
		data := must(os.ReadFile(r.path))
		whole := false
		r.reader = func() io.Reader {
			if whole {
				return bytes.NewReader(data)
			}
			whole = true
			return io.MultiReader(bytes.NewReader(data[:len(data)-1]), rest)
		}
	}
}

// failingSource returns an error so many times for bytes of the second half, until the
// fault is over.
func failingSource(times int32) func(*trial) {
	return func(r *trial) {
		data := must(os.ReadFile(r.path))
		var n atomic.Int32
		r.file.Source = &faulty{Reader: bytes.NewReader(data), fail: func(_, end int64) error {
			if !r.ended.Load() && end > int64(len(data)/2) && n.Add(1) <= times {
				return syscall.EIO
			}
			return nil
		}}
	}
}

// changed does something to the file during its upload.
func changed(change func(f *os.File, size int64) error) func(*trial) {
	return func(r *trial) {
		r.copyFile()
		r.change(func() {
			f := must(os.OpenFile(r.path, os.O_RDWR, 0))
			defer f.Close()
			if err := change(f, int64(r.size)); err != nil {
				r.t.Error(err)
			}
		})
	}
}

// change calls do right before a request with bytes of the file is sent.
func (r *trial) change(do func()) {
	m := r.meddle(r.scene.op, r.nth(), func(m *meddler, req *http.Request) (*http.Response, error) {
		do()
		return m.Transport.RoundTrip(req)
	})
	r.t.Cleanup(func() {
		if !m.struck.Load() {
			r.t.Errorf("the file never changed: no request %d of %s", r.nth(), r.scene.op)
		}
	})
}

// loseClaim stops the process past its lease.
func loseClaim(r *trial) {
	leases := checkpointtest.NewLeases()
	store := leases.Store("worker")
	r.store, r.opts.Checkpoints = store, store
	r.change(func() {
		store.Stop()
		leases.Advance(checkpointtest.LeaseTerm)
		store.Continue()
	})
}

// copyFile has the trial upload a copy of its own.
func (r *trial) copyFile() {
	r.path = filepath.Join(must(os.MkdirTemp(r.dir, "copy")), "file")
	writeFile(r.t, r.path, string(must(os.ReadFile(r.file.Path))))
	r.file.Path = r.path
}

var localScenes = []scene{
	{name: "in one part", op: osstest.OpPutObject, sizes: oneByPut},
	{name: "in parts", op: osstest.OpUploadPart, sizes: inParts},
}

// localOutcome uploads a file against one fault, and says what came of it.
func localOutcome(t *testing.T, dir string, s scene, f localFault, seed int) (text string) {
	synctest.Test(t, func(t *testing.T) { text = localOutcomeInBubble(t, dir, s, f, seed) })
	return text
}

func localOutcomeInBubble(t *testing.T, dir string, s scene, f localFault, seed int) string {
	s.size = s.sizes[seed-1]
	r := newTrial(t, dir, s, seed)
	defer r.close()
	f.set(r)
	cell := fmt.Sprintf("%s, %s, seed %d", s.name, f.name, seed)
	res, err := r.upload()
	text := r.describe(res, err) + wrapped(err)
	noSecret(t, cell, fmt.Sprintf("%v %+v %s", err, err, r.log.String()))
	if err != nil {
		if n := len(r.server.Objects(bucket)); n > 0 {
			t.Errorf("%s: there is an object after %s", cell, text)
		}
		if n := r.server.Count(osstest.OpAbortMultipartUpload); n > 0 {
			text += ", aborted"
		}
		r.over()
		if _, err := r.upload(); err != nil {
			t.Errorf("%s: the second upload failed after %s: %v", cell, text, err)
		}
	}
	if !bytes.Equal(r.content("o"), must(os.ReadFile(r.path))) {
		t.Errorf("%s: the object has other bytes after %s", cell, text)
	}
	return text + r.left(cell, s)
}

// wrapped says which cause of a local fault is found in an error.
func wrapped(err error) string {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return ", wraps io.ErrUnexpectedEOF"
	case errors.Is(err, io.ErrNoProgress):
		return ", wraps io.ErrNoProgress"
	case errors.Is(err, errTape), errors.Is(err, syscall.EIO):
		return ", wraps that error"
	case err != nil && strings.Contains(err.Error(), "panicked: torn (faults_local_test.go:"):
		return ", says the panic and its line"
	}
	return ""
}

// A localRow is a row of the table of local faults; without cells where this system
// cannot make the fault.
type localRow struct {
	name, what string
	cells      []string
}

// tryLocalFaults fills in the rows by the time that g has ended.
func tryLocalFaults(t *testing.T, dir string, g *errgroup.Group) []*localRow {
	var rows []*localRow
	for _, f := range localFaults() {
		row := &localRow{name: f.name, what: f.what}
		rows = append(rows, row)
		if f.set == nil {
			continue
		}
		row.cells = make([]string, len(localScenes))
		for i, s := range localScenes {
			g.Go(func() error {
				var seen []string
				for seed := 1; seed <= seeds; seed++ {
					if text := localOutcome(t, dir, s, f, seed); !slices.Contains(seen, text) {
						seen = append(seen, text)
					}
				}
				row.cells[i] = strings.Join(seen, "; or ")
				return nil
			})
		}
	}
	starved := []*localRow{
		{name: "process: no descriptor left", what: "it can open no file and no socket (EMFILE) until others are closed; on Unix"},
		{name: "process: one descriptor left", what: "it can open one file or socket"},
		{name: "process: two descriptors left", what: "it can open two"},
	}
	if uploadStarved != nil {
		g.Go(func() error {
			for n, cells := range uploadStarved(t) {
				starved[n].cells = cells
			}
			return nil
		})
	}
	return append(rows, starved...)
}

// drawLocalFaults writes the table. Rows that this system cannot make are those of page.
func drawLocalFaults(rows []*localRow, page string) string {
	var b strings.Builder
	b.WriteString(`
## Faults of the source and the process

Written by the same test: uploads as above, in one part and in 2, 4 and 5, of a Reader, a
Source and a file that something happens to meanwhile. A file changes right before a part
is sent. The process is one of its own, which uploads a file in one part and one in two.

- "fails": with that code; there is no object, and a second upload succeeds: with another
  Reader of the same bytes, with what the file has become
- "wraps": errors.Is finds it in the error of the file
- "aborted": the failure has aborted the upload at the server
- "waited": something could not be opened, which was logged, waited for and is no retry

| fault | what happens |`)
	for _, s := range localScenes {
		b.WriteString(" " + s.name + " |")
	}
	b.WriteString("\n|---|---|" + strings.Repeat("---|", len(localScenes)) + "\n")
	for _, row := range rows {
		begin := "| " + row.name + " | " + row.what + " |"
		if row.cells != nil {
			b.WriteString(begin + " " + strings.Join(row.cells, " | ") + " |\n")
			continue
		}
		for line := range strings.Lines(page) {
			if strings.HasPrefix(line, begin) {
				b.WriteString(line)
			}
		}
	}
	return b.String()
}
