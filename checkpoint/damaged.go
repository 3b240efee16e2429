package checkpoint

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	fileExt    = ".checkpoint"
	asideMark  = ".damaged-"
	asideTime  = "20060102T150405.000000000Z" // sorts like the time
	asidesKept = 4                            // how many are kept in a directory
)

// setAside moves what is at the path out of the way, and gives the claim on it up.
func (r *recordFile) setAside(cause error) (*DamagedError, error) {
	aside := r.path + asideMark + time.Now().UTC().Format(asideTime)
	var err error
	if r.sys.closeFirst {
		// Whoever claims it in between has it open, so that it is not renamed, or
		// has set it aside already.
		err = join(r.release(), os.Rename(r.path, aside))
	} else {
		err = join(os.Rename(r.path, aside), r.release())
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fail("set aside", r.path, err)
	}
	dropAsides(r.dir)
	return &DamagedError{Path: r.path, Aside: aside, Cause: cause}, nil
}

// dropAsides removes all but the last of what was set aside in dir. If one of
// them stays, that does not matter. A directory that is not empty stays.
func dropAsides(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	var names []string
	for _, e := range entries {
		if strings.Contains(e.Name(), fileExt+asideMark) {
			names = append(names, e.Name())
		}
	}
	when := func(name string) string { return name[strings.LastIndex(name, asideMark):] }
	slices.SortFunc(names, func(a, b string) int { return strings.Compare(when(a), when(b)) })
	for len(names) > asidesKept {
		_ = os.Remove(filepath.Join(dir, names[0]))
		names = names[1:]
	}
}
