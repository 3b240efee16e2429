package hotfolder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/vodupload/vodupload/examples/vodupload/internal/fskind"
)

// An Outcome is what an upload came to.
type Outcome struct {
	CRC64    uint64
	Verified bool // the server has confirmed CRC64
}

// A Verdict says what an error of an upload means for its file.
type Verdict uint8

// The verdicts.
const (
	Again   Verdict = iota // it may pass: the file is offered again after a pause
	Changed                // the file is not what it was: it is watched again
	OfFile                 // this file cannot be uploaded
	Fatal                  // no file can be uploaded
)

// Options are what [Watch] works with. Upload and Judge are required.
type Options struct {
	Rules Rules

	// Poll is how often the whole folder is read. The default is 5 s; a folder that takes
	// long to read is read less often.
	Poll time.Duration

	// Parallel is how many files are worked on at the same time. The default is 16.
	Parallel int

	// After says what happens to uploaded files, and MoveTo where they are moved.
	After  After
	MoveTo string

	// Once ends Watch when no file is left that can become complete by itself.
	Once bool

	// Upload uploads a file, and returns when that has ended or ctx has. If the object is
	// there already, with the same bytes, it sends nothing.
	Upload func(ctx context.Context, c Candidate, path string) (Outcome, error)

	// Judge says what an error of Upload means, and what to write beside a file that
	// cannot be uploaded.
	Judge func(err error) (Verdict, Failure)

	// Report is called with what happens, on one goroutine. It may be nil.
	Report func(Report)
}

// A Report is something that happened to a file, or to the folder if Name is empty.
type Report struct {
	Kind  ReportKind
	Name  string
	Err   error         // of Trouble and Failing
	Pause time.Duration // of Trouble and Stays: until it is tried again; 0: never
	Note  string        // of Started: what the system does not see
}

// A ReportKind is a kind of [Report].
type ReportKind uint8

// The kinds of reports.
const (
	Started ReportKind = iota // the folder is watched from now on
	Taken                     // the file is complete
	Done                      // it is uploaded, listed, and moved or deleted
	Rewatch                   // it changed: it is watched again
	Trouble                   // something that may pass
	Failing                   // it cannot be uploaded, and is in FailedDir now
	Stays                     // it is uploaded, and could not be moved or deleted
)

// ErrUnfinished is returned with Options.Once if files are left whose upload failed for
// something that may pass.
var ErrUnfinished = errors.New("some files could not be uploaded yet")

// ErrStay is returned with Options.Once if files are left that are uploaded, and could not be
// moved or deleted.
var ErrStay = errors.New("some files are uploaded, and could not be moved or deleted yet")

// A watch is one run of Watch.
type watch struct {
	Options
	dir      string
	journal  *Journal
	folder   *Folder
	events   *Events
	results  chan result
	running  int
	owed     []listed            // uploaded earlier, to be moved or deleted
	finished map[string]bool     // files that are owed, or being moved or deleted
	stays    map[string]stay     // that could not be
	back     map[string]Identity // that were put back, until their renames are reported
	nextScan time.Time
	scanned  bool
	unread   string // the last error of reading the folder
}

// A stay is a file that is uploaded, and could not be moved or deleted.
type stay struct {
	Identity
	tries int
	wait  time.Time // it is not tried again before; zero: never
}

// A listed is a file that was uploaded, and its entry in the journal.
type listed struct {
	Candidate
	entry Entry
}

type result struct {
	name  string
	taken bool  // it is at work; the others are of its end
	err   error // of the upload, or of what came before and after it
	stay  error // it is uploaded and listed; this kept it from being moved or deleted
	owed  bool  // and may not the next time
	back  *Identity
}

