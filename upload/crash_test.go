package upload_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

var (
	crashes   = flag.Int("crashes", 10, "how often TestCrash kills the uploading process")
	crashSeed = flag.Uint64("crash-seed", 1, "seed of TestCrash")
)

// crashEnv holds the work of an uploading process, as JSON.
const crashEnv = "VODUPLOAD_CRASH"

type crashWork struct {
	Checkpoints string
	Files       []upload.File
}

// crashChild is the process that is killed: it uploads the files and says which are
// done.
func crashChild() error {
	var w crashWork
	if err := json.Unmarshal([]byte(os.Getenv(crashEnv)), &w); err != nil {
		return err
	}
	store, err := checkpoint.OpenDir(w.Checkpoints)
	if err != nil {
		return err
	}
	defer store.Close()
	c, err := upload.New(&upload.Options{
		Credentials: sts.Static(defaultKey), Checkpoints: store,
		PartSize: 100 * kib, RetryInterval: 5 * time.Millisecond, RetryCount: 8,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
		Callbacks: upload.Callbacks{
			OnSucceeded: func(_ *upload.Client, f upload.FileInfo, _ upload.Result) { fmt.Println("done", f.Object) },
		},
	})
	if err != nil {
		return err
	}
	defer c.Close()
	for _, f := range w.Files {
		if _, err := c.AddFile(f); err != nil {
			return err
		}
	}
	if err := c.Start(context.Background()); err != nil {
		return err
	}
	return c.Wait(context.Background())
}

// A crashRun is a server, files on their way to it, and processes that are killed.
type crashRun struct {
	*testbed
	random      *rand.Rand
	checkpoints string
	batch       int
	left        map[string]upload.File // by object
	kills       int
	kept        map[partOf]bool // what a checkpoint had at a kill
}

// A partOf is a part of an upload.
type partOf struct {
	upload string
	number int
}

// TestCrash kills an uploading process at random instants and lets the next continue,
// until all files are there: identical, with nothing left at the server or on disk,
// without a part sent again that a checkpoint had, and without another upload of a file
// that had one. How soon an acknowledged part is in it is for the tests of checkpoint.
func TestCrash(t *testing.T) {
	t.Parallel()
	b := newTestbed(t)
	ctx, cancel := context.WithTimeout(t.Context(), hangTimeout+time.Duration(*crashes)*2*time.Second)
	defer cancel()
	b.ctx = ctx
	r := &crashRun{
		testbed: b, random: rand.New(rand.NewPCG(*crashSeed, 0)), checkpoints: t.TempDir(), kept: make(map[partOf]bool),
	}
	t.Logf("seed %d", *crashSeed)
	b.server.Inject(
		osstest.Delay(osstest.OpUploadPart, 10*time.Millisecond).Always(),
		osstest.Fail(osstest.AnyOp, 503, "ServiceUnavailable").Probability(0.02).Always(),
		osstest.Reset(osstest.AnyOp).InBody(2000).Probability(0.02).Always(),
		osstest.LoseAnswer(osstest.AnyOp).Probability(0.02).Always(),
	)
	r.fill()
	for r.kills < *crashes {
		r.round(r.random.IntN(100))
	}
	b.server.ClearFaults()
	r.round(math.MaxInt)
	r.check()
	r.sweep()
	if len(r.kept) == 0 {
		t.Error("no checkpoint had a part when a process was killed: the test looks at nothing")
	}
	t.Logf("%d kills, %d files, %d parts that were kept at a kill", r.kills, len(b.server.Objects(bucket)), len(r.kept))
	if left := b.server.Uploads(bucket); len(left) > 0 {
		t.Errorf("%d unfinished uploads are left at the server", len(left))
	}
	if left := must(os.ReadDir(r.checkpoints)); len(left) > 0 {
		t.Errorf("%d files are left in the directory of checkpoints, like %s", len(left), left[0].Name())
	}
}

// fill makes the next files.
func (r *crashRun) fill() {
	r.left = make(map[string]upload.File)
	r.batch++
	for i, size := range []int{0, 70 * kib, 150 * kib, 400 * kib, 1500 * kib, 4000*kib + 7, 9000 * kib} {
		f := r.file(fmt.Sprintf("batch%d/%d.mp4", r.batch, i), size)
		r.left[f.Object] = f
	}
}

