package transfer

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/wire"
)

// An unreadSource cannot be read.
type unreadSource struct{ Source }

var errUnread = errors.New("the source is not to be read")

func (unreadSource) ReadAt([]byte, int64) (int, error) { return 0, errUnread }

// huge200 is an upload of a file of 200 GB, almost all of it a hole, of which
// everything is recorded but the object is not yet made.
type huge200 struct {
	path   string
	dir    string
	plan   Plan
	record checkpoint.Record
	parts  []checkpoint.Part
	listed map[int]wire.Part
}

func newHuge200(t testing.TB) *huge200 {
	const size = 200 << 30
	h := &huge200{path: filepath.Join(t.TempDir(), "talk.mov"), dir: t.TempDir(), plan: must(NewPlan(size, 1<<20))}
	f := must(os.Create(h.path))
	if err := f.Truncate(size); err != nil {
		t.Skipf("no sparse files here: %v", err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	src := must(OpenFile(h.path))
	defer src.Close()
	if !vouched(src.State(), src.State()) {
		t.Skip("nothing vouches for a file here")
	}
	h.listed = make(map[int]wire.Part)
	for n := 1; n <= h.plan.Count; n++ {
		_, size := h.plan.Section(n)
		p := checkpoint.Part{Number: n, Size: size, ETag: "0123456789ABCDEF0123456789ABCDEF", CRC64: uint64(n)}
		h.parts = append(h.parts, p)
		h.listed[n] = wire.Part{Number: n, Size: size, ETag: p.ETag, CRC64: p.CRC64, HasCRC64: true}
	}
	h.record = checkpoint.Record{UploadID: "HUGE", PartSize: h.plan.PartSize, Started: time.Now(), Source: src.State()}
	return h
}

// store returns a directory with the record.
func (h *huge200) store(t testing.TB, key checkpoint.Key) *checkpoint.Dir {
	d := must(checkpoint.OpenDir(h.dir))
	up := must(d.Open(t.Context(), key))
	h.record.Key = key
	if err := up.Begin(t.Context(), h.record); err != nil {
		t.Fatal(err)
	}
	for _, p := range h.parts {
		if err := up.Add(p); err != nil {
			t.Fatal(err)
		}
	}
	if err := up.Close(); err != nil {
		t.Fatal(err)
	}
	return d
}

// resume takes the upload up as a new process would, and makes the object.
func (h *huge200) resume(t testing.TB, d *checkpoint.Dir, job *Job) Result {
	remote := newFake()
	remote.uploads["HUGE"] = h.listed
	res, err := runAt(t.Context(), NewService(Options{Checkpoints: d, PartSize: 1 << 20, Parallel: 5}), job, remote)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func (h *huge200) job(src Source) *Job {
	return &Job{Source: src, Name: h.path, Gate: newGate(key(1)), Slots: newSlots(5)}
}

func TestResumeOf200GBReadsNothing(t *testing.T) {
	h := newHuge200(t)
	src := unreadSource{must(OpenFile(h.path))}
	defer src.Close()
	job := h.job(src)
	d := h.store(t, job.key())
	defer d.Close()
	if res := h.resume(t, d, job); res.ResumedParts != h.plan.Count {
		t.Errorf("%d parts resumed, want all %d", res.ResumedParts, h.plan.Count)
	}
}

// BenchmarkResumeOf200GB opens the file and its checkpoint of about 10,000 parts,
// compares that with the server's list, and completes. The server costs nothing here.
func BenchmarkResumeOf200GB(b *testing.B) {
	h := newHuge200(b)
	for b.Loop() {
		b.StopTimer()
		job := h.job(nil)
		d := h.store(b, job.key())
		b.StartTimer()
		job.Source = must(OpenFile(h.path))
		h.resume(b, d, job)
		b.StopTimer()
		_, _ = job.Source.Close(), d.Close()
		b.StartTimer()
	}
}
