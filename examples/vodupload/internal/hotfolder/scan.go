package hotfolder

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
)

// A scan is what one reading of the folder found.
type scan struct {
	found  map[string]Identity
	unread []string // folders that could not be read, "." for all
	err    error    // why the first could not
}

// readFolder reads the folder and those below it. Symbolic links, and what is no regular
// file, are left out.
func readFolder(ctx context.Context, dir string, skip func(name string) bool) scan {
	s := scan{found: make(map[string]Identity)}
	_ = filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			s.unread = append(s.unread, ".")
			return fs.SkipAll
		}
		rel, relErr := filepath.Rel(dir, p)
		if relErr != nil {
			return relErr
		}
		name := filepath.ToSlash(rel)
		if err != nil {
			s.unread = append(s.unread, name)
			if s.err == nil {
				s.err = err
			}
			return nil
		}
		if d.IsDir() {
			if name != "." && skip(name) {
				return fs.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() || skip(name) {
			return nil
		}
		if info, err := d.Info(); err == nil {
			s.found[name] = IdentityOf(info)
		}
		return nil
	})
	return s
}

// look looks at one file.
func look(dir, name string) (id Identity, ok bool) {
	info, err := os.Lstat(filepath.Join(dir, filepath.FromSlash(name)))
	if err != nil || !info.Mode().IsRegular() {
		return Identity{}, false
	}
	return IdentityOf(info), true
}
