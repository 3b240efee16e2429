// Package selection decides which entries of a folder are copied. It looks at names and
// times that it is given, and at nothing else.
package selection

import (
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"
)

// A Rules says what is copied. Its zero value is everything.
type Rules struct {
	// Include and Exclude are patterns: * and ? stand for what is within one name, ** for
	// any number of folders, [a-z] and {mp4,mov} for alternatives. A pattern with a slash
	// is for the path below the folder that is copied, one without for the name alone.
	Include, Exclude []string

	// MaxDepth is how many levels there are at most: 1 is the folder's own files. 0 means
	// no limit.
	MaxDepth int

	// MinAge is how long ago a file must have been written.
	MinAge time.Duration
}

// Check returns an error for a pattern that is none.
func Check(pattern string) error {
	if pattern == "" || !doublestar.ValidatePattern(pattern) {
		return fmt.Errorf("%q is no pattern: wanted one like *.mp4, raw/** or *.{mp4,mov}", pattern)
	}
	return nil
}

// Folder reports whether a folder is looked into. name is its path below the folder that
// is copied, with slashes; one at its end makes no difference. A pattern may end in one, too.
func (r Rules) Folder(name string) bool {
	name = strings.TrimSuffix(name, "/")
	return (r.MaxDepth == 0 || depth(name) < r.MaxDepth) && !matches(r.Exclude, name) && !matches(r.Exclude, name+"/")
}

// File reports whether a file is copied that was written at a time.
func (r Rules) File(name string, written, now time.Time) bool {
	switch {
	case r.MaxDepth > 0 && depth(name) > r.MaxDepth, matches(r.Exclude, name):
		return false
	case len(r.Include) > 0 && !matches(r.Include, name):
		return false
	}
	return r.MinAge == 0 || now.Sub(written) >= r.MinAge
}

func depth(name string) int { return strings.Count(name, "/") + 1 }

func matches(patterns []string, name string) bool {
	for _, p := range patterns {
		of := name
		if !strings.Contains(p, "/") {
			of = path.Base(name)
		}
		if doublestar.MatchUnvalidated(strings.TrimPrefix(p, "/"), of) {
			return true
		}
	}
	return false
}
