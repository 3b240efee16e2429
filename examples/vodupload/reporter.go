package main

import (
	"github.com/vodupload/vodupload/examples/vodupload/internal/output"
)

// reporter returns a reporter of this run, as the global flags want it.
func (a *app) reporter() *output.Reporter {
	opts := output.Options{
		Progress: a.global.progress,
		Quiet:    a.global.quiet,
		Verbose:  a.global.verbose,
		People:   a.stderr,
		Now:      a.now,
		DryRun:   errDryRun,
	}
	_, noColor := a.lookup("NO_COLOR")
	dumb, _ := a.lookup("TERM")
	opts.Color = !noColor && !a.global.noColor && dumb != "dumb" && output.IsTerminal(a.stderr)
	if dumb == "dumb" && a.global.progress == "" {
		opts.Progress = output.Plain
	}
	if a.global.json || !a.started && a.wantsJSON() {
		opts.JSON = a.stdout
	}
	return output.New(opts)
}

// wantsJSON looks for --json in a command line that was not understood.
func (a *app) wantsJSON() bool {
	for _, arg := range a.args {
		switch arg {
		case "--json", "--json=true":
			return true
		case "--":
			return false
		}
	}
	return false
}