// Watch watches dir until ctx ends, and then returns its cause, once all uploads have
// ended; with Options.Once until nothing is left to wait for. The error is also the first
// that is [Fatal].
func Watch(ctx context.Context, dir string, journal *Journal, o *Options) error {
	w := &watch{Options: *o, dir: dir, journal: journal, results: make(chan result),
		finished: make(map[string]bool), stays: make(map[string]stay), back: make(map[string]Identity)}
	if w.Poll <= 0 {
		w.Poll = DefaultPoll
	}
	if w.Parallel <= 0 {
		w.Parallel = 16
	}
	if w.Report == nil {
		w.Report = func(Report) {}
	}
	w.Rules = w.Rules.withDefaults()
	w.Rules.Exclude = append([]string{FailedDir}, w.Rules.Exclude...)
	if err := Recover(dir); err != nil {
		w.Report(Report{Kind: Trouble, Err: err})
	}
	w.folder = NewFolder(w.Rules, w.isDone)
	note := ""
	if kind := fskind.Network(dir); kind != "" {
		note = fmt.Sprintf("the folder is on %s, whose changes are not reported: it is read every %v", kind, w.Poll)
		w.events = noEvents(note)
	} else {
		w.events = Listen(dir, w.skip)
		if w.events.Note() != "" {
			note = fmt.Sprintf("%s: the folder is read every %v", w.events.Note(), w.Poll)
		}
	}
	defer w.events.Close()
	w.Report(Report{Kind: Started, Note: note})
	return w.run(ctx)
}

// skip reports names that need no look.
func (w *watch) skip(name string) bool {
	if _, sidecar := mainOf(w.Rules.Trigger, name); sidecar {
		return isTemporary(w.Rules.Temporary, name)
	}
	return !w.Rules.considers(name)
}

func (w *watch) isDone(name string, id Identity) bool {
	return w.journal.Done(name, id) || w.stays[name].Equal(id)
}

func (w *watch) run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	events := w.events.C
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		if ctx.Err() != nil {
			return w.drain(context.Cause(ctx))
		}
		w.step(ctx)
		if w.Once && w.scanned && w.running == 0 && w.folder.Idle() {
			return w.unfinished()
		}
		timer.Reset(time.Until(w.wake()))
		select {
		case <-ctx.Done():
		case <-timer.C:
		case e, ok := <-events:
			if !ok {
				events = nil
				continue
			}
			w.handle(e)
			w.handleMore(events)
		case r := <-w.results:
			if err := w.receive(r); err != nil {
				cancel(err)
			}
		}
	}
}

// drain waits for the uploads under way, which ctx ends, and records those that succeeded.
func (w *watch) drain(cause error) error {
	for w.running > 0 {
		r := <-w.results
		if !r.taken && (r.err != nil || errors.Is(r.stay, cause)) {
			w.running-- // because ctx has ended
			continue
		}
		_ = w.receive(r)
	}
	return cause
}

func (w *watch) unfinished() error {
	if watched, _ := w.folder.Waiting(); watched > 0 && w.folder.Failing() > 0 {
		return fmt.Errorf("%w: %d", ErrUnfinished, w.folder.Failing())
	}
	owed := 0
	for _, s := range w.stays {
		if !s.wait.IsZero() {
			owed++
		}
	}
	if owed > 0 {
		return fmt.Errorf("%w: %d", ErrStay, owed)
	}
	return nil
}

// handleMore takes in the events that are there already.
func (w *watch) handleMore(events <-chan Event) {
	for range cap(events) {
		select {
		case e, ok := <-events:
			if !ok {
				return
			}
			w.handle(e)
		default:
			return
		}
	}
}

// step reads what has to be read by now, and takes the files that are complete.
func (w *watch) step(ctx context.Context) {
	now := time.Now()
	if !now.Before(w.nextScan) {
		w.scan(ctx)
	}
	for len(w.owed) > 0 && w.running < w.Parallel {
		l := w.owed[0]
		w.owed = w.owed[1:]
		w.running++
		go func() { w.results <- w.finish(ctx, l.Candidate, l.entry) }()
	}
	if w.running < w.Parallel {
		names, _ := w.folder.Looks(time.Now())
		for _, name := range names {
			w.look(name)
		}
	}
	for _, c := range w.folder.Ready(time.Now()) {
		if w.running >= w.Parallel {
			return
		}
		w.folder.Take(c.Name)
		w.start(ctx, c)
	}
}

// wake returns when there is something to do, if nothing happens until then.
func (w *watch) wake() time.Time {
	at := w.nextScan
	if w.running >= w.Parallel {
		return at
	}
	if names, next := w.folder.Looks(time.Now()); len(names) > 0 {
		return time.Now()
	} else if !next.IsZero() && next.Before(at) {
		return next
	}
	return at
}

// scanShare is how much of the time may be spent on reading the folder: a tenth.
const scanShare = 10

