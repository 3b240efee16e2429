package output

import (
	"fmt"
	"strings"

	"github.com/mattn/go-runewidth"
)

// frame returns the lines of a view for a screen of so many columns and lines. No line
// fills the last column, where terminals differ.
func frame(v view, columns, height int) []string {
	width := columns - 1
	rows := v.rows[:min(len(v.rows), max(0, height-3))]
	hidden := v.more + len(v.rows) - len(rows)
	var out []string
	for _, r := range rows {
		out = append(out, barLine(r, width))
	}
	if hidden > 0 && height > 2 {
		out = append(out, cut("... and "+Count(hidden, "more file"), width))
	}
	return append(out, totalLine(v.total, width))
}

// barLine returns the line of one file: its name, a bar or what it waits for, how much.
func barLine(r row, width int) string {
	figures := Bytes(r.uploaded)
	if r.size >= 0 {
		figures = fmt.Sprintf("%3d%% %8s", percent(r.uploaded, r.size), Bytes(r.size))
	}
	nameWidth := max(width*2/5, width-len(figures)-32)
	barWidth := width - nameWidth - len(figures) - 2
	if barWidth < 8 { // a narrow terminal
		return cut(shorten(Safe(r.name), max(1, width-len(figures)-1))+" "+figures, width)
	}
	return shorten(Safe(r.name), nameWidth) + " " + middle(r, barWidth) + " " + figures
}

// middle returns the bar of a file, or what it waits for.
func middle(r row, width int) string {
	if r.waits != nil {
		return pad(cut("waits for "+waitWord(r.waits.For), width), width)
	}
	return bar(r.uploaded, r.size, width)
}

func bar(part, whole int64, width int) string {
	inner := width - 2
	if whole < 0 {
		return "[" + strings.Repeat(" ", inner) + "]"
	}
	full := percent(part, whole) * inner / 100
	head := ""
	if full < inner {
		head = ">"
	}
	return "[" + strings.Repeat("=", full) + head + strings.Repeat(" ", max(0, inner-full-len(head))) + "]"
}

// totalLine leaves out from the end what has no room.
func totalLine(t totals, width int) string {
	line := ""
	for i, word := range t.words() {
		next := line + ", " + word
		if i == 0 {
			next = "Total " + word
		}
		if i > 0 && runewidth.StringWidth(next) > width {
			break
		}
		line = next
	}
	return cut(line, width)
}

// shorten returns a name of exactly so many columns. A long one loses its middle.
func shorten(name string, width int) string {
	if runewidth.StringWidth(name) <= width {
		return pad(name, width)
	}
	head := runewidth.Truncate(name, width/2, "")
	tail := width - runewidth.StringWidth(head) - 1
	return pad(head+"…"+runewidth.TruncateLeft(name, runewidth.StringWidth(name)-tail, ""), width)
}

func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-runewidth.StringWidth(text)))
}

func cut(text string, width int) string { return runewidth.Truncate(text, max(0, width), "") }
