package main

import (
	"bytes"
	"io"
	"regexp"
	"strings"

	"github.com/mattn/go-runewidth"
	"github.com/spf13/cobra"
)

// fitHelp breaks the help of all commands where the terminal ends.
func (a *app) fitHelp(root *cobra.Command) {
	help := root.HelpFunc()
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		var text bytes.Buffer
		cmd.SetOut(&text)
		help(cmd, args)
		cmd.SetOut(nil)
		_, _ = io.WriteString(a.stdout, fitted(text.String(), columnsOf(a.stdout)))
	})
}

// fitted returns a help text whose lines have less than so many columns; 0: as it is.
// Paragraphs are broken anew. What stands in columns, as flags do, keeps its first ones.
func fitted(text string, columns int) string {
	if columns == 0 {
		return text
	}
	var b strings.Builder
	paragraph := ""
	end := func() {
		if paragraph != "" {
			b.WriteString(broken(paragraph, 0, columns) + "\n")
		}
		paragraph = ""
	}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		prose := line != "" && line[0] != ' ' && line[0] != '\t'
		if prose && !strings.HasSuffix(line, ":") && !strings.HasSuffix(paragraph, ":") {
			paragraph = strings.TrimLeft(paragraph+" "+line, " ")
			continue
		}
		end()
		b.WriteString(broken(line, hanging(line), columns) + "\n")
	}
	end()
	return b.String()
}

// lastColumn begins after two spaces or more.
var lastColumn = regexp.MustCompile(`^ .*?\S {2,}(\S)`)

// hanging returns where the lines begin that continue a line.
func hanging(line string) int {
	if at := lastColumn.FindStringSubmatchIndex(line); at != nil {
		return at[2]
	}
	return len(line) - len(strings.TrimLeft(line, " "))
}

// broken breaks a line between words. Those that follow the first begin at a column.
func broken(line string, begin, columns int) string {
	if begin > columns/2 {
		begin = 4
	}
	if strings.HasPrefix(line, "\t") { // a command, to be copied
		return line
	}
	indent := line[:len(line)-len(strings.TrimLeft(line, " "))]
	var out strings.Builder
	out.WriteString(indent)
	at, first := len(indent), true
	for _, word := range strings.SplitAfter(line[len(indent):], " ") {
		if width := runewidth.StringWidth(strings.TrimRight(word, " ")); !first && word != " " && at+width >= columns {
			out.WriteString("\n" + strings.Repeat(" ", begin))
			at = begin
		}
		out.WriteString(word)
		at, first = at+runewidth.StringWidth(word), false
	}
	lines := strings.Split(out.String(), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}
