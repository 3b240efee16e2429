package checkpoint

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/vodupload/vodupload/checkpoint/internal/boltfile"
)

// recordFileBytes returns the bytes of the file of an upload with count parts, as
// it was written in groups of 50, with a Begin that replaced another before.
func recordFileBytes(t testing.TB, count int) []byte {
	t.Helper()
	d := mustOpenDir(t, t.TempDir(), hostSystem())
	u := mustBegin(t, d, "a", testParts(1, 30)...)
	must(t, u.Flush(t.Context()))
	must(t, u.Begin(t.Context(), testRecord("a")))
	for first := 1; first <= count; first += 50 {
		mustAdd(t, u, testParts(first, min(first+49, count))...)
		must(t, u.Flush(t.Context()))
	}
	path := u.file.path
	must(t, u.Close())
	data, err := os.ReadFile(path)
	must(t, err)
	return data
}

// wrong says what is wrong with what was read of a damaged file: parts may be
// missing, but what is there has to be as it was written.
func (c *content) wrong(count int) string {
	if c.ok && c.rec != testRecord("a") {
		return fmt.Sprintf("record is %+v", c.rec)
	}
	for _, p := range c.parts {
		if p.Number > count || p != testPart(p.Number) {
			return fmt.Sprintf("part is %+v", p)
		}
	}
	return ""
}

// noting records the offsets that are read.
type noting struct {
	data []byte
	seen map[int]bool
}

func (n noting) ReadAt(p []byte, off int64) (int, error) {
	n.seen[int(off)] = true
	return bytes.NewReader(n.data).ReadAt(p, off)
}

func TestFlippedByteNeverGivesWrongData(t *testing.T) {
	t.Parallel()
	const count = 80
	data := recordFileBytes(t, count)
	pages := map[int]bool{}
	must(t, walked(boltfile.Walk(noting{data, pages}, int64(len(data)), bucketName, func(_, _ []byte) error { return nil })))
	damaged := 0
	for page := range pages { // those that nothing points to cannot matter
		for i := page &^ (boltfile.PageSize - 1); i < page&^(boltfile.PageSize-1)+boltfile.PageSize; i += flipStep {
			data[i] = ^data[i]
			c, err := readContent(bytes.NewReader(data), int64(len(data)))
			if err != nil {
				damaged++
			} else if why := c.wrong(count); why != "" {
				t.Fatalf("byte %d flipped: %s", i, why)
			}
			data[i] = ^data[i]
		}
	}
	if want := 61 * count / flipStep; damaged < want { // what the parts alone take
		t.Errorf("%d flipped bytes were seen, want at least %d", damaged, want)
	}
}

// The same through the store, with bbolt at work on what passed: bytes of page
// heads and element heads, and others at random.
func TestDamagedFileBeginsAnew(t *testing.T) {
	const count = 200
	data := recordFileBytes(t, count)
	m, err := boltfile.ReadMeta(bytes.NewReader(data))
	must(t, err)
	random := rand.New(rand.NewPCG(3, 4))
	var at []int
	for page := range int(m.Pages) {
		for i := range 12 {
			at = append(at, page*boltfile.PageSize+i*8+random.IntN(8))
		}
		at = append(at, page*boltfile.PageSize+random.IntN(boltfile.PageSize))
	}
	sys := hostSystem() // nothing here is about syncs, which take most of the time
	sys.sync, sys.syncDir = func(*os.File) error { return nil }, func(string) error { return nil }
	d := mustOpenDir(t, t.TempDir(), sys)
	for _, i := range at {
		flipped := bytes.Clone(data)
		flipped[i] ^= 1 << random.IntN(8)
		useDamaged(t, d, fmt.Sprintf("byte %d flipped", i), flipped, count)
	}
	for range 40 {
		n := 1 + random.IntN(int(m.Pages)*boltfile.PageSize-1)
		useDamaged(t, d, fmt.Sprintf("cut at byte %d", n), data[:n], count)
	}
}

// useDamaged opens an upload whose file holds data, and uses it.
func useDamaged(t *testing.T, d *Dir, what string, data []byte, count int) {
	t.Helper()
	must(t, os.WriteFile(d.file(testKey("a")), data, 0o600))
	u := mustOpen(t, d, "a")
	rec, parts, ok := u.Load()
	c := content{rec: rec, parts: parts, ok: ok}
	if why := c.wrong(count); why != "" {
		t.Errorf("%s: %s", what, why)
	}
	if damaged := u.Damaged(); (damaged != nil) == ok {
		t.Errorf("%s: there is a record: %v, and damaged is: %v", what, ok, damaged)
	}
	if !ok {
		must(t, u.Begin(t.Context(), testRecord("a")))
	}
	mustAdd(t, u, testParts(1, count)...)
	must(t, u.Flush(t.Context()))
	must(t, u.Close())
	u = mustOpen(t, d, "a")
	wantContent(t, u, "a", testParts(1, count))
	if err := u.Damaged(); err != nil {
		t.Errorf("%s: damaged after it was written again: %v", what, err)
	}
	must(t, u.Remove())
}

