package upload_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

var updatePages = flag.Bool("update-faults", false, "write FAULTS.md anew")

const faultsPage = "FAULTS.md"

// A scene is an operation that a fault strikes, and how an upload gets there.
type scene struct {
	name string
	op   osstest.Op
	size int
	// before brings the server and the store to where the fault is met.
	before func(*trial)
}

var scenes = []scene{
	{"PutObject", osstest.OpPutObject, 60 * kib, nil},
	{"Initiate", osstest.OpInitiateMultipartUpload, 450 * kib, nil},
	{"UploadPart", osstest.OpUploadPart, 450 * kib, nil},
	{"Complete", osstest.OpCompleteMultipartUpload, 450 * kib, nil},
	{"ListParts, to resume", osstest.OpListParts, 450 * kib, (*trial).interrupt},
	{"HEAD, after a lost Complete", osstest.OpHeadObject, 450 * kib, func(r *trial) {
		r.server.Inject(osstest.LoseAnswer(osstest.OpCompleteMultipartUpload))
	}},
}

// A trial is one upload that meets one fault.
type trial struct {
	bench
	file   upload.File
	mu     sync.Mutex
	retry  int
	tokens int
	log    logBuffer
}

// newTrial has a server and a client of its own.
func newTrial(t *testing.T, dir string, s scene, seed int) *trial {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	r := &trial{bench: bench{t: t, ctx: ctx, dir: dir, store: checkpoint.NewMemory()}}
	r.server = osstest.NewServer(&osstest.Options{Buckets: []string{bucket}, Seed: uint64(seed)})
	r.opts = upload.Options{
		Credentials: sts.ProviderFunc(r.token), Checkpoints: r.store,
		PartSize: 100 * kib, RetryInterval: time.Millisecond,
		TokenWait: 10 * time.Second,
		Logger:    slog.New(slog.NewTextHandler(&r.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Callbacks: upload.Callbacks{OnRetry: func(*upload.Client, upload.FileInfo, upload.Retry) { r.count(&r.retry) }},
	}
	r.file = upload.File{Path: dir + "/" + fmt.Sprint(s.size), Endpoint: r.server.URL, Bucket: bucket, Object: "o"}
	return r
}

func (r *trial) count(n *int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	*n++
}

// token gives another token each time, as an app server does.
func (r *trial) token(context.Context) (sts.Credentials, error) {
	r.count(&r.tokens)
	r.mu.Lock()
	id := fmt.Sprintf("STS.%d", r.tokens)
	r.mu.Unlock()
	r.server.AddKey(osstest.Key{AccessKeyID: id, AccessKeySecret: secretOf(id), SecurityToken: tokenOf(id)})
	return sts.Credentials{AccessKeyID: id, AccessKeySecret: secretOf(id), SecurityToken: tokenOf(id)}, nil
}

// upload uploads the file with a client of its own.
func (r *trial) upload() (upload.Result, error) {
	c, err := upload.New(&r.opts)
	if err != nil {
		return upload.Result{}, err
	}
	res, err := c.Upload(r.ctx, r.file)
	return res, errors.Join(err, c.Close())
}

// interrupt leaves an upload with three parts behind.
func (r *trial) interrupt() {
	r.server.Inject(osstest.Hang(osstest.OpUploadPart).Nth(4).Always())
	ctx, stop := context.WithCancel(r.ctx)
	defer stop()
	opts := r.opts
	opts.Callbacks.OnProgress = func(_ *upload.Client, _ upload.FileInfo, uploaded, _ int64) {
		if uploaded >= 250*kib { // the last part is a half one
			stop()
		}
	}
	c, err := upload.New(&opts)
	if err != nil {
		r.t.Error(err)
		return
	}
	if _, err := c.Upload(ctx, r.file); !errors.Is(err, context.Canceled) {
		r.t.Errorf("interrupted upload: %v", err)
	}
	_ = c.Close()
	r.server.ClearFaults()
	r.server.ResetRequests()
	r.retry, r.tokens = 0, 0
}

// outcome uploads against one fault, and says what came of it; "–" if there is
// nothing in the operation that the fault could strike.
func outcome(t *testing.T, dir string, s scene, kind osstest.FaultKind, seed int) string {
	r := newTrial(t, dir, s, seed)
	defer r.server.Close()
	if s.before != nil {
		s.before(r)
	}
	if strings.HasPrefix(kind.Name, "hang") {
		r.opts.StallTimeout = time.Second
	}
	fault := kind.New(s.op)
	if s.op == osstest.OpUploadPart {
		fault.Nth(seed)
	}
	r.server.Inject(fault)
	res, err := r.upload()
	if fault.Count() == 0 {
		if err != nil {
			t.Errorf("%s, %s: failed without the fault: %v", s.name, kind.Name, err)
		}
		return "–"
	}
	noSecret(t, s.name+", "+kind.Name, r.log.String()+fmt.Sprintf("%v %+v %#v", err, err, res))
	text := r.describe(res, err)
	if broken(kind.Name) {
		text = strings.Replace(text, "ok, retried", "ok", 1)
	}
	if err != nil {
		// What failed goes on once the trouble is over.
		r.server.ClearFaults()
		if _, err := r.upload(); err != nil {
			t.Errorf("%s, %s: the second upload failed: %v", s.name, kind.Name, err)
		}
	}
	if !bytes.Equal(r.content("o"), must(os.ReadFile(r.file.Path))) {
		t.Errorf("%s, %s: the object has other bytes", s.name, kind.Name)
	}
	if left, _ := r.store.List(r.ctx); len(left) > 0 {
		t.Errorf("%s, %s: %d checkpoints are left", s.name, kind.Name, len(left))
	}
	return text
}

// broken reports whether the kind breaks a connection: whether that counts as a
// retry depends on whether the connection was new.
func broken(kind string) bool {
	for _, begin := range []string{"reset", "closed", "answer"} {
		if strings.HasPrefix(kind, begin) {
			return true
		}
	}
	return false
}

func (r *trial) describe(res upload.Result, err error) string {
	var e *upload.Error
	if errors.As(err, &e) {
		return "fails: " + e.Code
	}
	if err != nil {
		return "fails: " + err.Error()
	}
	text := "ok"
	if r.retry > 0 {
		text += ", retried"
	}
	if r.tokens > 1 {
		text += ", new token"
	}
	if r.begunAnew() {
		text += ", begun anew"
	}
	if !res.Verified {
		text += ", not verified"
	}
	return text
}

// begunAnew reports whether parts of more than one upload were sent.
func (r *trial) begunAnew() bool {
	ids := make(map[string]bool)
	for _, q := range r.server.Requests(osstest.OpUploadPart, osstest.OpListParts) {
		ids[q.UploadID] = true
	}
	return len(ids) > 1
}

// TestFaultMatrix runs an upload against every fault in every operation. What comes
// of it is the table in FAULTS.md.
func TestFaultMatrix(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	src := newBench(t)
	src.dir = dir
	for _, s := range scenes {
		src.file(fmt.Sprint(s.size), s.size)
	}
	kinds := osstest.FaultKinds()
	cells := make([][]string, len(kinds))
	var g errgroup.Group
	g.SetLimit(64) // most of them wait
	var mu sync.Mutex
	for i, kind := range kinds {
		cells[i] = make([]string, len(scenes))
		for j, s := range scenes {
			g.Go(func() error {
				var seen []string
				for seed := 1; seed <= 3; seed++ {
					if text := outcome(t, dir, s, kind, seed); !slices.Contains(seen, text) {
						seen = append(seen, text)
					}
				}
				mu.Lock()
				defer mu.Unlock()
				cells[i][j] = strings.Join(seen, "; or ")
				return nil
			})
		}
	}
	_ = g.Wait()
	page := drawFaults(kinds, cells)
	if *updatePages {
		writeFile(t, faultsPage, page)
		return
	}
	if want := string(must(os.ReadFile(faultsPage))); page != want {
		t.Errorf("%s is not what happens; see what differs, then: go test ./upload -run TestFaultMatrix -args -update-faults\n%s", faultsPage, firstDifference(page, want))
	}
}

func drawFaults(kinds []osstest.FaultKind, cells [][]string) string {
	var b strings.Builder
	b.WriteString(`# What becomes of an upload when something goes wrong

Written by TestFaultMatrix, which uploads a file against each fault that
osstest can make, in each operation, three times with other parts struck. "ok": the
object is there, byte for byte; "retried": OnRetry was called (it is not where a
kept-alive connection broke, so for broken connections this is left out); "begun anew": with a
new upload ID; "fails": OnFailed with that code, after which a second upload of the
same file succeeded and left nothing behind; "–": the operation has nothing that this
fault could strike.

| fault |`)
	for _, s := range scenes {
		b.WriteString(" " + s.name + " |")
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(scenes)) + "\n")
	for i, kind := range kinds {
		b.WriteString("| " + kind.Name + " | " + strings.Join(cells[i], " | ") + " |\n")
	}
	return b.String()
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range g {
		if i >= len(w) || g[i] != w[i] {
			return fmt.Sprintf("line %d is\n%s\nwant\n%s", i+1, g[i], strings.Join(w[min(i, len(w)):min(i+1, len(w))], ""))
		}
	}
	return "the page has lines too many"
}
