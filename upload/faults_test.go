package upload_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/internal/memnet"
	"github.com/vodupload/vodupload/upload/internal/transfer"
	"github.com/vodupload/vodupload/upload/internal/wire"
	"github.com/vodupload/vodupload/upload/osstest"
)

var updatePages = flag.Bool("update-faults", false, "write FAULTS.md")

const faultsPage = "FAULTS.md"

// A scene is an operation that a fault strikes, and how an upload gets there.
type scene struct {
	name  string
	op    osstest.Op
	sizes [seeds]int // bytes of the file, by seed
	size  int        // bytes of the file of a trial
	// before brings the server and the store to where the fault is met.
	before func(*trial)
	// act is what is done against the fault, and says what came of it; nil: an upload.
	act func(*trial) string
}

// Each cell of the matrix is tried with a few seeds: with files of other sizes, other
// numbers of requests at a time, and other parts struck.
const seeds = 3

var (
	oneByPut = [seeds]int{1, 60 * kib, 100 * kib}
	inParts  = [seeds]int{150 * kib, 350 * kib, 450 * kib} // 2, 4 and 5
	parallel = [seeds]int{3, 1, 5}
)

var scenes = []scene{
	{name: "PutObject", op: osstest.OpPutObject, sizes: oneByPut},
	{name: "Initiate", op: osstest.OpInitiateMultipartUpload, sizes: inParts},
	{name: "UploadPart", op: osstest.OpUploadPart, sizes: inParts},
	{name: "Complete", op: osstest.OpCompleteMultipartUpload, sizes: inParts},
	{name: "ListParts, to resume", op: osstest.OpListParts, sizes: inParts, before: (*trial).interrupt},
	{name: "HEAD, after a lost Complete", op: osstest.OpHeadObject, sizes: inParts, before: func(r *trial) {
		r.server.Inject(osstest.LoseAnswer(osstest.OpCompleteMultipartUpload))
	}},
	{name: "Abort, of a canceled file", op: osstest.OpAbortMultipartUpload, sizes: inParts, act: (*trial).cancel},
	{name: "ListMultipartUploads, to sweep", op: osstest.OpListMultipartUploads, sizes: inParts, before: (*trial).interrupt, act: (*trial).sweepAnother},
}

// A kind of fault, and how it is made to strike the nth request of an operation.
type kind struct {
	name   string
	strike func(r *trial, op osstest.Op, nth int) (struck func() bool)
}

// requestKinds are the faults that strike requests: of the server and the network, which
// osstest makes, and of the HTTP client.
func requestKinds() (kinds []kind) {
	for _, k := range osstest.FaultKinds() {
		kinds = append(kinds, kind{k.Name, func(r *trial, op osstest.Op, nth int) func() bool {
			fault := k.New(op).Nth(nth)
			r.server.Inject(fault)
			return func() bool { return fault.Count() > 0 }
		}})
	}
	for _, k := range transportKinds {
		kinds = append(kinds, kind{k.name, func(r *trial, op osstest.Op, nth int) func() bool {
			return r.meddle(op, nth, k.odd).struck.Load
		}})
	}
	return kinds
}

// A trial is one upload that meets one fault.
type trial struct {
	testbed
	network   *memnet.Network
	transport *http.Transport
	file      upload.File
	path      string           // of what the object is to be
	reader    func() io.Reader // of each upload; nil: file has its source
	scene     scene
	seed      int
	size      int
	broken    bool        // the fault breaks a connection
	odd       *meddler    // between the HTTP client and transport; nil: there is none
	ended     atomic.Bool // the fault is over
	mu        sync.Mutex
	retry     int
	tokens    int
	log       logBuffer
}