func TestCutFileIsDamagedAtAnyLength(t *testing.T) {
	const count = 60
	data := recordFileBytes(t, count)
	m, err := boltfile.ReadMeta(bytes.NewReader(data))
	must(t, err)
	for n := 1; n < int(m.Pages)*boltfile.PageSize; n++ {
		if c, err := readContent(bytes.NewReader(data[:n]), int64(n)); err == nil {
			t.Fatalf("cut at byte %d: %d parts, want an error", n, len(c.parts))
		}
	}
}

func TestWhatIsNoRecordIsSetAside(t *testing.T) {
	foreign := boltFile(t, bolt.Options{NoFreelistSync: true}, func(tx *bolt.Tx) error {
		b, err := tx.CreateBucket([]byte("accounts"))
		must(t, err)
		return b.Put([]byte("k"), []byte("v"))
	})
	for name, put := range map[string]func(path string) error{
		"a text":                     func(p string) error { return os.WriteFile(p, []byte("hello"), 0o600) },
		"another program's database": func(p string) error { return os.WriteFile(p, foreign, 0o600) },
		"the record of another upload": func(p string) error {
			d := mustOpenDir(t, t.TempDir(), hostSystem())
			u := mustBegin(t, d, "other")
			must(t, u.Close())
			return os.Rename(u.file.path, p)
		},
		"a directory":             func(p string) error { return os.Mkdir(p, 0o700) },
		"a directory with a file": func(p string) error { return os.MkdirAll(filepath.Join(p, "file"), 0o700) },
		"a symbolic link":         func(p string) error { return os.Symlink(os.DevNull, p) },
		"a dangling link":         func(p string) error { return os.Symlink("nowhere", p) },
	} {
		for _, closeFirst := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, closed first: %v", name, closeFirst), func(t *testing.T) {
				sys := hostSystem()
				sys.closeFirst = sys.closeFirst || closeFirst
				d := mustOpenDir(t, t.TempDir(), sys)
				path := d.file(testKey("a"))
				if err := put(path); err != nil {
					t.Skip(err) // links need a right on Windows
				}
				u := mustOpen(t, d, "a")
				var damaged *DamagedError
				if err := u.Damaged(); !errors.Is(err, ErrDamaged) || !errors.As(err, &damaged) {
					t.Fatalf("damaged is %v, want a DamagedError", err)
				}
				if _, err := os.Lstat(damaged.Aside); err != nil || damaged.Path != path {
					t.Errorf("%v: %v", damaged, err)
				}
				if _, _, ok := u.Load(); ok {
					t.Error("there is a record")
				}
				must(t, u.Begin(t.Context(), testRecord("a")))
				must(t, u.Close())
				u = mustOpen(t, d, "a")
				wantContent(t, u, "a", nil)
				must(t, u.Remove())
				if files := filesIn(t, d.Path()); !slices.Equal(files, []string{filepath.Base(damaged.Aside)}) {
					t.Errorf("%v are left, want %s", files, damaged.Aside)
				}
			})
		}
	}
}

func TestEmptyFileIsNoDamage(t *testing.T) {
	d := mustOpenDir(t, t.TempDir(), hostSystem())
	must(t, os.WriteFile(d.file(testKey("a")), nil, 0o600))
	u := mustOpen(t, d, "a")
	if err := u.Damaged(); err != nil {
		t.Errorf("damaged: %v", err)
	}
	must(t, u.Close())
	if files := filesIn(t, d.Path()); len(files) > 0 {
		t.Errorf("%v are left", files)
	}
}

func TestOnlyTheLastDamagedFilesAreKept(t *testing.T) {
	d := mustOpenDir(t, t.TempDir(), hostSystem())
	var last []string
	for n := range asidesKept + 3 {
		name := fmt.Sprint("upload ", n)
		must(t, os.WriteFile(d.file(testKey(name)), []byte("damaged"), 0o600))
		u := mustOpen(t, d, name)
		last = append(last, filepath.Base(u.damaged.Aside))
		must(t, u.Remove())
	}
	slices.Sort(last[3:])
	if files := filesIn(t, d.Path()); !slices.Equal(files, last[3:]) {
		t.Errorf("%v are kept, want %v", files, last[3:])
	}
	entries, err := d.List(t.Context())
	if err != nil || len(entries) > 0 {
		t.Errorf("List: %v, %v, want nothing", entries, err)
	}
}

func TestDamageIsExplained(t *testing.T) {
	d := mustOpenDir(t, t.TempDir(), hostSystem())
	data := recordFileBytes(t, 1)
	must(t, os.WriteFile(d.file(testKey("a")), data[:3*boltfile.PageSize], 0o600))
	u := mustOpen(t, d, "a")
	defer u.Close()
	for _, want := range []string{u.file.path, "cut short: 3 pages of", "moved to " + u.file.path + ".damaged-"} {
		if got := u.Damaged().Error(); !strings.Contains(got, want) {
			t.Errorf("damaged is %q, want it to say %q", got, want)
		}
	}
}

func walked(_ uint64, err error) error { return err }
