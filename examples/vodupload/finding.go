package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/vodupload/vodupload/examples/vodupload/internal/output"
)

// A grade says how good a finding is.
type grade string

const (
	good grade = "ok"
	note grade = "note" // it works, and could be better
	bad  grade = "bad"
)

// A finding is one thing that whoami or doctor found out.
type finding struct {
	grade grade
	about string // like "clock"
	text  string // what was found
	todo  string // what to do about it; empty: nothing
	err   error  // of a bad one, for the exit code
}

// line returns the finding for people.
func (f finding) line() string {
	text := fmt.Sprintf("%-4s  %-12s  %s", f.grade, f.about, f.text)
	if f.todo != "" {
		text += ": " + f.todo
	}
	return output.Safe(strings.TrimRight(text, " "))
}

// findings are shown as they come. What an interrupted run finds bad is not shown: its requests
// failed because of that.
type findings struct {
	app    *app
	report *output.Reporter
	ended  func() bool // the run was interrupted
	bad    failures
}

// findings returns none, of a run that the end of ctx interrupts.
func (a *app) findings(ctx context.Context) *findings {
	return &findings{app: a, report: a.reporter(), ended: func() bool { return ctx.Err() != nil }}
}

// add shows a finding.
func (all *findings) add(f finding) { all.addWith(f, nil) }

// addWith shows a finding, and for programs what it is about in single fields.
func (all *findings) addWith(f finding, who *output.Identity) {
	if f.grade == bad && all.ended() {
		return
	}
	if !all.app.global.json && (f.grade != good || !all.app.global.quiet) {
		fmt.Fprintln(all.app.stdout, f.line())
	}
	e := output.Event{Type: "finding", For: f.about, Code: string(f.grade), Message: f.text, Identity: who}
	if f.todo != "" {
		e.Message += ": " + f.todo
	}
	all.report.Emit(e)
	if f.grade == bad {
		if f.err == nil {
			f.err = fmt.Errorf("%s: %s", f.about, f.text)
		}
		all.bad = append(all.bad, f.err)
	}
}

// end closes the report. The error has the exit code; all was shown already.
func (all *findings) end(ctx context.Context) error {
	err := context.Cause(ctx)
	if err != nil {
		all.app.sayInterrupted(all.report, err)
	} else if len(all.bad) > 0 {
		err = all.bad
	}
	all.report.Close(exitCode(err))
	if err != nil {
		return reportedError{err}
	}
	return nil
}
