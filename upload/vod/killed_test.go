package vod_test

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
	"github.com/vodupload/vodupload/upload/vod"
	"github.com/vodupload/vodupload/upload/vod/vodtest"
)

// childEnv holds the work of a process that is killed, as JSON.
const childEnv = "VODUPLOAD_VOD_CHILD"

type childWork struct {
	KeyID, Secret string // of the RAM user
	STS, VOD      string // URLs
	Checkpoints   string
	Path          string
}

// child is that process: it uploads one file, and says what became of it.
func child(spec string) error {
	var work childWork
	if err := json.Unmarshal([]byte(spec), &work); err != nil {
		return err
	}
	cache, err := provider(sts.Credentials{AccessKeyID: work.KeyID, AccessKeySecret: work.Secret}, work.STS)
	if err != nil {
		return err
	}
	defer cache.Close()
	client, err := vod.NewClient(cache, &vod.ClientOptions{Endpoint: work.VOD})
	if err != nil {
		return err
	}
	authorizer, err := vod.NewAuthorizer(client, &vod.AuthorizerOptions{RetryInterval: time.Millisecond})
	if err != nil {
		return err
	}
	store, err := checkpoint.OpenDir(work.Checkpoints)
	if err != nil {
		return err
	}
	defer store.Close()
	c, err := upload.New(&upload.Options{Authorizer: authorizer, Checkpoints: store, PartSize: 100 * kib, RetryInterval: time.Millisecond})
	if err != nil {
		return err
	}
	defer c.Close()
	r, err := c.Upload(context.Background(), upload.File{Path: work.Path})
	if errors.Is(err, upload.ErrAnswerLost) {
		fmt.Println("lost")
		return nil
	}
	if err == nil {
		fmt.Println("media", cmp.Or(r.VideoID, r.MediaID), r.ResumedParts)
	}
	return err
}

// run lets a process upload the file. It is killed when kill is closed. What it said
// is returned; nothing if it was killed.
func (w *world) run(path string, kill <-chan struct{}) string {
	w.t.Helper()
	user := w.keys.DefaultUser()
	spec := must(json.Marshal(childWork{user.AccessKeyID, user.AccessKeySecret, w.keys.URL, w.vod.URL, w.checkpoints, path}))
	cmd := exec.CommandContext(w.ctx, must(os.Executable()))
	cmd.Env = append(os.Environ(), childEnv+"="+string(spec))
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out := must(cmd.StdoutPipe())
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	var killer sync.WaitGroup
	ended := make(chan struct{})
	killer.Go(func() {
		select {
		case <-kill:
			_ = cmd.Process.Kill()
		case <-ended:
		}
	})
	said := ""
	for lines := bufio.NewScanner(out); lines.Scan(); {
		said = lines.Text()
	}
	err := cmd.Wait()
	close(ended)
	killer.Wait()
	select {
	case <-kill:
		return ""
	default:
	}
	if err != nil {
		w.t.Fatalf("the uploading process failed: %v\n%s", err, stderr.String())
	}
	return said
}

// A moment is an instant of an upload.
type moment struct {
	at     chan struct{} // closed when it has come
	closed sync.Once
}

// come is called at the moment, and holds it until the process that met it is gone.
func (m *moment) come(ctx context.Context) {
	m.closed.Do(func() { close(m.at) })
	<-ctx.Done()
}

// A kill is an instant at which the process that uploads is killed, and what is wanted
// of those that come after it.
type kill struct {
	name  string
	file  string
	size  int // bytes
	setup func(w *world, m *moment)
	lost  bool // the next process cannot know whether a video was made, and says so once
	media int  // that are made in the end
	parts int  // that must not be sent again
	left  int  // unfinished uploads
}

const film = 2000 * kib // 20 parts

