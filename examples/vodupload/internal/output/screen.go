package output

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/mattn/go-runewidth"
	"golang.org/x/term"
)

// A screen is a terminal whose last lines are repainted. This is not left to mpb. Ten bars, a
// total line, what is waited for and progress that never goes back can be had of v8.16.2, by
// fillers that are given the lines which are made here; in a pseudo-terminal it did not do
// the rest:
//   - It moves the cursor up by as many lines as it wrote. Most terminals break long lines
//     again when they become narrower: with three bars, 100 columns that became 40 left
//     two and a half of the bars of the frame before on the screen, for good.
//   - What is written above its bars is shown with the next frame. Where the process ended
//     within an eighth of a second, as by a second Ctrl-C, the line that resumes was never
//     shown.
type screen struct {
	to    *os.File
	shown []string // what was painted last
	last  view
}

// newScreen returns the screen that w is, or nil if it is none.
func newScreen(w io.Writer) *screen {
	f, ok := w.(*os.File)
	if !ok || !IsTerminal(w) || !steerable(f) {
		return nil
	}
	return &screen{to: f}
}

// IsTerminal reports whether people see at once what is written to w.
func IsTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Columns returns how wide the terminal is that w is; 0: it is none.
func Columns(w io.Writer) int {
	if !IsTerminal(w) {
		return 0
	}
	columns, _, err := term.GetSize(int(w.(*os.File).Fd()))
	if err != nil {
		return 0
	}
	return columns
}

func (s *screen) size() (columns, height int) {
	columns, height, err := term.GetSize(int(s.to.Fd()))
	if err != nil || columns <= 0 || height <= 0 {
		return 80, 24
	}
	return columns, height
}

func (s *screen) paint(v view) {
	s.last = v
	columns, height := s.size()
	lines := frame(v, columns, height)
	var b strings.Builder
	b.WriteString(s.home(columns, height))
	for _, line := range lines {
		b.WriteString(line + "\x1b[K\r\n")
	}
	b.WriteString("\x1b[J")
	s.write(b.String())
	s.shown = lines
}

// home returns what moves the cursor to the first line of the last frame. A terminal that
// has become narrower has broken the lines of that frame.
func (s *screen) home(columns, height int) string {
	up := 0
	for _, line := range s.shown {
		up += max(1, (runewidth.StringWidth(line)+columns-1)/columns)
	}
	if up = min(up, height-1); up == 0 {
		return "\r"
	}
	return fmt.Sprintf("\r\x1b[%dA", up)
}

// above writes a line above the frame, where it stays.
func (s *screen) above(text string) {
	columns, height := s.size()
	s.write(s.home(columns, height) + "\x1b[J" + text + "\r\n")
	frame := s.shown != nil
	s.shown = nil
	if frame {
		s.paint(s.last)
	}
}

// clear takes the frame away.
func (s *screen) clear() {
	s.write(s.home(s.size()) + "\x1b[J")
	s.shown = nil
}

// write ignores errors: a terminal that is gone is no reason to end the uploads.
func (s *screen) write(text string) { _, _ = io.WriteString(s.to, text) }
