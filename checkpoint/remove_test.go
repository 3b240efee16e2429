package checkpoint

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/vodupload/vodupload/checkpoint/internal/boltfile"
)

// Where a file has to be closed before it is removed, another process may claim it
// in between: it must not find the upload that is done.
func TestFileThatCannotBeRemovedYetHoldsNothing(t *testing.T) {
	for name, begin := range map[string]func(u *dirUpload){
		"after Add":  func(u *dirUpload) { mustAdd(t, u, testParts(1, 5)...); must(t, u.Flush(t.Context())) },
		"after Open": func(*dirUpload) {},
	} {
		t.Run(name, func(t *testing.T) {
			sys := hostSystem()
			sys.closeFirst = true
			tries := 0
			sys.remove = func(path string) error {
				f, err := os.Open(path)
				must(t, err)
				defer f.Close()
				info, err := f.Stat()
				must(t, err)
				if c, err := readContent(f, info.Size()); err != nil || c.ok {
					t.Errorf("the file still holds %+v, %v", c.rec, err)
				}
				if tries++; tries < 3 {
					return &fs.PathError{Op: "remove", Path: path, Err: errors.New("somebody looks at it")}
				}
				return errors.Join(f.Close(), os.Remove(path))
			}
			d := mustOpenDir(t, t.TempDir(), sys)
			must(t, mustBegin(t, d, "a", testPart(1)).Close())
			u := mustOpen(t, d, "a")
			begin(u)
			must(t, u.Remove())
			if files := filesIn(t, d.Path()); len(files) > 0 || tries != 3 {
				t.Errorf("%v are left after %d tries", files, tries)
			}
		})
	}
}

func TestRemoveLeavesTheNextHoldersFile(t *testing.T) {
	unixOnly(t)
	d := mustOpenDir(t, t.TempDir(), hostSystem())
	u := mustBegin(t, d, "a")
	must(t, replaced(u.file.path, []byte("the next holder's")))
	must(t, u.Remove())
	if data, err := os.ReadFile(u.file.path); err != nil || string(data) != "the next holder's" {
		t.Errorf("the file holds %q, %v", data, err)
	}
}

// A file that had to be given up, because somebody cut it short, and that could not be made
// again, does not stay.
func TestRemoveTakesAlsoWhatWasGivenUp(t *testing.T) {
	unixOnly(t)
	synctest.Test(t, func(t *testing.T) { // Flush writes the part first
		var fault error
		sys := hostSystem()
		open := sys.openFile
		sys.openFile = func(name string, flag int, perm os.FileMode) (*os.File, error) {
			if fault != nil {
				return nil, fault
			}
			return open(name, flag, perm)
		}
		d := mustOpenDir(t, t.TempDir(), sys)
		u := mustBegin(t, d, "a", testParts(1, 300)...)
		must(t, u.Flush(t.Context()))
		must(t, os.Truncate(u.file.path, boltfile.PageSize))
		fault = syscall.EMFILE
		mustAdd(t, u, testPart(301))
		if err := u.Flush(t.Context()); !errors.Is(err, fault) {
			t.Fatalf("Flush: error is %v, want %v", err, fault)
		}
		fault = nil
		must(t, u.Remove())
		if files := filesIn(t, d.Path()); len(files) > 0 {
			t.Errorf("%v are left", files)
		}
	})
}