// new returns a client. Without a Provider it has its first token from Init, and the
// others from the answer to OnTokenExpired.
func (r *trial) new(opts upload.Options) (*upload.Client, error) {
	if opts.Credentials == nil {
		opts.Callbacks.OnTokenExpired = func(c *upload.Client, _ upload.FileInfo) {
			if err := c.ResumeWithToken(must(r.token(r.ctx))); err != nil && !errors.Is(err, upload.ErrClosed) {
				r.t.Errorf("ResumeWithToken: %v", err)
			}
		}
	}
	c, err := upload.New(&opts)
	if err == nil && opts.Credentials == nil {
		err = c.Init(must(r.token(r.ctx)))
	}
	return c, err
}

// newTrial has a server and a network of its own. It belongs into a bubble of
// testing/synctest: what a fault leads to does not depend on how fast this machine is.
func newTrial(t *testing.T, dir string, s scene, seed int) *trial {
	ctx, cancel := context.WithTimeout(t.Context(), hangTimeout)
	t.Cleanup(cancel)
	r := &trial{testbed: testbed{t: t, ctx: ctx, dir: dir, store: checkpoint.NewMemory()}, scene: s, seed: seed, size: s.size}
	r.server = must(osstest.New(&osstest.Options{Buckets: []string{bucket}, Seed: uint64(seed)}))
	r.server.URL = "http://127.0.0.1:1"
	r.network = memnet.New()
	r.network.Set(memnet.Link{Delay: time.Millisecond})
	r.network.Serve("127.0.0.1:1", r.server)
	r.transport = wire.NewTransport(r.network.Host("laptop").DialContext)
	r.opts = upload.Options{
		HTTPClient:  &http.Client{Transport: r.transport},
		Credentials: sts.ProviderFunc(r.token), Checkpoints: r.store,
		PartSize: 100 * kib, RetryInterval: time.Millisecond,
		TokenWait: 10 * time.Second, Parallel: parallel[(seed-1)%seeds],
		Logger:    slog.New(slog.NewTextHandler(&r.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Callbacks: upload.Callbacks{OnRetry: func(*upload.Client, upload.FileInfo, upload.Retry) { r.count(&r.retry) }},
	}
	r.path = filepath.Join(dir, fmt.Sprint(s.size))
	r.file = upload.File{Path: r.path, Endpoint: r.server.URL, Bucket: bucket, Object: "o"}
	return r
}

// nth is which request of the operation the fault strikes.
func (r *trial) nth() int {
	if r.scene.op == osstest.OpUploadPart {
		return r.seed
	}
	return 1
}

// over ends the fault.
func (r *trial) over() {
	r.server.ClearFaults()
	if r.odd != nil {
		r.odd.disarm()
	}
	r.ended.Store(true)
}

func (r *trial) close() {
	r.transport.CloseIdleConnections()
	r.network.Close()
	r.server.Close()
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
	c, err := r.new(r.opts)
	if err != nil {
		return upload.Result{}, err
	}
	f := r.file
	if r.reader != nil {
		f.Reader = r.reader()
	}
	res, err := c.Upload(r.ctx, f)
	return res, errors.Join(err, c.Close())
}

// interrupt leaves an upload behind that lacks two parts, or one of two.
func (r *trial) interrupt() {
	sent := max(1, (r.size+100*kib-1)/(100*kib)-2)
	r.server.Inject(osstest.Hang(osstest.OpUploadPart).Nth(sent + 1).Always())
	ctx, stop := context.WithCancel(r.ctx)
	defer stop()
	opts := r.opts
	opts.Callbacks.OnProgress = func(_ *upload.Client, _ upload.FileInfo, uploaded, _ int64) {
		if uploaded >= int64(sent)*100*kib-50*kib { // the last part is a half one
			stop()
		}
	}
	c, err := r.new(opts)
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

// cancel cancels the file while parts of it are under way.
func (r *trial) cancel() string {
	hang := osstest.Hang(osstest.OpUploadPart).BeforeWork().Nth(2)
	r.server.Inject(hang)
	canceled := make(chan struct{})
	opts := r.opts
	opts.Callbacks.OnCanceled = func(*upload.Client, upload.FileInfo) { close(canceled) }
	c, err := r.new(opts)
	if err != nil {
		return err.Error()
	}
	defer c.Close()
	id, err := c.AddFile(r.file)
	if err = errors.Join(err, c.Start(r.ctx)); err != nil {
		return err.Error()
	}
	if !r.await(hang.Fired()) {
		return "no part is under way"
	}
	if err := c.CancelFile(id); err != nil {
		return err.Error()
	}
	if !r.await(canceled) {
		return "OnCanceled was not called"
	}
	return "canceled" + r.effortBehind(osstest.OpAbortMultipartUpload)
}

func (r *trial) await(come <-chan struct{}) bool {
	select {
	case <-come:
		return true
	case <-r.ctx.Done():
		return false
	}
}

// sweepAnother sweeps with a client that has another store than the one whose upload
// is left: only the server tells it of that.
func (r *trial) sweepAnother() string {
	found, err := r.sweep(checkpoint.NewMemory())
	var e *transfer.Error
	switch {
	case errors.As(err, &e):
		return "fails: " + cmp.Or(e.Code, upload.CodeClientException)
	case err != nil:
		return "fails: " + err.Error()
	case len(found) != 1 || !found[0].Aborted:
		return fmt.Sprintf("finds %d uploads", len(found))
	}
	return "ok" + r.effortBehind(osstest.OpListMultipartUploads)
}

func (r *trial) sweep(store checkpoint.Store) ([]upload.Leftover, error) {
	opts := r.opts
	opts.Checkpoints = store
	c, err := r.new(opts)
	if err != nil {
		return nil, err
	}
	found, err := c.Sweep(r.ctx, upload.SweepOptions{Endpoint: r.server.URL, Bucket: bucket, OlderThan: -1, OnlyThisMachine: true})
	return found, errors.Join(err, c.Close())
}

// outcome acts against one fault, and says what came of it; "–" if there is nothing in
// the operation that the fault could strike.
func outcome(t *testing.T, dir string, s scene, k kind, seed int, provider bool) (text string) {
	synctest.Test(t, func(t *testing.T) { text = outcomeInBubble(t, dir, s, k, seed, provider) })
	return text
}

func outcomeInBubble(t *testing.T, dir string, s scene, k kind, seed int, provider bool) string {
	s.size = s.sizes[seed-1]
	r := newTrial(t, dir, s, seed)
	defer r.close()
	if !provider {
		r.opts.Credentials = nil
	}
	if s.before != nil {
		s.before(r)
	}
	if strings.HasPrefix(k.name, "hang") {
		r.opts.StallTimeout = time.Second
	}
	r.broken = broken(k.name)
	wasStruck := k.strike(r, s.op, r.nth())
	act := s.act
	if act == nil {
		act = (*trial).uploads
	}
	text := act(r)
	cell := fmt.Sprintf("%s, %s, seed %d", s.name, k.name, seed)
	noSecret(t, cell, r.log.String()+text)
	if r.broken {
		text = strings.Replace(text, ", retried", "", 1)
	}
	struck := wasStruck()
	r.over()
	text += r.left(cell, s)
	if !struck && strings.HasPrefix(text, "fails") {
		t.Errorf("%s: failed without the fault: %s", cell, text)
	}
	if !struck {
		return "–"
	}
	return text
}

// uploads uploads the file. What failed continues once the trouble is over.
func (r *trial) uploads() string {
	res, err := r.upload()
	noSecret(r.t, r.file.Path, fmt.Sprintf("%v %+v %#v", err, err, res))
	text := r.describe(res, err)
	if err != nil {
		r.over()
		if _, err := r.upload(); err != nil {
			r.t.Errorf("the second upload failed after %s: %v", text, err)
		}
	}
	if !bytes.Equal(r.content("o"), must(os.ReadFile(r.path))) {
		r.t.Errorf("the object has other bytes after %s", text)
	}
	return text
}

// left says what a cell has left at the server, and has it swept. Only what was begun
// without its ID being known may stay, and what could not be listed or aborted.
func (r *trial) left(cell string, s scene) (text string) {
	uploads := r.server.Uploads(bucket)
	checkpoints := must(r.store.List(r.ctx))
	mayStay := s.op == osstest.OpInitiateMultipartUpload || s.act != nil
	switch {
	case len(uploads) > 1, len(uploads) > 0 && !mayStay:
		r.t.Errorf("%s: %d uploads stay at the server", cell, len(uploads))
	case len(uploads) == 1:
		text = ", one upload left for Sweep"
	}
	switch {
	case s.op == osstest.OpAbortMultipartUpload && len(checkpoints) != len(uploads):
		r.t.Errorf("%s: %d checkpoints of %d uploads are left", cell, len(checkpoints), len(uploads))
	case s.act == nil && len(checkpoints) > 0:
		r.t.Errorf("%s: %d checkpoints are left", cell, len(checkpoints))
	}
	if found, err := r.sweep(r.store); err != nil {
		r.t.Errorf("%s: Sweep found %v, and failed: %v", cell, found, err)
	}
	if uploads = r.server.Uploads(bucket); len(uploads) > 0 {
		r.t.Errorf("%s: %d uploads stay after Sweep", cell, len(uploads))
	}
	if checkpoints = must(r.store.List(r.ctx)); len(checkpoints) > 0 {
		r.t.Errorf("%s: %d checkpoints stay after Sweep", cell, len(checkpoints))
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
	text := "ok" + r.effort()
	if r.begunAnew() {
		text += ", started over"
	}
	if !res.Verified {
		text += ", not verified"
	}
	return text
}

// effort says what it took.
func (r *trial) effort() (text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.retry > 0 {
		text += ", retried"
	}
	if r.tokens > 1 {
		text += ", new token"
	}
	return text
}

// effortBehind says what it took where no callback tells: by the requests that the
// server got, or that the HTTP client has kept from it. Those that were refused for their time or their token were no retries.
// An operator hears of the others.
func (r *trial) effortBehind(op osstest.Op) (text string) {
	n := 0
	if r.odd != nil {
		n += int(r.odd.unsent.Load())
	}
	for _, q := range r.server.Requests(op) {
		switch q.Code {
		case "RequestTimeTooSkewed", "SecurityTokenExpired", "InvalidAccessKeyId":
		default:
			n++
		}
	}
	told := strings.Count(r.log.String(), `msg="retry of a clean-up"`)
	switch {
	case r.retry > 0:
		r.t.Errorf("OnRetry was called of %s", op)
	case told > n-1:
		r.t.Errorf("%d retries of %s were logged, the server got %d requests", told, op, n)
	case told == 0 && n > 1 && !r.broken:
		r.t.Errorf("the server got %d requests of %s, and no retry was logged", n, op)
	}
	if n > 1 {
		text += ", retried"
	}
	return text + r.effort()
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
// of it is the table in FAULTS.md. Without -long and without the race detector it runs each
// once, and the outcome has to be one of those in the table.
func TestFaultMatrix(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	src := newTestbed(t)
	src.dir = dir
	for _, size := range slices.Concat(oneByPut[:], inParts[:]) {
		src.file(fmt.Sprint(size), size)
	}
	want := string(must(os.ReadFile(faultsPage)))
	all := *long || raced || *updatePages // three times
	kinds := requestKinds()
	cells := make([][]string, len(kinds))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	var mu sync.Mutex
	rows := tryLocalFaults(t, dir, &g)
	for i, k := range kinds {
		cells[i] = make([]string, len(scenes))
		for j, s := range scenes {
			g.Go(func() error {
				var seen []string
				for seed := 1; seed <= seeds; seed++ {
					once := seed == 1+(i+j)%seeds
					if !all && !once {
						continue
					}
					text := outcome(t, dir, s, k, seed, true)
					if !slices.Contains(seen, text) {
						seen = append(seen, text)
					}
					if !once {
						continue
					}
					if asked := outcome(t, dir, s, k, seed, false); asked != text {
						t.Errorf("%s, %s, seed %d: %q without a Provider, %q with one", s.name, k.name, seed, asked, text)
					}
				}
				mu.Lock()
				defer mu.Unlock()
				cells[i][j] = strings.Join(seen, "; or ")
				if !all {
					cells[i][j] = onPage(want, k.name, j, cells[i][j])
				}
				return nil
			})
		}
	}
	_ = g.Wait()
	page := drawFaults(kinds, cells) + drawOutages(t) + drawLocalFaults(rows, want)
	if *updatePages {
		writeFile(t, faultsPage, page)
		return
	}
	if page != want {
		t.Errorf("%s is not what happens; see what differs, then: go test ./upload -run TestFaultMatrix -args -update-faults\n%s", faultsPage, firstDifference(page, want))
	}
}

func drawFaults(kinds []kind, cells [][]string) string {
	var b strings.Builder
	b.WriteString(`# What happens to an upload when something goes wrong

- No fault makes a wrong object: where it says "ok", the object is there, byte for byte.
- What may pass by itself is retried; what blames the request fails, with its code.
- A file that failed succeeds when it is uploaded again after the fault.
- Nothing stays, neither at the server nor of checkpoints, but what says "left for Sweep".
- A token that expires costs nothing, whether a Provider or OnTokenExpired brings the next.

Written by TestFaultMatrix, which uploads a file against each fault that osstest can
make, and against HTTP clients that break the rules, in each operation, three times: in 2,
4 and 5 parts, with 3, 1 and 5 requests at a time, with other parts hit. It does each
with Options.Credentials, and one of the three once more without, where only
OnTokenExpired asks for the next token; it fails where the two differ.

- "ok": the object is there, byte for byte
- "retried": OnRetry was called (it is not where a kept-alive connection broke, so for
  broken connections this is left out)
- "new token": another token was asked for
- "started over": with a new upload ID
- "not verified": the server returned no CRC64 of the object
- "fails": OnFailed with that code, after which a second upload of the same file succeeded
- "–": the operation has nothing that this fault could hit
- "one upload left for Sweep": a Sweep after the fault has removed it
- "canceled": CancelFile was called while parts were under way, and OnCanceled followed
- the last column: Client.Sweep looks for an upload that only the server knows of; "ok":
  it was aborted; "fails": Sweep returned that code
- in the last two columns no callback reports a retry: "retried" means that the server
  got the request again, and that Options.Logger got a warning
- "transport": the RoundTripper of Options.HTTPClient breaks the rules of net/http, once:
`)
	for _, k := range transportKinds {
		b.WriteString("  - " + strings.TrimPrefix(k.name, "transport: ") + ": it " + k.what + "\n")
	}
	b.WriteString("\n| fault |")
	for _, s := range scenes {
		b.WriteString(" " + s.name + " |")
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(scenes)) + "\n")
	for i, k := range kinds {
		b.WriteString("| " + k.name + " | " + strings.Join(cells[i], " | ") + " |\n")
	}
	return b.String()
}

// onPage returns what the page says of a fault in a scene, where the outcome is a part of
// that, and else the outcome.
func onPage(page, kind string, scene int, outcome string) string {
	for line := range strings.Lines(page) {
		row, ok := strings.CutPrefix(strings.TrimSuffix(line, " |\n"), "| "+kind+" | ")
		if !ok {
			continue
		}
		cells := strings.Split(row, " | ")
		if scene < len(cells) && slices.Contains(strings.Split(cells[scene], "; or "), outcome) {
			return cells[scene]
		}
	}
	return outcome
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
