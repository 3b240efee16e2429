package checkpoint

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/vodupload/vodupload/checkpoint/internal/boltfile"
)

// A recorder notes in which order things are made durable, and what was in the
// file then.
type recorder struct {
	events []string
	synced []byte // the file as of its last sync
}

func (r *recorder) system(t *testing.T) system {
	sys := hostSystem()
	sys.sync = func(f *os.File) error {
		data, err := os.ReadFile(f.Name())
		must(t, err)
		r.events, r.synced = append(r.events, "file"), data
		return f.Sync()
	}
	sys.syncDir = func(dir string) error {
		r.events = append(r.events, "directory")
		return syncDir(dir)
	}
	return sys
}

// What is synced when Begin returns is all that there is: nothing was written after.
func TestBeginSyncsTheFileThenItsEntry(t *testing.T) {
	var r recorder
	d := mustOpenDir(t, t.TempDir(), r.system(t))
	u := mustOpen(t, d, "a")
	r.events = nil
	must(t, u.Begin(t.Context(), testRecord("a")))
	if want := []string{"file", "directory"}; !slices.Equal(r.events, want) {
		t.Errorf("Begin synced %v, want %v", r.events, want)
	}
	now, err := os.ReadFile(u.file.path)
	must(t, err)
	if !bytes.Equal(now, r.synced) {
		t.Error("the file was written to after it was synced")
	}
	c, err := readContent(bytes.NewReader(r.synced), int64(len(r.synced)))
	if err != nil || !c.ok || c.rec != testRecord("a") {
		t.Errorf("what was synced holds %+v, %v", c, err)
	}
	// From now on, bbolt syncs each transaction by itself, pages before meta page.
	if u.file.db.NoSync || u.file.db.NoGrowSync {
		t.Error("bbolt does not sync")
	}
	r.events = nil
	must(t, u.Begin(t.Context(), testRecord("a")))
	if len(r.events) > 0 {
		t.Errorf("a second Begin synced %v once more", r.events)
	}
	must(t, u.Close())

	u = mustOpen(t, d, "a") // whoever made this file may not have lived to sync its entry
	must(t, u.Begin(t.Context(), testRecord("a")))
	if want := []string{"directory"}; !slices.Equal(r.events, want) || u.file.db.NoSync || u.file.db.NoGrowSync {
		t.Errorf("Begin over an old record synced %v, want %v, and bbolt the file", r.events, want)
	}
}

func TestNewDirectoriesAreSynced(t *testing.T) {
	var r recorder
	dir := t.TempDir()
	mustOpenDir(t, dir+"/a/b/c", r.system(t))
	if len(r.events) != 3 {
		t.Errorf("%d directories were synced, want the 3 that got a new entry", len(r.events))
	}
	r.events = nil
	mustOpenDir(t, dir+"/a/b/c", r.system(t))
	if len(r.events) > 0 || len(filesIn(t, dir+"/a/b/c")) > 0 {
		t.Errorf("opening it again synced %v and left %v", r.events, filesIn(t, dir+"/a/b/c"))
	}
}

// crashes calls each with images that a loss of power may leave when the pages
// that changed between two states of a file were on their way: any of them may be
// there, in part even, in a file of either length.
func crashes(random *rand.Rand, before, after []byte, mayChange func(page int) bool, each func(image []byte)) {
	pages := (len(after) + boltfile.PageSize - 1) / boltfile.PageSize
	for range 30 {
		image := make([]byte, len(after))
		copy(image, before)
		for page := range pages {
			if !mayChange(page) || random.IntN(2) == 0 {
				continue
			}
			from, to := page*boltfile.PageSize, min((page+1)*boltfile.PageSize, len(after))
			if random.IntN(8) == 0 {
				to = from + random.IntN(to-from) // torn
			}
			copy(image[from:to], after[from:to])
		}
		if random.IntN(2) == 0 && len(before) > 0 {
			image = image[:len(before)]
		}
		each(image)
	}
}

func TestPowerLossDuringBegin(t *testing.T) {
	var r recorder
	d := mustOpenDir(t, t.TempDir(), r.system(t))
	u := mustBegin(t, d, "a")
	defer u.Close()
	crashes(rand.New(rand.NewPCG(5, 6)), nil, r.synced, func(int) bool { return true }, func(image []byte) {
		c, err := readContent(bytes.NewReader(image), int64(len(image)))
		if err == nil && (!c.ok || c.rec != testRecord("a") || len(c.parts) > 0) {
			t.Errorf("image of %d bytes holds %+v", len(image), c)
		}
	})
}

// bbolt syncs the pages of a transaction, then writes the meta page that makes them
// count, then syncs that. Whichever of these writes got through when the power
// went, what was promised before is there.
func TestPowerLossDuringAdd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // what is added is one transaction
		d := mustOpenDir(t, t.TempDir(), hostSystem())
		u := mustBegin(t, d, "a")
		defer u.Close()
		random := rand.New(rand.NewPCG(7, 8))
		numbers := random.Perm(600)
		read := func() []byte {
			data, err := os.ReadFile(u.file.path)
			must(t, err)
			return data
		}
		content := func(image []byte) (int, string) {
			c, err := readContent(bytes.NewReader(image), int64(len(image)))
			if err != nil {
				return 0, err.Error()
			}
			if why := c.wrong(600); why != "" || !c.ok {
				return 0, fmt.Sprintf("record %v %s", c.ok, why)
			}
			return len(c.parts), ""
		}
		isMeta := func(page int) bool { return page < 2 }
		for promised, before := 0, read(); promised < len(numbers); promised += 30 {
			for _, n := range numbers[promised : promised+30] {
				mustAdd(t, u, testPart(n+1))
			}
			must(t, u.Flush(t.Context()))
			after := read()
			crashes(random, before, after, func(page int) bool { return !isMeta(page) }, func(image []byte) {
				if n, why := content(image); n != promised || why != "" {
					t.Errorf("with pages under way: %d parts, %s, want %d", n, why, promised)
				}
			})
			written := bytes.Clone(after) // all but the meta page
			copy(written[:2*boltfile.PageSize], before)
			crashes(random, written, after, isMeta, func(image []byte) {
				if n, why := content(image); n != promised && n != promised+30 || why != "" {
					t.Errorf("with the meta page under way: %d parts, %s, want %d or %d", n, why, promised, promised+30)
				}
			})
			before = after
		}
	})
}
