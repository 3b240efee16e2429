package upload_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// TestWaitingBeforeTheStart is visible as other waits are: a file says what keeps it from
// being started.
func TestWaitingBeforeTheStart(t *testing.T) {
	for name, tt := range map[string]struct {
		why  upload.WaitReason
		held func(b *testbed, c *upload.Client) (id upload.FileID, release func())
	}{
		"lower ranks of its group": {upload.WaitGroup, func(b *testbed, c *upload.Client) (upload.FileID, func()) {
			hang := osstest.Hang(osstest.OpPutObject)
			b.server.Inject(hang)
			ids := inOrder(c, new(upload.Group), map[int][]upload.File{0: {b.bytesOf("seg.ts", 10)}, 1: {b.bytesOf("list.m3u8", 10)}}, 1, 0)
			b.do(c.Start(b.ctx))
			return ids["list.m3u8"], hang.Release
		}},
		"a deleted file with its key": {upload.WaitClaim, func(b *testbed, c *upload.Client) (upload.FileID, func()) {
			part, abort := osstest.Hang(osstest.OpUploadPart), osstest.Hang(osstest.OpAbortMultipartUpload)
			b.server.Inject(part, abort)
			f := b.bytesOf("a", 3*mib)
			first := must(c.AddFile(f))
			b.do(c.Start(b.ctx))
			synctest.Wait()
			b.do(c.DeleteFile(first))
			synctest.Wait()
			return must(c.AddFile(f)), abort.Release
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newDirectTestbed(t)
				var log waitingLog
				var mu sync.Mutex
				var order []string
				seen := func(call string, id upload.FileID) {
					mu.Lock()
					defer mu.Unlock()
					order = append(order, call+" "+id.String())
				}
				b.opts.Callbacks.OnStarted = func(_ *upload.Client, f upload.FileInfo) { seen("started", f.ID) }
				b.opts.Callbacks.OnWaiting = func(c *upload.Client, f upload.FileInfo, w upload.Waiting) {
					seen("waiting", f.ID)
					log.add(c, f, w)
				}
				b.opts.Observer = &upload.Observer{Wait: func(id upload.FileID, w upload.Waiting, lasted time.Duration) {
					if w.For == tt.why {
						seen("waited "+lasted.String(), id)
					}
				}}
				c := b.client()
				id, release := tt.held(b, c)
				begin := time.Now()
				time.Sleep(time.Second)
				f := must(c.File(id))
				if w := f.Waiting; f.State != upload.FileInit || w == nil || w.For != tt.why || !w.Since.Equal(begin) || w.Err != nil {
					t.Errorf("the file is %v and waits for %v", f.State, w)
				}
				ctx, cancel := context.WithTimeout(b.ctx, time.Second)
				defer cancel()
				if err := c.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "1 file waits for "+tt.why.String()+", for 2s now") {
					t.Errorf("Wait: got %v, want it to name what is waited for", err)
				}
				b.do(c.Pause())
				if w := must(c.File(id)).Waiting; w != nil {
					t.Errorf("the file waits for %v in a pause", w)
				}
				b.do(c.Resume())
				b.do(c.Pause())
				b.do(c.Resume())
				release()
				b.do(c.Wait(b.ctx))
				synctest.Wait()
				if w := must(c.File(id)).Waiting; w != nil {
					t.Errorf("the file waits for %v after its end", w)
				}
				if got, want := log.text(begin), tt.why.String()+" since 0s: <nil>\n"; got != want {
					t.Errorf("OnWaiting was called for\n%swant\n%s", got, want)
				}
				mu.Lock()
				defer mu.Unlock()
				waiting, started := slices.Index(order, "waiting "+id.String()), slices.Index(order, "started "+id.String())
				if waiting < 0 || started < waiting || !slices.Contains(order, "waited 2s "+id.String()) {
					t.Errorf("got %v, want file %v to wait for 2 s, and then to start", order, id)
				}
			})
		})
	}
}

// TestManyFilesThatAreHeldBack are reported, each once, and none that has its turn in time.
func TestManyFilesThatAreHeldBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const files = 300
		b := newDirectTestbed(t)
		b.server.Inject(osstest.Delay(osstest.OpPutObject, 90*time.Millisecond).Key("seg"), osstest.Delay(osstest.OpPutObject, time.Second).Key("seg of many"))
		b.opts.Parallel = 2
		calls := make(map[upload.FileID]int)
		b.opts.Callbacks.OnWaiting = func(_ *upload.Client, f upload.FileInfo, _ upload.Waiting) { calls[f.ID]++ }
		c := b.client()
		var brief, long upload.Group
		inOrder(c, &brief, map[int][]upload.File{0: {b.bytesOf("seg", 1)}, 1: {b.bytesOf("list", 1)}}, 0, 1)
		group := map[int][]upload.File{0: {b.bytesOf("seg of many", 1)}}
		for i := range files {
			group[1] = append(group[1], b.bytesOf("list "+upload.FileID(i).String(), 1))
		}
		ids := inOrder(c, &long, group, 1, 0)
		b.do(c.Start(b.ctx))
		b.do(c.Wait(b.ctx))
		synctest.Wait()
		if len(calls) != files {
			t.Errorf("OnWaiting was called for %d files, want %d", len(calls), files)
		}
		for _, f := range group[1] {
			if n := calls[ids[f.Object]]; n != 1 {
				t.Errorf("OnWaiting was called %d times for %s, want once", n, f.Object)
			}
		}
	})
}
