package main

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// A view is what a person sees: on a terminal one line that changes while bytes
// travel, elsewhere plain lines, one for each tenth of the way.
type view struct {
	out      *os.File
	terminal bool
	open     int // length of the changing line
	tenth    int64
	last     time.Time
}

func newView(out *os.File) *view {
	info, err := out.Stat()
	return &view{out: out, terminal: err == nil && info.Mode()&os.ModeCharDevice != 0}
}

// say writes a line that stays.
func (v *view) say(format string, args ...any) {
	v.clear()
	fmt.Fprintf(v.out, format+"\n", args...)
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
		if tenth := uploaded * 10 / total; tenth > v.tenth {
			v.tenth = tenth
			fmt.Fprintf(v.out, "%3d %% of %d bytes\n", tenth*10, total)
		}
		return
	}
	if uploaded < total && time.Since(v.last) < 50*time.Millisecond {
		return
	}
	v.last = time.Now()
	const width = 40
	done := int(uploaded * width / total)
	line := fmt.Sprintf("[%s%s] %3d %%  %d of %d MiB", strings.Repeat("#", done), strings.Repeat(".", width-done),
		uploaded*100/total, uploaded>>20, total>>20)
	fmt.Fprint(v.out, "\r", line, strings.Repeat(" ", max(0, v.open-len(line))))
	v.open = max(v.open, len(line))
}
