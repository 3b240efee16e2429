//go:build linux || darwin

package main

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/creack/pty"
	"github.com/mattn/go-runewidth"

	"github.com/vodupload/vodupload/upload/osstest"
)

// A terminal is what a person sees of a run: as much of a terminal as the bars need.
type terminal struct {
	t        *testing.T
	ptmx     *os.File
	tty      *os.File
	mu       sync.Mutex
	columns  int
	lines    [][]rune
	row, col int
	raw      strings.Builder
	rest     string // of what came, the beginning of a letter or of a sequence
	wrapped  int    // how often a line was longer than the screen
}

func newTerminal(t *testing.T, columns, height int) *terminal {
	t.Helper()
	ptmx, tty, err := pty.Open()
	if err != nil {
		t.Skip("no pseudo-terminals here: ", err)
	}
	s := &terminal{t: t, ptmx: ptmx, tty: tty}
	s.resize(columns, height)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		buffer := make([]byte, 64<<10)
		for {
			n, err := ptmx.Read(buffer)
			s.show(string(buffer[:n]))
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() { tty.Close(); ptmx.Close(); <-ended })
	return s
}

func (s *terminal) resize(columns, height int) {
	s.mu.Lock()
	s.columns = columns
	s.mu.Unlock()
	if err := pty.Setsize(s.ptmx, &pty.Winsize{Cols: uint16(columns), Rows: uint16(height)}); err != nil {
		s.t.Fatal(err)
	}
}

// Sequences that steer a terminal, and those of which the end is still to come.
var (
	control = regexp.MustCompile(`^\x1b\[(\d*)([A-Za-z])`)
	begun   = regexp.MustCompile(`^\x1b(\[\d*)?$`)
)

// show takes what the program writes.
func (s *terminal) show(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.raw.WriteString(text)
	text = s.rest + text
	s.rest = ""
	for len(text) > 0 {
		if !utf8.FullRuneInString(text) || text[0] == '\x1b' && begun.MatchString(text) {
			s.rest = text // until the rest of it comes
			return
		}
		if m := control.FindStringSubmatch(text); m != nil {
			s.control(m[1], m[2])
			text = text[len(m[0]):]
			continue
		}
		r := []rune(text)[0]
		text = text[len(string(r)):]
		switch r {
		case '\r':
			s.col = 0
		case '\n':
			s.row++
		default:
			s.put(r)
		}
	}
}

func (s *terminal) control(number, command string) {
	n, err := strconv.Atoi(number)
	if err != nil {
		n = 1
	}
	switch command {
	case "A":
		s.row = max(0, s.row-n)
	case "K":
		s.line(s.row)
		s.lines[s.row] = s.lines[s.row][:min(s.col, len(s.lines[s.row]))]
	case "J":
		s.line(s.row)
		s.lines[s.row] = s.lines[s.row][:min(s.col, len(s.lines[s.row]))]
		s.lines = s.lines[:s.row+1]
	}
}

func (s *terminal) line(n int) {
	for len(s.lines) <= n {
		s.lines = append(s.lines, nil)
	}
}

func (s *terminal) put(r rune) {
	width := runewidth.RuneWidth(r)
	if s.col+width > s.columns {
		s.row, s.col = s.row+1, 0
		s.wrapped++
	}
	s.line(s.row)
	for len(s.lines[s.row]) < s.col+width {
		s.lines[s.row] = append(s.lines[s.row], ' ')
	}
	s.lines[s.row][s.col] = r
	for i := 1; i < width; i++ {
		s.lines[s.row][s.col+i] = 0
	}
	s.col += width
}

// screen returns the lines that are not empty.
func (s *terminal) screen() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, line := range s.lines {
		if text := strings.TrimRight(strings.ReplaceAll(string(line), "\x00", ""), " "); text != "" {
			out = append(out, text)
		}
	}
	return out
}

