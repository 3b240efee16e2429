package main

import (
	"io"
	"os"
	"strings"
	"time"
)

// An env is what a run of the command has of the world. Tests give their own.
type env struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	environ        []string // KEY=value
	now            func() time.Time
	signals        <-chan os.Signal
	exit           func(code int) // ends the process at once
}

// lookup returns the value of an environment variable. One that is empty counts as not
// set, so that it can be switched off for a single command.
func (e env) lookup(name string) (string, bool) {
	for i := len(e.environ) - 1; i >= 0; i-- {
		if value, found := strings.CutPrefix(e.environ[i], name+"="); found {
			return value, value != ""
		}
	}
	return "", false
}