var kills = []kill{
	{"before CreateUploadVideo is carried out", "a.mp4", film, func(w *world, m *moment) {
		w.vod.Inject(vodtest.Fault{Action: vodtest.CreateUploadVideo, Before: m.come})
	}, true, 1, 0, 0},
	{"after CreateUploadVideo, before its answer", "a.mp4", film, func(w *world, m *moment) {
		w.vod.Inject(vodtest.Fault{Action: vodtest.CreateUploadVideo, After: m.come})
	}, true, 2, 0, 0},
	{"between the video and the upload", "a.mp4", film, func(w *world, m *moment) {
		w.at(m, osstest.Hang(osstest.OpInitiateMultipartUpload), 0)
	}, false, 1, 0, 0},
	{"between two parts", "a.mp4", film, func(w *world, m *moment) {
		w.at(m, osstest.Hang(osstest.OpUploadPart).Nth(12), 19) // the others go on
	}, false, 1, 19, 0},
	{"before Complete", "a.mp4", film, func(w *world, m *moment) {
		w.at(m, osstest.Hang(osstest.OpCompleteMultipartUpload), 20)
	}, false, 1, 20, 0},
	{"after Complete, before its answer", "a.mp4", film, func(w *world, m *moment) {
		w.letRead()
		w.at(m, osstest.Hang(osstest.OpCompleteMultipartUpload).AfterWork(), 20)
	}, false, 1, 20, 0},
	// Nothing says that the object is there, so it is made again: of the same video.
	{"after Complete, with an UploadAuth that may not look at the object", "a.mp4", film, func(w *world, m *moment) {
		w.at(m, osstest.Hang(osstest.OpCompleteMultipartUpload).AfterWork(), 20)
	}, false, 1, 0, 0},
	{"during RefreshUploadVideo", "a.mp4", film, func(w *world, m *moment) {
		w.objects.Inject(osstest.ExpireToken(osstest.OpUploadPart).Nth(9))
		w.vod.Inject(vodtest.Fault{Action: vodtest.RefreshUploadVideo, Before: m.come})
	}, false, 1, 0, 0},
	{"after RefreshUploadVideo, before its answer", "a.mp4", film, func(w *world, m *moment) {
		w.objects.Inject(osstest.ExpireToken(osstest.OpUploadPart).Nth(9))
		w.vod.Inject(vodtest.Fault{Action: vodtest.RefreshUploadVideo, After: m.come})
	}, false, 1, 0, 0},
	{"after the answer of RefreshUploadVideo", "a.mp4", film, func(w *world, m *moment) {
		w.objects.Inject(osstest.ExpireToken(osstest.OpUploadPart).Nth(9))
		w.at(m, osstest.Hang(osstest.OpUploadPart).Match(w.renewed).Nth(2), 19)
	}, false, 1, 19, 0},
	{"during PutObject of a file of one part", "a.mp4", 60 * kib, func(w *world, m *moment) {
		w.at(m, osstest.Hang(osstest.OpPutObject).BeforeWork(), 0)
	}, false, 1, 0, 0},
	{"after PutObject, before its answer", "a.mp4", 60 * kib, func(w *world, m *moment) {
		w.at(m, osstest.Hang(osstest.OpPutObject).AfterWork(), 0)
	}, false, 1, 0, 0},
	{"after CreateUploadImage, before its answer", "a.png", 60 * kib, func(w *world, m *moment) {
		w.vod.Inject(vodtest.Fault{Action: vodtest.CreateUploadImage, After: m.come})
	}, false, 2, 0, 0},
	{"during PutObject of an image", "a.png", 60 * kib, func(w *world, m *moment) {
		w.at(m, osstest.Hang(osstest.OpPutObject).BeforeWork(), 0)
	}, false, 2, 0, 0},
	// Nobody has credentials any more for what the first image left.
	{"between two parts of an image", "a.png", film, func(w *world, m *moment) {
		w.at(m, osstest.Hang(osstest.OpUploadPart).Nth(12), 19)
	}, false, 2, 0, 1},
}

// TestKilled kills the uploading process between the steps of the chain. The next one
// continues with the same video and the parts that are there.
func TestKilled(t *testing.T) {
	for _, k := range kills {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			path := w.file(k.file, k.size)
			m := &moment{at: make(chan struct{})}
			k.setup(w, m)
			if said := w.run(path, m.at); said != "" {
				t.Fatalf("the process was not killed, and said %q", said)
			}
			w.objects.ClearFaults()
			w.objects.ResetRequests()
			never := make(chan struct{})
			said := w.run(path, never)
			if (said == "lost") != k.lost {
				t.Fatalf("the second process said %q; want a lost answer: %t", said, k.lost)
			}
			if k.lost {
				said = w.run(path, never)
			}
			w.wentOn(k, path, said)
			if left := must(os.ReadDir(w.checkpoints)); len(left) > 0 {
				t.Errorf("%d files are left in the directory of checkpoints, like %s", len(left), left[0].Name())
			}
			w.unfinished(k.left)
		})
	}
}

// wentOn fails the test unless the last process, which said something, has brought the
// file to the last media, without sending again what was there.
func (w *world) wentOn(k kill, path, said string) {
	w.t.Helper()
	all := w.vod.Media()
	if len(all) != k.media {
		w.t.Fatalf("%d media were made, want %d", len(all), k.media)
	}
	last := all[len(all)-1]
	w.same(last, path)
	var id string
	var resumed int
	if _, err := fmt.Sscanf(said, "media %s %d", &id, &resumed); err != nil || id != last.ID || resumed < k.parts {
		w.t.Errorf("the last process said %q; want media %s, and %d parts or more resumed", said, last.ID, k.parts)
	}
	parts := (k.size + 100*kib - 1) / (100 * kib)
	if sent := w.objects.Count(osstest.OpUploadPart, osstest.OpPutObject); sent != parts-resumed {
		w.t.Errorf("%d of %d parts were sent again, and %d resumed", sent, parts, resumed)
	}
}

// renewed reports whether a request has another UploadAuth than the first one.
func (w *world) renewed(q osstest.Request) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return q.AccessKeyID != w.issued[0].AccessKeyID
}

// at lets the moment be when a Hang holds a request, and the checkpoint has so many parts:
// how soon that is, is for the disk and the machine.
func (w *world) at(m *moment, hang *osstest.Fault, parts int) {
	w.objects.Inject(hang)
	store := must(checkpoint.OpenDir(w.checkpoints))
	w.t.Cleanup(func() { _ = store.Close() })
	go func() {
		select {
		case <-hang.Fired():
		case <-w.ctx.Done():
			return
		}
		for has := -1; has < parts; time.Sleep(time.Millisecond) {
			entries, err := store.List(w.ctx)
			if err != nil {
				return // the test has ended
			}
			has = 0
			for _, e := range entries {
				has = max(has, e.Parts)
			}
		}
		m.closed.Do(func() { close(m.at) })
	}()
}