// round lets a process upload what is left, and kills it in the middle of things once it
// has made so many requests.
func (r *crashRun) round(requests int) {
	r.t.Helper()
	if len(r.left) == 0 {
		r.fill()
	}
	work := crashWork{Checkpoints: r.checkpoints}
	for i := range 7 {
		if f, ok := r.left[fmt.Sprintf("in/batch%d/%d.mp4", r.batch, i)]; ok {
			work.Files = append(work.Files, f)
		}
	}
	begun := r.begun()
	r.server.ResetRequests()
	cmd := exec.CommandContext(r.ctx, must(os.Executable()))
	cmd.Env = append(os.Environ(), crashEnv+"="+string(must(json.Marshal(work))))
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out := must(cmd.StdoutPipe())
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	ctx, ended := context.WithCancel(r.ctx)
	after := time.Duration(r.random.Int64N(int64(30 * time.Millisecond)))
	var killer sync.WaitGroup
	killed := false // or about to be, when it ended by itself
	killer.Go(func() {
		if r.server.WaitRequests(ctx, requests) == nil {
			time.Sleep(after)
			killed = true
			_ = cmd.Process.Kill()
		}
	})
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if object, ok := strings.CutPrefix(lines.Text(), "done "); ok {
			r.check1(object)
			delete(r.left, object)
		}
	}
	err := cmd.Wait()
	ended()
	killer.Wait()
	for line := range strings.Lines(stderr.String()) {
		if !strings.Contains(line, "msg=retry") {
			r.t.Log(line)
		}
	}
	r.continued(begun)
	switch {
	case err != nil && killed:
		r.kills++
	case err != nil:
		r.t.Fatalf("the uploading process failed: %v\n%s", err, stderr.String())
	case len(r.left) > 0:
		r.t.Fatalf("the uploading process ended, and %d files are not there", len(r.left))
	}
}

// begun returns the uploads of which there is a checkpoint, by object, and takes note of
// the parts that it has. It looks at a copy: the next process finds what the last one left.
func (r *crashRun) begun() map[string]string {
	r.t.Helper()
	dir := filepath.Join(r.t.TempDir(), "copy")
	if err := os.CopyFS(dir, os.DirFS(r.checkpoints)); err != nil {
		r.t.Fatal(err)
	}
	store := must(checkpoint.OpenDir(dir))
	defer store.Close()
	ids := make(map[string]string)
	for _, e := range must(store.List(r.ctx)) {
		claim := must(store.Open(r.ctx, e.Record.Key))
		rec, parts, _ := claim.Load()
		ids[rec.Key.Object] = rec.UploadID
		for _, p := range parts {
			r.kept[partOf{rec.UploadID, p.Number}] = true
		}
		_ = claim.Close()
	}
	return ids
}

// continued fails the test if the process of this round has not gone on with what was begun.
func (r *crashRun) continued(begun map[string]string) {
	r.t.Helper()
	for _, q := range r.server.Requests(osstest.OpUploadPart) {
		if r.kept[partOf{q.UploadID, q.PartNumber}] {
			r.t.Errorf("part %d of %s was sent again, which the checkpoint had", q.PartNumber, q.Key)
		}
		if id := begun[q.Key]; id != "" && id != q.UploadID {
			r.t.Errorf("part %d of %s was sent to a new upload, and the checkpoint had one", q.PartNumber, q.Key)
		}
	}
}

func (r *crashRun) check1(object string) {
	r.t.Helper()
	r.same(r.left[object])
}

// check compares what no process reported because it was killed before it could.
func (r *crashRun) check() {
	for object := range r.left {
		r.check1(object)
	}
}

// sweep ends uploads that were begun in the instant before a kill: the server had
// made them, and nobody had yet written down that they are there.
func (r *crashRun) sweep() {
	store := must(checkpoint.OpenDir(r.checkpoints))
	r.opts.Checkpoints = store
	c := r.client()
	swept, err := c.Sweep(r.ctx, upload.SweepOptions{Endpoint: r.server.URL, Bucket: bucket, Prefix: "in/", OlderThan: -1, OnlyThisMachine: true})
	if err != nil {
		r.t.Error(err)
	}
	for _, l := range swept {
		if l.Parts > 0 {
			r.t.Errorf("an upload of %s with %d parts was left behind", l.Object, l.Parts)
		}
	}
	r.t.Logf("%d uploads were swept", len(swept))
	if err := errors.Join(c.Close(), store.Close()); err != nil {
		r.t.Error(err)
	}
}
