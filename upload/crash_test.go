package upload_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
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
	kills       []time.Time
	unheard     []*osstest.Fault // of which the client gets no answer
}

// TestCrash kills an uploading process at random instants and lets the next continue,
// until all files are there: identical, with nothing left at the server or on disk,
// and without a part sent again that was acknowledged more than 100 ms before a kill.
func TestCrash(t *testing.T) {
	t.Parallel()
	b := newTestbed(t)
	ctx, cancel := context.WithTimeout(t.Context(), hangTimeout+time.Duration(*crashes)*2*time.Second)
	defer cancel()
	b.ctx = ctx
	r := &crashRun{
		testbed: b, random: rand.New(rand.NewPCG(*crashSeed, 0)), checkpoints: t.TempDir(),
	}
	t.Logf("seed %d", *crashSeed)
	r.unheard = []*osstest.Fault{
		osstest.Reset(osstest.AnyOp).InBody(2000).Probability(0.02).Always(),
		osstest.LoseAnswer(osstest.AnyOp).Probability(0.02).Always(),
	}
	b.server.Inject(
		osstest.Delay(osstest.OpUploadPart, 10*time.Millisecond).Always(),
		osstest.Fail(osstest.AnyOp, 503, "ServiceUnavailable").Probability(0.02).Always(),
	)
	b.server.Inject(r.unheard...)
	r.fill()
	for len(r.kills) < *crashes {
		r.round(time.Duration(r.random.Int64N(int64(400 * time.Millisecond))))
	}
	b.server.ClearFaults()
	r.round(time.Hour)
	r.check()
	r.resent()
	r.sweep()
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

// round lets a process upload what is left, and kills it after a while.
func (r *crashRun) round(until time.Duration) {
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
	cmd := exec.CommandContext(r.ctx, must(os.Executable()))
	cmd.Env = append(os.Environ(), crashEnv+"="+string(must(json.Marshal(work))))
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out := must(cmd.StdoutPipe())
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	killed := make(chan error, 1)
	kill := time.AfterFunc(until, func() { killed <- cmd.Process.Kill() })
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if object, ok := strings.CutPrefix(lines.Text(), "done "); ok {
			r.check1(object)
			delete(r.left, object)
		}
	}
	err := cmd.Wait()
	for line := range strings.Lines(stderr.String()) {
		if !strings.Contains(line, "msg=retry") {
			r.t.Log(line)
		}
	}
	if !kill.Stop() && <-killed == nil {
		r.kills = append(r.kills, time.Now())
		return
	}
	if err != nil {
		r.t.Fatalf("the uploading process failed: %v\n%s", err, stderr.String())
	}
	if len(r.left) > 0 {
		r.t.Fatalf("the uploading process ended, and %d files are not there", len(r.left))
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

// resent fails the test if a part was sent again that had been acknowledged in good
// time before the process was killed, also under another upload ID.
func (r *crashRun) resent() {
	type partOf struct {
		upload string
		number int
	}
	acknowledged := make(map[partOf]time.Time)
	uploads := make(map[string]map[string]bool) // upload IDs of parts, by object
	again := 0
	for _, q := range r.server.Requests(osstest.OpUploadPart) {
		p := partOf{q.UploadID, q.PartNumber}
		at, ok := acknowledged[p]
		ok = ok && q.Start.After(at) // else the server was still busy with what a killed process had sent
		if ok && r.lived(at, q.Start) {
			r.t.Errorf("part %d of %s was acknowledged at %v, and sent again at %v", q.PartNumber, q.Key, at, q.Start)
		} else if ok {
			again++
		}
		if q.Status == 200 && !slices.Contains(r.unheard, q.Fault) {
			acknowledged[p] = q.Start.Add(q.Duration)
			if uploads[q.Key] == nil {
				uploads[q.Key] = make(map[string]bool)
			}
			uploads[q.Key][q.UploadID] = true
		}
	}
	parts := r.server.Count(osstest.OpUploadPart)
	if len(acknowledged) < parts/2 { // what was on its way when a process was killed does not count
		r.t.Errorf("only %d of %d parts count as acknowledged: the test looks at nothing", len(acknowledged), parts)
	}
	// A process that is killed when a file is done, and before anybody has heard of it,
	// leaves nothing to continue with: the next uploads that file once more.
	anew := 0
	for _, ids := range uploads {
		anew += len(ids) - 1
	}
	if anew > len(r.kills)/3 {
		r.t.Errorf("%d uploads were begun again in %d kills", anew, len(r.kills))
	}
	r.t.Logf("%d kills, %d files, %d parts, %d of them sent again within 100 ms, %d uploads begun again", len(r.kills), len(r.server.Objects(bucket)), parts, again, anew)
}

// lived reports whether there is no kill within 100 ms after the time at, and before
// the time then.
func (r *crashRun) lived(at, then time.Time) bool {
	for _, kill := range r.kills {
		if kill.After(at) && kill.Before(then) && kill.Sub(at) < 100*time.Millisecond {
			return false
		}
	}
	return true
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