func (w *watch) scan(ctx context.Context) {
	began := time.Now()
	s := readFolder(ctx, w.dir, w.skip)
	now := time.Now()
	took := now.Sub(began)
	w.nextScan = now.Add(max(w.Poll, took*scanShare))
	names := make(map[string]bool, len(s.found))
	for name, id := range s.found {
		names[name] = true
		w.saw(now, name, id)
	}
	w.folder.Scanned(names, s.unread)
	w.scanned = w.scanned || len(s.unread) == 0
	problem := ""
	if s.err != nil {
		problem = s.err.Error()
	}
	if problem != w.unread && s.err != nil {
		w.Report(Report{Kind: Trouble, Err: s.err, Pause: w.Poll})
	}
	w.unread = problem
	if len(s.unread) > 0 {
		return
	}
	if err := w.journal.Compact(now, func(name string) bool { return !names[name] }); err != nil {
		w.Report(Report{Kind: Trouble, Err: err})
	}
}

// stayPauses is how much longer than after an upload the pauses are after a move or deletion
// that failed: before the next attempt, the whole file is read.
const stayPauses = 6

// keeps reports whether the file is not to be tried again yet.
func (s stay) keeps(now time.Time, id Identity) bool {
	return s.Equal(id) && (s.wait.IsZero() || now.Before(s.wait))
}

// saw takes in a look at a file. One that was uploaded, and could not be moved or deleted
// then, is moved or deleted now.
func (w *watch) saw(now time.Time, name string, id Identity) {
	if e, ok := w.journal.Entry(name); ok && w.After != Leave && e.After == w.After && e.Identity().Equal(id) &&
		!w.finished[name] && !w.stays[name].keeps(now, id) {
		w.finished[name] = true
		w.owed = append(w.owed, listed{Candidate{name, id}, e})
		return
	}
	w.folder.Saw(now, name, id)
}

func (w *watch) look(name string) {
	if id, ok := look(w.dir, name); ok {
		w.folder.Saw(time.Now(), name, id)
	} else {
		w.folder.Gone(name)
	}
}

// scanSoon has the whole folder read before its turn, but not at once: reasons come in crowds.
func (w *watch) scanSoon() {
	if soon := time.Now().Add(w.Poll / 10); soon.Before(w.nextScan) {
		w.nextScan = soon
	}
}

func (w *watch) handle(e Event) {
	if e.Kind == Rescan {
		w.scanSoon()
		return
	}
	if w.skip(e.Name) {
		return
	}
	w.look(e.Name)
	switch {
	case e.Kind == Closed:
		w.folder.Closed(time.Now(), e.Name)
	case e.Kind == Renamed && w.wasOurs(e.Name):
	case e.Kind == Renamed:
		w.folder.Renamed(time.Now(), e.From, e.Name)
	}
}

// wasOurs reports whether the rename to a name was that of a file that was put back: it says
// nothing about the file. One of another file to that name does.
func (w *watch) wasOurs(name string) bool {
	back, ok := w.back[name]
	delete(w.back, name)
	if !ok {
		return false
	}
	id, there := look(w.dir, name)
	return there && id.Inode == back.Inode
}

func (w *watch) path(name string) string { return filepath.Join(w.dir, filepath.FromSlash(name)) }

func (w *watch) start(ctx context.Context, c Candidate) {
	w.running++
	go func() { w.results <- w.work(ctx, c) }()
}

// work uploads a file, and does what comes after.
func (w *watch) work(ctx context.Context, c Candidate) result {
	o, err := open(w.path(c.Name), c.Identity)
	if err != nil {
		return result{name: c.Name, err: err}
	}
	defer o.close()
	w.results <- result{name: c.Name, taken: true}
	out, err := w.Upload(ctx, c, o.path)
	if err != nil {
		return result{name: c.Name, err: err}
	}
	if err := o.unchanged(); err != nil {
		return result{name: c.Name, err: err}
	}
	after := w.After
	if !out.Verified {
		after = Leave
	}
	e := Entry{Name: c.Name, Size: c.Size, ModTime: c.ModTime, Inode: c.Inode, CRC64: out.CRC64, At: time.Now().UTC(), After: after}
	if err := w.journal.Add(e); err != nil {
		return result{name: c.Name, err: err}
	}
	if !out.Verified && w.After != Leave {
		return result{name: c.Name, stay: errors.New("the server has not confirmed the checksum")}
	}
	return w.disposed(ctx, o, e)
}

