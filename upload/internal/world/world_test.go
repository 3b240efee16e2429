package world

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/internal/memnet"
	"github.com/vodupload/vodupload/upload/osstest"
)

// A world is a server, a network, a store of checkpoints, a source of tokens, and one
// process after the other, in one bubble.
type world struct {
	s      schedule
	ctx    context.Context
	start  time.Time
	net    *memnet.Network
	server *osstest.Server
	store  *checkpoint.Memory
	tokens *tokens
	tap    *wiretap
	faults []*osstest.Fault
	files  []*file
	links  map[eventKind]int // troubles of the network that last
	stuck  counter           // objects whose bytes are not taken

	// lateFlips are objects whose altered bytes were stored when nobody waited for the
	// answer any more: perhaps after the right ones. No client can know of that, and where
	// TLS carries the bytes, none are altered.
	lateFlips counter

	// p is the process of now; nil: there is none. Only the schedule's goroutine uses it.
	p         *process
	processes []*process
	wg        sync.WaitGroup // calls that the schedule does not wait for

	mu         sync.Mutex
	flips      int // bodies still to be altered
	spans      []span
	calm       time.Time // since when everything has been well; zero: it is not yet
	violations []string
}

// run lives through a schedule, and returns what was not as it was promised. It is called
// in a bubble.
func run(t *testing.T, s schedule) []string {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w := &world{
		s: s, ctx: ctx, start: time.Now(), net: memnet.New(), store: checkpoint.NewMemory(),
		links: make(map[eventKind]int), stuck: counter{n: make(map[string]int)}, lateFlips: counter{n: make(map[string]int)},
	}
	w.tap = &wiretap{w: w, uploads: make(map[string]*known), strikes: make(map[call]int)}
	w.tokens = &tokens{w: w, life: s.Setup.TokenLife}
	for i, spec := range s.Setup.Files {
		w.files = append(w.files, newFile(i, spec))
	}
	w.openServer()
	w.setLink()
	w.boot()
	stop := w.watch()
	for _, a := range s.actions() {
		time.Sleep(a.at - time.Since(w.start))
		w.act(a)
	}
	w.finish()
	stop()
	w.wg.Wait()
	w.net.Close()
	w.server.Close()
	return w.violations
}

// violated records that something was not as it was promised. The first few are enough.
func (w *world) violated(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	const enough = 5
	if len(w.violations) < enough {
		at := time.Since(w.start).Round(time.Millisecond)
		w.violations = append(w.violations, fmt.Sprintf("at %v: %s", at, fmt.Sprintf(format, args...)))
	}
}

// trace logs a step, where that was asked for.
func (w *world) trace(format string, args ...any) {
	if *traced {
		fmt.Printf("%10v  %s\n", time.Since(w.start).Round(time.Millisecond), fmt.Sprintf(format, args...))
	}
}

// within calls fn, which may take as long as bound.
func (w *world) within(what string, bound time.Duration, fn func()) {
	began := time.Now()
	fn()
	if took := time.Since(began); took > bound {
		w.violated("%s took %v, want %v at most", what, took, bound)
	}
}

func (w *world) fileOf(info upload.FileInfo) *file {
	for _, f := range w.files {
		if info.Path == "memory/"+f.object() {
			return f
		}
	}
	panic("no file " + info.Path)
}

// isWanted reports whether a new process uploads the file.
func (w *world) isWanted(f *file) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !f.done && !f.canceled && !f.deleted && f.spec.Kind != direct
}

func (w *world) set(f *file, change func(*file)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change(f)
}

func (w *world) fileEnded(info upload.FileInfo) {
	w.set(w.fileOf(info), func(f *file) { f.ended = append(f.ended, time.Now()) })
}

