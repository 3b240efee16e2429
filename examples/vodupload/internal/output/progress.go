// Package output shows what a run of the command does: to people on standard error, as
// bars where that is a terminal and as plain lines elsewhere, and to programs as JSON on
// standard output.
package output

import (
	"fmt"
	"slices"
	"strings"
)

// Progress is how progress is shown to people.
type Progress string

// The values of the flag --progress.
const (
	Auto  Progress = "auto" // bars on a terminal, plain lines elsewhere
	Bars  Progress = "bar"
	Plain Progress = "plain"
	None  Progress = "none"
)

var progresses = []string{string(Auto), string(Bars), string(Plain), string(None)}

// Set reads the flag.
func (p *Progress) Set(text string) error {
	if !slices.Contains(progresses, text) {
		return fmt.Errorf("wanted one of %s", strings.Join(progresses, ", "))
	}
	*p = Progress(text)
	return nil
}

// String returns the flag's value.
func (p *Progress) String() string {
	if *p == "" {
		return string(Auto)
	}
	return string(*p)
}

// Type is the word for the value in the help.
func (p *Progress) Type() string { return "KIND" }