// finish does what comes after an upload that was made and listed earlier.
func (w *watch) finish(ctx context.Context, c Candidate, e Entry) result {
	o, err := open(w.path(c.Name), c.Identity)
	if err != nil {
		return result{name: c.Name, stay: err, owed: true}
	}
	defer o.close()
	got, err := checksum(ctx, o.f)
	if err == nil && got != e.CRC64 {
		err = fmt.Errorf("its CRC-64 is %d and that of the upload %d, although size and times are the same", got, e.CRC64)
	}
	if err != nil {
		return result{name: c.Name, stay: err, owed: true}
	}
	return w.disposed(ctx, o, e)
}

func (w *watch) disposed(ctx context.Context, o *opened, e Entry) result {
	err := w.dispose(ctx, o, e)
	return result{name: e.Name, stay: err, owed: true, back: o.back}
}

func (w *watch) dispose(ctx context.Context, o *opened, e Entry) error {
	if w.After == Leave {
		return nil
	}
	target := filepath.Join(w.MoveTo, filepath.FromSlash(e.Name))
	if err := o.dispose(ctx, w.After, target, e.CRC64); err != nil {
		return err
	}
	for _, suffix := range w.Rules.Trigger {
		var err error
		if w.After == Delete {
			err = os.Remove(o.path + suffix)
		} else {
			err = moveTo(ctx, o.path+suffix, target+suffix, nil)
		}
		if err := ignoreMissing(err); err != nil {
			return err
		}
	}
	return w.journal.Forget(e.Name)
}

// receive takes in what a worker sent.
func (w *watch) receive(r result) error {
	if r.taken {
		w.Report(Report{Kind: Taken, Name: r.name})
		return nil
	}
	w.running--
	return w.ended(r)
}

// ended takes in what happened to a file. The error is one that is Fatal.
func (w *watch) ended(r result) error {
	now := time.Now()
	switch {
	case r.err == nil:
		w.uploaded(now, r)
	case errors.Is(r.err, ErrChanged):
		w.folder.Busy(now, r.name)
		w.Report(Report{Kind: Rewatch, Name: r.name})
	case errors.Is(r.err, fs.ErrNotExist):
		w.folder.Ended(r.name)
	default:
		return w.failed(now, r)
	}
	return nil
}

func (w *watch) uploaded(now time.Time, r result) {
	delete(w.finished, r.name)
	w.folder.Ended(r.name)
	if r.back != nil {
		w.back[r.name] = *r.back
	}
	tries := w.stays[r.name].tries
	delete(w.stays, r.name)
	switch {
	case r.stay == nil:
		w.Report(Report{Kind: Done, Name: r.name})
	case errors.Is(r.stay, ErrChanged):
		w.scanned = false // the next look finds another file, or the same, which is owed then
		w.scanSoon()
		w.Report(Report{Kind: Rewatch, Name: r.name})
	default:
		var pause time.Duration
		if id, ok := look(w.dir, r.name); ok {
			s := stay{Identity: id, tries: tries + 1}
			if r.owed {
				pause = stayPauses * pauseAfter(tries)
				s.wait = now.Add(pause)
			}
			w.stays[r.name] = s
		}
		w.Report(Report{Kind: Stays, Name: r.name, Err: r.stay, Pause: pause})
	}
}

func (w *watch) failed(now time.Time, r result) error {
	verdict, failure := w.Judge(r.err)
	switch verdict {
	case Changed:
		w.folder.Busy(now, r.name)
		w.Report(Report{Kind: Rewatch, Name: r.name})
	case Fatal:
		w.folder.Busy(now, r.name)
		return r.err
	case OfFile:
		failure.Name, failure.At = r.name, now.UTC()
		if id, ok := look(w.dir, r.name); ok {
			failure.Size = id.Size
		}
		if err := setFailed(w.dir, r.name, failure); err != nil {
			w.Report(Report{Kind: Trouble, Name: r.name, Err: errors.Join(r.err, err), Pause: w.folder.Failed(now, r.name)})
			return nil
		}
		w.folder.Ended(r.name)
		w.Report(Report{Kind: Failing, Name: r.name, Err: r.err})
	default:
		w.Report(Report{Kind: Trouble, Name: r.name, Err: r.err, Pause: w.folder.Failed(now, r.name)})
	}
	return nil
}

// Inside returns the name of path in dir, with slashes; empty: it is not below dir.
func Inside(dir, path string) string {
	rel, err := filepath.Rel(dir, path)
	if err != nil || rel == "." || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return ""
	}
	return filepath.ToSlash(rel)
}
