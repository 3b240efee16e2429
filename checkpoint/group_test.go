package checkpoint

import (
	"bytes"
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vodupload/vodupload/checkpoint/internal/boltfile"
)

// commits returns how many transactions the file of u has seen.
func commits(t *testing.T, u *dirUpload) int {
	t.Helper()
	m, err := boltfile.ReadMeta(u.file.f)
	must(t, err)
	return int(m.TxID)
}

func TestPartIsDurableWithin100ms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := mustBegin(t, mustOpenDir(t, t.TempDir(), hostSystem()), "a")
		defer u.Close()
		for n := 1; n <= 5; n++ {
			mustAdd(t, u, testPart(n))
			time.Sleep(100 * time.Millisecond)
			synctest.Wait()
			if c := onDisk(t, u); !slices.Equal(c.parts, testParts(1, n)) {
				t.Errorf("%d parts are on disk 100 ms after the last, want %d", len(c.parts), n)
			}
		}
	})
}

func TestPartsAreWrittenInGroups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := mustBegin(t, mustOpenDir(t, t.TempDir(), hostSystem()), "a")
		defer u.Close()
		before := commits(t, u)
		const seconds = 2
		for n := range seconds * 1000 {
			mustAdd(t, u, testPart(n+1))
			time.Sleep(time.Millisecond)
		}
		synctest.Wait()
		if n := commits(t, u) - before; n > seconds*20 {
			t.Errorf("%d transactions for %d parts in %d s, want at most 20 a second", n, seconds*1000, seconds)
		}
	})
}

// What a group costs is the pages that it writes, and they do not become more.
func TestCostOfAPartDoesNotGrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // what is added is one group
		u := mustBegin(t, mustOpenDir(t, t.TempDir(), hostSystem()), "a")
		defer u.Close()
		read := func() []byte {
			data, err := os.ReadFile(u.file.path)
			must(t, err)
			return data
		}
		const group, most = 20, 9 // of a leaf's 67 parts; with room for a split
		for _, already := range []int{100, 1_000, 9_900} {
			_, parts, _ := u.Load()
			mustAdd(t, u, testParts(len(parts)+1, already)...)
			must(t, u.Flush(t.Context()))
			before := read()
			mustAdd(t, u, testParts(already+1, already+group)...)
			must(t, u.Flush(t.Context()))
			after := read()
			changed := 0
			for at := 0; at < len(after); at += boltfile.PageSize {
				if at >= len(before) || !bytes.Equal(before[at:at+boltfile.PageSize], after[at:at+boltfile.PageSize]) {
					changed++
				}
			}
			if changed > most {
				t.Errorf("%d parts more wrote %d pages with %d parts there already, want at most %d", group, changed, already, most)
			}
		}
	})
}

func TestAddDoesNotWaitForTheDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := mustBegin(t, mustOpenDir(t, t.TempDir(), hostSystem()), "a")
		defer u.Close()
		u.disk.Lock() // the disk is stuck
		mustAdd(t, u, testParts(1, 5_000)...)
		ctx, cancel := context.WithTimeout(t.Context(), 0)
		defer cancel()
		if err := u.Flush(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Flush: error is %v, want %v", err, context.DeadlineExceeded)
		}
		mustAdd(t, u, testParts(5_001, 10_000)...)
		before := commits(t, u)
		u.disk.Unlock()
		must(t, u.Flush(t.Context()))
		if n := commits(t, u) - before; n != 1 {
			t.Errorf("%d transactions for what came together while the disk was stuck, want 1", n)
		}
		wantContent(t, u, "a", testParts(1, 10_000))
	})
}

// full makes the disk of u full, or not.
func full(u *dirUpload, is bool) {
	u.disk.Lock()
	defer u.disk.Unlock()
	u.file.db.MaxSize = 0
	if is {
		u.file.db.MaxSize = 1
	}
}

func TestFailedWriteIsToldAndTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := mustOpenDir(t, t.TempDir(), hostSystem())
		u := mustBegin(t, d, "a")
		full(u, true)
		mustAdd(t, u, testParts(1, 600)...)
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
		if err := u.Add(testPart(601)); err == nil || !strings.Contains(err.Error(), "write "+u.file.path) {
			t.Errorf("Add after a write that failed: error is %v, want one that names the file", err)
		}
		mustAdd(t, u, testPart(602)) // it was told
		if err := u.Flush(t.Context()); err == nil {
			t.Error("Flush while the disk is full: no error")
		}
		full(u, false)
		must(t, u.Flush(t.Context()))
		mustAdd(t, u, testPart(603)) // nothing is left to tell
		must(t, u.Close())
		u = mustOpen(t, d, "a")
		defer u.Close()
		wantContent(t, u, "a", testParts(1, 603))
	})
}

func TestCloseTellsWhatWasNotWritten(t *testing.T) {
	d := mustOpenDir(t, t.TempDir(), hostSystem())
	u := mustBegin(t, d, "a", testPart(1))
	must(t, u.Flush(t.Context()))
	full(u, true)
	for _, p := range testParts(2, 600) {
		_ = u.Add(p) // on a slow machine the first group has failed by the last of them
	}
	if err := u.Close(); err == nil {
		t.Error("Close while the disk is full: no error")
	}
	u = mustOpen(t, d, "a") // the claim is given up all the same
	defer u.Close()
	wantContent(t, u, "a", testParts(1, 600)) // the journal has what the transaction could not hold
}

func TestFlushEndsWithClose(t *testing.T) {
	u := mustBegin(t, mustOpenDir(t, t.TempDir(), hostSystem()), "a", testPart(1))
	u.mu.Lock()
	g := u.schedule(time.Hour)
	u.mu.Unlock()
	must(t, u.Close())
	<-g.done
	if g.err != nil {
		t.Errorf("waiting for the group: %v", g.err)
	}
}
