package output

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/vodupload/vodupload/upload"
)

// Options say what is shown and where.
type Options struct {
	Progress Progress
	Quiet    bool
	Verbose  bool
	Color    bool
	JSON     io.Writer // nil: no JSON
	People   io.Writer
	Now      func() time.Time

	// DryRun is the error of files that a dry run would upload: they have not failed. The
	// default is none.
	DryRun error

	// Interval is that of plain lines. The default is 10 seconds.
	Interval time.Duration
}

// A Reporter shows what a client does. All its methods may be called from any goroutine.
type Reporter struct {
	opts  Options
	json  *lines
	begun time.Time

	mu       sync.Mutex
	stats    func() upload.Stats // for the summary; nil: nothing is uploaded
	figures  func() upload.Stats // for the progress
	running  map[upload.FileID]*row
	sum      Summary
	failed   []error
	screen   *screen // nil: no bars
	uploaded int64   // of all, as it was shown last
	kept     int64   // bytes of files that were stopped
	compared int64   // bytes of files that were skipped
	prefix   string  // of all objects, which bars leave out
	listing  bool    // there may be files that are in no figure yet
	closed   bool

	stop    chan struct{}
	stopped sync.WaitGroup
}

// New returns a reporter. The caller must close it.
func New(opts Options) *Reporter {
	if opts.Interval == 0 {
		opts.Interval = 10 * time.Second
	}
	r := &Reporter{opts: opts, begun: opts.Now(), running: make(map[upload.FileID]*row), stop: make(chan struct{})}
	if opts.JSON != nil {
		r.json = newLines(opts.JSON)
	}
	return r
}

// Below has the bars show the names of objects below a prefix, instead of paths.
func (r *Reporter) Below(prefix string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.prefix = prefix
}

// nameLocked returns the name that a bar shows.
func (r *Reporter) nameLocked(f upload.FileInfo) string {
	if name, found := strings.CutPrefix(f.Object, r.prefix); found && name != "" {
		return name
	}
	return cmp.Or(f.Object, f.Path)
}

// Follow shows the progress of a client from now on, and sums it up in the end: it is
// called once, with the figures of the client.
func (r *Reporter) Follow(stats func() upload.Stats) {
	r.mu.Lock()
	r.stats = stats
	r.mu.Unlock()
	r.Progress(stats)
}

// Listing says whether there may be files that are not among the figures yet: until then nobody
// knows how much is left.
func (r *Reporter) Listing(listing bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.listing = listing
}

// Progress shows the progress of what is no upload, from now on: it is called once.
func (r *Reporter) Progress(figures func() upload.Stats) {
	r.mu.Lock()
	r.figures = figures
	r.mu.Unlock()
	every := r.opts.Interval
	if r.chooseScreen() {
		every = time.Second / 8
	} else if r.opts.Quiet || r.opts.Progress == None {
		return
	}
	r.stopped.Go(func() { r.tick(every) })
}

func (r *Reporter) chooseScreen() bool {
	if r.opts.Quiet || r.opts.Progress != Bars && (r.opts.Progress != Auto && r.opts.Progress != "") {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.screen = newScreen(r.opts.People)
	return r.screen != nil
}

func (r *Reporter) tick(every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			r.show()
		case <-r.stop:
			return
		}
	}
}

// show repaints the bars, or writes a plain line.
func (r *Reporter) show() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	v := r.viewLocked()
	if r.screen != nil {
		r.screen.paint(v)
		return
	}
	fmt.Fprintf(r.opts.People, "%s %s\n", r.opts.Now().Format(time.TimeOnly), v.total.line())
}

// Say writes a line for people, and a notice for programs. Not where it is quiet.
func (r *Reporter) Say(format string, args ...any) {
	text := Safe(fmt.Sprintf(format, args...))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.emitLocked(Event{Type: "notice", Message: text})
	if !r.opts.Quiet {
		r.printLocked(text)
	}
}

// Log writes a line with the time of day for people, and a notice for programs. An alarm is
// an error, which is shown where it is quiet as well.
func (r *Reporter) Log(alarm bool, text string) {
	text = Safe(flagsOf.Replace(text))
	r.mu.Lock()
	defer r.mu.Unlock()
	line := r.opts.Now().Format(time.TimeOnly) + " " + text
	if alarm {
		r.emitLocked(Event{Type: "error", Error: text})
		r.printLocked(r.red(line))
		return
	}
	r.emitLocked(Event{Type: "notice", Message: text})
	if !r.opts.Quiet {
		r.printLocked(line)
	}
}

// Detail writes a line for people who want to know everything.
func (r *Reporter) Detail(format string, args ...any) {
	if r.opts.Verbose {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.printLocked(Safe(fmt.Sprintf(format, args...)))
	}
}

// Emit writes an event for programs.
func (r *Reporter) Emit(e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.emitLocked(e)
}

func (r *Reporter) emitLocked(e Event) {
	if r.json == nil || r.closed {
		return
	}
	e.V, e.Time = Version, r.opts.Now()
	if !utf8.ValidString(e.Path) {
		e.PathBytes = []byte(e.Path)
	}
	r.json.write(e)
}

// Error reports what the run failed with.
func (r *Reporter) Error(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.emitLocked(Event{Type: "error"}.because(err))
	r.printLocked(r.red("error: ") + Text(err))
}

// Fail counts a source that could not be added as a file that failed.
func (r *Reporter) Fail(path string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sum.Files++
	r.failLocked(Event{Type: "failed", Path: path}, err)
}

func (r *Reporter) failLocked(e Event, err error) {
	r.sum.Failed++
	r.failed = append(r.failed, err)
	r.emitLocked(e.because(err))
	r.printLocked(r.red("failed: ") + Text(err))
}

// Failures returns the errors of the files that failed.
func (r *Reporter) Failures() []error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed
}

// printLocked writes a line above the bars.
func (r *Reporter) printLocked(text string) {
	if r.closed {
		return
	}
	if r.screen != nil {
		r.screen.above(text)
		return
	}
	fmt.Fprintln(r.opts.People, text)
}

func (r *Reporter) red(text string) string {
	if !r.opts.Color {
		return text
	}
	return "\x1b[31m" + text + "\x1b[0m"
}

// Close takes the bars away and reports the summary. What comes later is not shown.
func (r *Reporter) Close(exitCode int) {
	close(r.stop)
	r.stopped.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.screen != nil {
		r.screen.clear()
		r.screen = nil
	}
	s := r.sumLocked()
	s.ExitCode = exitCode
	if r.stats != nil && !r.opts.Quiet {
		r.printLocked(s.line())
	}
	r.emitLocked(Event{Type: "summary", Summary: &s})
	r.closed = true
}

// sumLocked returns the summary as of now.
func (r *Reporter) sumLocked() Summary {
	s := r.sum
	s.Duration = r.opts.Now().Sub(r.begun).Seconds()
	s.Unlisted = r.listing
	if r.stats == nil {
		return s
	}
	stats := r.stats()
	for _, n := range stats.Files {
		s.Files += n
	}
	s.Sent, s.Reasons = stats.SentBytes, stats.Retries
	for _, n := range stats.Retries {
		s.Retries += n
	}
	s.Kept = r.kept
	for _, one := range r.running {
		s.Kept += one.kept()
	}
	s.Files = max(s.Files, s.ended()) // files of Upload are in no list any more
	s.Left = max(0, s.Files-s.Uploaded-s.Skipped-s.Failed-s.Canceled-s.Planned)
	return s
}
