package main

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/vodupload/vodupload/upload/fleet"
)

// A narrator says what happens, with the time since the start.
type narrator struct {
	each  int // parts of a film
	start time.Time

	mu     sync.Mutex
	out    *os.File
	films  map[string]fleet.JobInfo // by job, as they were last seen
	killed time.Time                // the worker
}

func newNarrator(out *os.File, parts int) *narrator {
	return &narrator{each: parts, start: time.Now(), out: out, films: make(map[string]fleet.JobInfo)}
}

func (n *narrator) say(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.sayLocked(format, args...)
}

func (n *narrator) sayLocked(format string, args ...any) {
	fmt.Fprintf(n.out, "%5.1f s  "+format+"\n", append([]any{time.Since(n.start).Seconds()}, args...)...)
}

// list joins names as in a sentence.
func list(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}
