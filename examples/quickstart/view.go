package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// A view is what a person sees: on a terminal one line that changes while bytes
// travel, elsewhere a line for each quarter of the way. No line of its own is wider
// than 80 columns.
type view struct {
	out      *os.File
	terminal bool
	step     int // number of the step that is shown
	open     int // length of the changing line
	quarter  int64
	last     time.Time
}

func newView(out *os.File) *view {
	return &view{out: out, terminal: term.IsTerminal(int(out.Fd()))}
}

const indent = "   "

// next begins a step.
func (v *view) next(format string, args ...any) {
	v.clear()
	v.step++
	v.quarter = 0
	fmt.Fprintf(v.out, "\n%d. "+format+"\n", append([]any{v.step}, args...)...)
}

// say writes a line of the step.
func (v *view) say(format string, args ...any) {
	v.clear()
	fmt.Fprintf(v.out, indent+format+"\n", args...)
}

func (v *view) clear() {
	if v.open > 0 {
		fmt.Fprint(v.out, "\r", strings.Repeat(" ", v.open), "\r")
		v.open = 0
	}
}

// progress shows how much of the file the server has acknowledged.
func (v *view) progress(uploaded, total int64) {
	if total == 0 {
		return
	}
	if !v.terminal {
		if quarter := uploaded * 4 / total; quarter > v.quarter {
			v.quarter = quarter
			v.say("%3d %%", quarter*25)
		}
		return
	}
	if uploaded < total && time.Since(v.last) < 50*time.Millisecond {
		return
	}
	v.last = time.Now()
	const width = 40
	done := int(uploaded * width / total)
	line := fmt.Sprintf(indent+"[%s%s] %3d %%  %d of %d MiB", strings.Repeat("#", done), strings.Repeat(".", width-done),
		uploaded*100/total, uploaded>>20, total>>20)
	fmt.Fprint(v.out, "\r", line, strings.Repeat(" ", max(0, v.open-len(line))))
	v.open = max(v.open, len(line))
}