// wait returns the screen once it is as wanted.
func (s *terminal) wait(want func(lines []string) bool) []string {
	s.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		lines := s.screen()
		if want(lines) {
			return lines
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("the screen shows\n%s", strings.Join(lines, "\n"))
		}
	}
}

// ends returns a condition for the last line.
func ends(pattern string) func([]string) bool {
	re := regexp.MustCompile(pattern)
	return func(lines []string) bool { return len(lines) > 0 && re.MatchString(lines[len(lines)-1]) }
}

// on runs a command that uploads on a terminal. Requests that the test holds are not taken
// for stalled, however long it takes until the screen is as wanted.
func (w *world) on(s *terminal, args ...string) <-chan int {
	return w.shown(s, append(args, "--stall-timeout", "1h", "--endpoint", w.server.URL, "--checkpoint-dir", w.state)...)
}

// shown runs a command on a terminal.
func (w *world) shown(s *terminal, args ...string) <-chan int {
	ended := make(chan int, 1)
	e := env{
		stdin: strings.NewReader(""), stdout: s.tty, stderr: s.tty,
		environ: w.environ, now: time.Now, signals: w.signals, exit: w.exit,
	}
	go func() {
		ended <- run(args, e)
	}()
	return ended
}

func TestBars(t *testing.T) {
	for _, columns := range []int{80, 120} {
		t.Run(fmt.Sprint(columns, " columns"), func(t *testing.T) {
			w, s := newWorld(t), newTerminal(t, columns, 24)
			for i := range 13 {
				w.file(fmt.Sprintf("tree/%02d 会议录像 of the autumn season, with a long name.mp4", i), 300_000)
			}
			first, others := osstest.Hang(osstest.OpUploadPart).Part(3).Always(), osstest.Hang(osstest.OpUploadPart).Part(2).Always()
			w.server.Inject(first, others)
			ended := w.on(s, "cp", w.dir+"/tree", "oss://media/in/", "--part-size", "100K", "--parallel", "40")
			lines := s.wait(func(lines []string) bool {
				return ends(`^Total 34%, 1.3 MiB of 3.7 MiB, .*, 0 of 13 files`)(lines) && len(lines) == 12 &&
					strings.Count(strings.Join(lines, "\n"), " [===") == 10 // the progress of a file follows the total
			})
			if want := "... and 3 more files"; lines[10] != want {
				t.Errorf("got %q, want %q", lines[10], want)
			}
			for i, line := range lines[:10] {
				if !strings.HasPrefix(line, fmt.Sprintf("%02d 会议录像", i)) || !strings.Contains(line, ".mp4 ") || !strings.Contains(line, " [===") || !strings.HasSuffix(line, "293 KiB") {
					t.Errorf("bar %d: %q", i, line)
				}
				if n := runewidth.StringWidth(line); n != columns-1 {
					t.Errorf("bar %d has %d columns", i, n)
				}
			}
			first.Release()
			others.Release()
			if code := <-ended; code != exitOK {
				t.Errorf("exit code %d", code)
			}
			lines = s.wait(ends(`^13 files uploaded, 3\.7 MiB in .*s \(.*/s\)$`))
			if len(lines) != 1 || s.wrapped > 0 {
				t.Errorf("%d lines were broken; in the end there is\n%s", s.wrapped, strings.Join(lines, "\n"))
			}
		})
	}
	t.Run("what fails stays above them, and no name steers the terminal", func(t *testing.T) {
		w, s := newWorld(t), newTerminal(t, 80, 24)
		w.file("tree/a.mp4", 300_000)
		w.file("tree/evil\x1b[2J\u202e.mp4", 1000)
		hang := osstest.Hang(osstest.OpUploadPart).Part(2)
		w.server.Inject(hang, osstest.Fail(osstest.OpPutObject, 403, "AccessDenied").Always())
		ended := w.on(s, "cp", w.dir+"/tree", "oss://media/in/", "--part-size", "100K")
		lines := s.wait(func(lines []string) bool { return ends(`1 failed`)(lines) && len(lines) > 2 })
		if !strings.HasPrefix(lines[0], "failed: ") || !strings.HasPrefix(lines[len(lines)-2], "a.mp4 ") {
			t.Errorf("got\n%s", strings.Join(lines, "\n"))
		}
		hang.Release()
		<-ended
		s.mu.Lock()
		defer s.mu.Unlock()
		if raw := s.raw.String(); strings.Contains(raw, "\x1b[2J") || strings.Contains(raw, "\u202e") || !strings.Contains(raw, "\x1b[31mfailed") {
			t.Errorf("got %q", raw)
		}
	})
	t.Run("a terminal that becomes narrow", func(t *testing.T) {
		w, s := newWorld(t), newTerminal(t, 100, 24)
		w.file("tree/a long name of a film.mp4", 300_000)
		hang := osstest.Hang(osstest.OpUploadPart).Part(2)
		w.server.Inject(hang)
		ended := w.on(s, "cp", w.dir+"/tree", "oss://media/in/", "--part-size", "100K")
		s.wait(ends(`^Total 6`))
		s.resize(30, 24)
		s.wait(func(lines []string) bool {
			return len(lines) >= 2 && runewidth.StringWidth(last(lines)) < 30 && runewidth.StringWidth(lines[len(lines)-2]) < 30
		})
		hang.Release()
		<-ended
	})
	t.Run("verify shows how far it is", func(t *testing.T) {
		w, s := verified(t), newTerminal(t, 80, 24)
		hang := osstest.Hang(osstest.OpHeadObject).Key("in/b.mp4")
		w.server.Inject(hang)
		ended := w.shown(s, "verify", w.dir, "oss://media/in/", "--endpoint", w.server.URL)
		s.wait(ends(`^Total 100%, 293 KiB of 293 KiB, .*/s, 2 of 3 files$`))
		hang.Release()
		if code := <-ended; code != exitOK {
			t.Errorf("exit code %d", code)
		}
		if lines := s.wait(ends("^3 same, 0 different, 0 missing$")); len(lines) != 1 {
			t.Errorf("in the end there is\n%s", strings.Join(lines, "\n"))
		}
	})
	t.Run("none with --quiet, and no colors with NO_COLOR", func(t *testing.T) {
		w, s := newWorld(t), newTerminal(t, 80, 24)
		w.environ = append(w.environ, "NO_COLOR=1")
		if code := <-w.on(s, "cp", "--quiet", w.dir+"/missing", "oss://media/in/"); code != exitNotFound {
			t.Errorf("exit code %d", code)
		}
		s.wait(ends("no such file"))
		s.mu.Lock()
		defer s.mu.Unlock()
		if raw := s.raw.String(); strings.Contains(raw, "\x1b") {
			t.Errorf("got %q", raw)
		}
	})
}

// Progress never goes back, whatever is sent again.
func TestBarsNeverGoBack(t *testing.T) {
	t.Parallel()
	w, s := newWorld(t), newTerminal(t, 80, 24)
	w.file("tree/a.mp4", 2<<20)
	w.server.Inject(
		osstest.Delay(osstest.OpUploadPart, 100*time.Millisecond).Always(),
		osstest.LoseUpload(osstest.OpUploadPart).Nth(12),
		osstest.Fail(osstest.OpUploadPart, 500, "InternalError").Nth(20).Times(2),
	)
	if code := <-w.on(s, "cp", w.dir+"/tree", "oss://media/in/", "--part-size", "100K"); code != exitOK {
		t.Errorf("exit code %d", code)
	}
	s.wait(ends("^1 file uploaded"))
	s.mu.Lock()
	defer s.mu.Unlock()
	before := 0
	for _, m := range regexp.MustCompile(`Total (\d+)%`).FindAllStringSubmatch(s.raw.String(), -1) {
		n, _ := strconv.Atoi(m[1])
		if n < before {
			t.Errorf("%d %% after %d %%", n, before)
		}
		before = n
	}
	if before == 0 {
		t.Error("no progress was shown")
	}
}