// act carries out the beginning or the end of an event.
func (w *world) act(a action) {
	w.note(a)
	w.trace("event (end: %t): %v", a.end, a.ev)
	k := a.ev.Kind
	switch {
	case k <= strand:
		w.disturb(a)
	case k <= otherClock:
		w.fault(a)
	case k == expire:
		w.tokens.expire()
	case k == noTokens && !a.end:
		w.tokens.expire()
		w.tokens.serve(false)
	case k == noTokens:
		w.tokens.serve(true)
		if w.p != nil {
			w.p.tokensAreBack()
		}
	case k == restart, k == kill:
		w.end(a)
	case w.p == nil:
		w.markOnly(a)
	default:
		w.command(a)
	}
}

// disturb changes the network.
func (w *world) disturb(a action) {
	switch k := a.ev.Kind; k {
	case cut:
		w.net.Cut()
	case strand:
		w.net.Strand()
	default:
		if a.end {
			w.links[k]--
		} else {
			w.links[k]++
		}
		w.setLink()
		if !a.end && (k == refuse || k == noNames) {
			w.net.Cut()
		}
	}
}

// slowest is the rate that no trouble goes below: the client takes less than 1 KiB/s for
// a connection that is dead.
const slowest = 2 * kib

func (w *world) setLink() {
	u := w.s.Setup
	l := memnet.Link{Delay: u.Delay, Rate: u.Rate}
	if w.links[slow] > 0 {
		l.Rate = max(slowest, l.Rate/10)
	}
	l.Refused, l.NoNames, l.Silent = w.links[refuse] > 0, w.links[noNames] > 0, w.links[silence] > 0
	w.net.Set(l)
}

// end ends the process, or starts the next one.
func (w *world) end(a action) {
	switch {
	case a.end && w.p == nil:
		w.boot()
	case a.end || w.p == nil:
	case a.ev.Kind == kill:
		w.p.kill(a.ev.File%2 == 0)
		w.p = nil
	default:
		w.p.close()
		w.p = nil
	}
}

// markOnly is what remains of a command while no process runs.
func (w *world) markOnly(a action) {
	if f := w.files[a.ev.File]; a.end && (a.ev.Kind == cancel || a.ev.Kind == remove) {
		w.set(f, func(f *file) { f.canceled, f.deleted = false, false })
	}
}

// command makes a call of the client.
func (w *world) command(a action) {
	c, f := w.p.client, w.files[a.ev.File]
	switch k := a.ev.Kind; {
	case k == pause && !a.end:
		_ = w.p.do("Pause", c.Pause)
	case k == pause:
		_ = w.p.do("Resume", c.Resume)
	case k == stop && !a.end:
		_ = w.p.do("Stop", c.Stop)
	case k == stop:
		_ = w.p.do("Start", func() error { return c.Start(w.ctx) })
	case k == cancel && !a.end:
		w.cancel(f)
	case k == remove && !a.end:
		w.remove(f)
	case k == cancel && f.canceled, k == remove && f.deleted:
		w.set(f, func(f *file) { f.canceled, f.deleted = false, false })
		w.p.resume(f)
	case k == setParallel && !a.end:
		w.p.setParallel(a.ev.Times)
	case k == setParallel:
		w.p.setParallel(w.s.Setup.Parallel)
	case k == failFile && !a.end:
		w.p.fail(f)
	case k == failFile && !f.canceled && !f.deleted && !f.done:
		w.p.resume(f)
	case k == sweep:
		w.sweepBeside(w.p)
	case k == uploadDirect && !a.end:
		w.uploadBeside(w.p, f, a.ev.For)
	}
}

func (w *world) cancel(f *file) {
	id, ok := w.p.id(f)
	if !ok || f.canceled || f.deleted {
		return
	}
	w.p.rec.expectCancel(id)
	if w.p.do("CancelFile of "+f.object(), func() error { return w.p.client.CancelFile(id) }) == nil {
		w.set(f, func(f *file) {
			f.canceled = true
			f.ended = append(f.ended, time.Now())
		})
		w.mustBeCanceled(w.p, id, f)
	}
}

