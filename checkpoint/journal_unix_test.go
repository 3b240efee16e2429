//go:build unix

package checkpoint

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// What is at the journal's place, and is not the journal's alone, is neither read for ever
// nor written to.
func TestWhatIsInTheJournalsPlace(t *testing.T) {
	for name, put := range map[string]func(victim, path string) error{
		"pipe":             func(_, path string) error { return syscall.Mkfifo(path, 0o600) },
		"link to a device": func(_, path string) error { return os.Symlink("/dev/zero", path) },
		"symbolic link":    os.Symlink,
		"hard link":        os.Link,
		"directory":        func(_, path string) error { return os.Mkdir(path, 0o700) },
		"huge hole": func(_, path string) error {
			return errors.Join(os.WriteFile(path, nil, 0o600), os.Truncate(path, 1<<40))
		},
	} {
		t.Run(name, func(t *testing.T) {
			victim := filepath.Join(t.TempDir(), "victim")
			must(t, os.WriteFile(victim, []byte("precious"), 0o600))
			d := mustOpenDir(t, t.TempDir(), hostSystem())
			killed(t, d, func([]byte, uint64) []byte { return nil }, testParts(1, 3)...)
			u := mustOpen(t, d, "a")
			path := u.journal.path
			must(t, u.Close())
			_ = os.Remove(path)
			must(t, put(victim, path))

			if list, err := d.List(t.Context()); len(list) != 1 || err != nil || list[0].Parts != 3 {
				t.Errorf("List returned %+v, %v; want the record with 3 parts", list, err)
			}
			u = mustOpen(t, d, "a")
			wantContent(t, u, "a", testParts(1, 3))
			u.journal.mu.Lock()
			u.journal.write(frames(t, u.tag[:], u.number+1, testPart(4)))
			u.journal.mu.Unlock()
			if got, _ := readJournal(path); len(got) != 1 {
				t.Errorf("the journal has %d frames, want the one that was written", len(got))
			}
			must(t, u.Remove())
			if files := filesIn(t, d.Path()); len(files) > 0 {
				t.Errorf("%v are left", files)
			}
			if got, err := os.ReadFile(victim); string(got) != "precious" {
				t.Errorf("the other file holds %q, %v", got, err)
			}
		})
	}
}
