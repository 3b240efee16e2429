package checkpoint

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/checkpoint/internal/boltfile"
)

// tracedEnv names the directory in which this program, run once more under strace,
// makes promises.
const tracedEnv = "CHECKPOINT_TEST_TRACED"

// What the traced process says when it was promised something.
const (
	saysRecord = "promised a record"
	saysParts  = "promised parts"
	saysEnd    = "promised no more"
)

// keepPromises takes an upload through all ways in which something of it becomes
// durable, and calls promised after each.
func keepPromises(ctx context.Context, d *Dir, promised func(u *dirUpload, what string)) error {
	numbers := rand.New(rand.NewPCG(9, 10)).Perm(600)
	add := func(u Claim, what string) error {
		for _, n := range numbers[:40] {
			if err := u.Add(testPart(n + 1)); err != nil {
				return err
			}
		}
		numbers = numbers[40:]
		if err := u.Flush(ctx); err != nil {
			return err
		}
		promised(u.(*dirUpload), what)
		return nil
	}
	for _, begin := range []func(Claim) bool{
		func(Claim) bool { return true },                       // in a new file
		func(Claim) bool { return false },                      // continues with what is there
		func(u Claim) bool { _, _, ok := u.Load(); return ok }, // over an old record
	} {
		u, err := d.Open(ctx, testKey("a"))
		if err != nil {
			return err
		}
		if begin(u) {
			if err := u.Begin(ctx, testRecord("a")); err != nil {
				return err
			}
			promised(u.(*dirUpload), saysRecord)
		}
		for range 3 {
			if err := add(u, saysParts); err != nil {
				return err
			}
		}
		if !closeFirst && begin(u) {
			if err := os.Remove(u.(*dirUpload).file.path); err != nil {
				return err
			}
			if err := add(u, saysRecord); err != nil { // all of it is made again
				return err
			}
			if err := add(u, saysParts); err != nil {
				return err
			}
		}
		if err := u.Close(); err != nil {
			return err
		}
	}
	return nil
}

// tracedPromises is the process that is traced. What it says is a system call, too,
// and so has its place among those that are traced.
func tracedPromises(dir string) {
	d, err := OpenDir(dir)
	if err == nil {
		err = keepPromises(context.Background(), d, func(_ *dirUpload, what string) { fmt.Println(what) })
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(saysEnd)
	os.Exit(0)
}

// bbolt is never left in the state in which it does not sync. That it does sync in
// the other is what TestPromisesAreSynced looks at, where it can.
func TestPromisesAreMadeWithSyncOn(t *testing.T) {
	d := mustOpenDir(t, t.TempDir(), hostSystem())
	must(t, keepPromises(t.Context(), d, func(u *dirUpload, what string) {
		if db := u.file.db; db.NoSync || db.NoGrowSync {
			t.Errorf("%s with NoSync %v, NoGrowSync %v, want neither", what, db.NoSync, db.NoGrowSync)
		}
	}))
}

// What is read back after a write comes from memory, whether it was synced or not.
// So this test asks the kernel what it was told to do.
func TestPromisesAreSynced(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil && os.Getenv("CI") != "" && runtime.GOOS == "linux" {
		t.Fatalf("CI has to install strace: %v", err)
	}
	if err != nil {
		t.Skipf("needs strace (apt-get install strace), to see what is synced: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	exe, err := os.Executable()
	must(t, err)
	log := filepath.Join(t.TempDir(), "trace")
	cmd := exec.CommandContext(ctx, strace, "-f", "-y", "-s", "32", "-o", log,
		"-e", "trace=write,pwrite64,fdatasync,fsync", exe)
	cmd.Env = append(os.Environ(), tracedEnv+"="+t.TempDir())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("strace: %v\n%s", err, out)
	}
	text, err := os.ReadFile(log)
	must(t, err)
	var tr trace
	for line := range strings.Lines(string(text)) {
		tr.add(line)
	}
	for _, why := range tr.broken {
		t.Error(why)
	}
	if !tr.ended || tr.records != 4 || tr.parts != 11 {
		t.Errorf("ended %v after %d promised records and %d times parts, want 4 and 11", tr.ended, tr.records, tr.parts)
	}
}

// A trace is what strace tells, as far as it matters: the writes to checkpoints that
// no sync has covered yet.
type trace struct {
	pages, metas   int             // not synced
	written        int             // since the last promise
	early          int             // meta pages that were written before what they lead to was synced
	syncing        map[string]bool // by thread: the sync of a checkpoint is not back yet
	records, parts int             // how often they were promised
	ended          bool
	broken         []string
}

var (
	// thread, call, path of the file
	traced = regexp.MustCompile(`^(\d+) +(?:<\.\.\. )?(\w+)(?:\(\d+<([^>]*)>| resumed>)`)
	// length, offset of a pwrite64
	extent = regexp.MustCompile(`"(?:\.\.\.)?, (\d+), (\d+)(?:\)| <unfinished)`)
)

// add takes the next line. A write counts from its beginning, a sync from its end.
func (tr *trace) add(line string) {
	m := traced.FindStringSubmatch(line)
	if m == nil {
		return
	}
	thread, call, checkpoint := m[1], m[2], strings.HasSuffix(m[3], ".checkpoint")
	switch call {
	case "pwrite64":
		if checkpoint {
			tr.write(line)
		}
	case "fdatasync", "fsync":
		if checkpoint && strings.Contains(line, "unfinished") {
			tr.syncing = map[string]bool{thread: true} // u.disk: one at a time
		} else if (checkpoint || tr.syncing[thread]) && strings.HasSuffix(line, "= 0\n") {
			tr.pages, tr.metas, tr.syncing = 0, 0, nil
		}
	case "write":
		tr.promise(line)
	}
}

func (tr *trace) write(line string) {
	m := extent.FindStringSubmatch(line)
	if m == nil {
		tr.broken = append(tr.broken, "cannot read "+line)
		return
	}
	tr.written++
	if offset, _ := strconv.Atoi(m[2]); offset >= 2*boltfile.PageSize {
		tr.pages++
		return
	}
	tr.metas++
	if tr.pages > 0 {
		tr.early++
	}
}

func (tr *trace) promise(line string) {
	parts := strings.Contains(line, saysParts)
	switch {
	case parts:
		tr.parts++
	case strings.Contains(line, saysRecord):
		tr.records++
	default:
		tr.ended = tr.ended || strings.Contains(line, saysEnd)
		return
	}
	say := func(format string, args ...any) {
		where := fmt.Sprintf("promise %d: ", tr.records+tr.parts)
		tr.broken = append(tr.broken, where+fmt.Sprintf(format, args...))
	}
	if tr.pages+tr.metas > 0 {
		say("%d pages and %d meta pages were written and not synced", tr.pages, tr.metas)
	}
	if tr.written == 0 {
		say("nothing was written")
	}
	// A new file is no use to anybody before all of it is there.
	if parts && tr.early > 0 {
		say("the meta page was written before the pages were synced")
	}
	tr.written, tr.early = 0, 0
}