func (w *world) remove(f *file) {
	if f.done || f.canceled || f.deleted {
		return
	}
	w.set(f, func(f *file) {
		f.deleted = true
		f.ended = append(f.ended, time.Now())
	})
	w.p.remove(f)
}

// sweepBeside calls Sweep. It must not find what somebody works on.
func (w *world) sweepBeside(p *process) {
	w.wg.Go(func() {
		ctx, cancel := context.WithTimeout(w.ctx, time.Minute)
		defer cancel()
		var found []upload.Leftover
		w.within("Sweep", time.Minute+time.Second, func() {
			found, _ = p.client.Sweep(ctx, upload.SweepOptions{Endpoint: endpoint, Bucket: bucket, OlderThan: -1, OnlyThisMachine: true})
		})
		for _, l := range found {
			for _, f := range p.client.Files() {
				if f.UploadID == l.UploadID && f.State != upload.FileCanceled && f.State != upload.FileFailed && l.Aborted {
					p.violated("Sweep has aborted the upload of %s, which is %s", f.Path, f.State)
				}
			}
		}
	})
}

// uploadBeside calls Upload with a context that ends after a while.
func (w *world) uploadBeside(p *process, f *file, patience time.Duration) {
	if f.done {
		return
	}
	w.wg.Go(func() {
		ctx, cancel := context.WithTimeout(w.ctx, patience)
		defer cancel()
		w.within("Upload with a context of "+patience.String(), patience+time.Second, func() {
			_, err := p.client.Upload(ctx, f.toUpload())
			if err != nil {
				w.mustBeFit("the error of Upload", err.Error())
			}
		})
	})
}

// rememberedFor is more than a client keeps the failure of a Provider for those who need
// a token soon after.
const rememberedFor = 10 * time.Second

// finish brings everything to its end, and looks at what came of it.
func (w *world) finish() {
	w.makeCalm()
	bound := w.quietTime()
	if !w.p.wait("after the last trouble", bound) {
		w.abandon()
		return
	}
	w.wg.Wait() // Uploads and the like, whose contexts end
	time.Sleep(rememberedFor)
	for _, f := range w.files {
		if !f.done {
			w.set(f, func(f *file) { f.canceled, f.deleted = false, false })
			w.p.resume(f)
		}
	}
	if !w.p.wait("when everything was resumed", bound) {
		w.abandon()
		return
	}
	for _, f := range w.files {
		if !f.done {
			w.violated("%s has not succeeded although all troubles are over", f.object())
		} else if why := w.differs(f); why != "" {
			w.violated("in the end %s", why)
		}
	}
	w.checkLeftovers()
	w.p.close()
}

// makeCalm ends all troubles, and lets a process run.
func (w *world) makeCalm() {
	w.server.ClearFaults()
	for _, f := range w.faults {
		f.Release()
	}
	w.mu.Lock()
	w.calm = time.Now()
	w.flips = 0
	w.mu.Unlock()
	if w.p == nil {
		w.boot()
	}
	_ = w.p.do("Resume", w.p.client.Resume)
	_ = w.p.do("Start", func() error { return w.p.client.Start(w.ctx) })
}

// abandon ends a world in which something hangs.
func (w *world) abandon() { w.p.close() }

// openServer starts the server.
func (w *world) openServer() {
	server, err := osstest.New(&osstest.Options{Buckets: []string{bucket}, Now: w.serverNow, Seed: w.s.Seed})
	if err != nil {
		panic(err)
	}
	w.server = server
	w.net.Serve(address, flipper{w})
}

func (w *world) serverNow() time.Time { return time.Now().Add(w.s.Setup.Skew) }

// mustBeFit looks for what no text may have.
func (w *world) mustBeFit(what, text string) {
	if strings.Contains(text, secretMark) {
		w.violated("%s has a secret in it: %s", what, text)
	}
	if strings.Contains(text, "defect") {
		w.violated("%s speaks of a defect: %s", what, text)
	}
}
