package vod_test

import (
	"bufio"
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

// The key of a RAM user makes STS tokens, these make a video, the video's UploadAuth
// brings the parts to OSS; and on the way each of them expires.
func TestChainThroughExpiry(t *testing.T) {
	w := newWorld(t)
	store := checkpoint.NewMemory()
	// The STS token expires before it is used for the first time, and whenever the
	// UploadAuth does; the fresh UploadAuth expires again at once.
	w.vod.Inject(
		vodtest.Fault{Action: vodtest.CreateUploadVideo, Before: func(context.Context) { w.keys.ExpireAll() }},
		vodtest.Fault{Action: vodtest.CreateUploadVideo},
		vodtest.Fault{Action: vodtest.RefreshUploadVideo, Before: func(context.Context) { w.keys.ExpireAll() }},
	)
	w.objects.Inject(
		osstest.ExpireToken(osstest.OpInitiateMultipartUpload),
		osstest.ExpireToken(osstest.OpUploadPart).Nth(5),
		osstest.ExpireToken(osstest.OpCompleteMultipartUpload),
	)
	path := w.file("a.mp4", 2000*kib)
	r, err := w.uploads(w.authorizer(nil), store, upload.Callbacks{}).Upload(w.ctx, upload.File{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	m := w.one()
	w.same(m, path)
	w.clean(store)
	if r.VideoID != m.ID || m.Refreshed != 3 || w.keys.Stats().Issued != 3 {
		t.Errorf("video %s, refreshed %d times, %d STS tokens; want %s, 3, 3", r.VideoID, m.Refreshed, w.keys.Stats().Issued, m.ID)
	}
	if n := w.objects.Count(osstest.OpInitiateMultipartUpload); n != 2 {
		t.Errorf("%d uploads were begun, want the one that was refused and one more", n)
	}
}

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
		fmt.Println("video", r.VideoID, r.ResumedParts)
	}
	return err
}

// run lets a process upload the file. It is killed when kill is closed. What it said
// is returned; nothing if it was killed.
func (w *world) run(path, checkpoints string, kill <-chan struct{}) string {
	w.t.Helper()
	user := w.keys.DefaultUser()
	spec := must(json.Marshal(childWork{user.AccessKeyID, user.AccessKeySecret, w.keys.URL, w.vod.URL, checkpoints, path}))
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

// TestKilled kills the uploading process between the steps of the chain. The next one
// goes on with the same video and the parts that are there.
func TestKilled(t *testing.T) {
	tests := []struct {
		name  string
		setup func(w *world, m *moment)
		lost  bool // the next process cannot know whether a video was made, and says so once
		media int
		parts int // that must not be sent again
	}{
		{"before CreateUploadVideo is carried out", func(w *world, m *moment) {
			w.vod.Inject(vodtest.Fault{Action: vodtest.CreateUploadVideo, Before: m.come})
		}, true, 1, 0},
		{"after CreateUploadVideo, before its answer", func(w *world, m *moment) {
			w.vod.Inject(vodtest.Fault{Action: vodtest.CreateUploadVideo, After: m.come})
		}, true, 2, 0},
		{"between the video and the upload", func(w *world, m *moment) {
			w.at(m, osstest.OpInitiateMultipartUpload, 1)
		}, false, 1, 0},
		{"between two parts", func(w *world, m *moment) { w.at(m, osstest.OpUploadPart, 12) }, false, 1, 5},
		{"before Complete", func(w *world, m *moment) { w.at(m, osstest.OpCompleteMultipartUpload, 1) }, false, 1, 15},
		{"during RefreshUploadVideo", func(w *world, m *moment) {
			w.objects.Inject(osstest.ExpireToken(osstest.OpUploadPart).Nth(9))
			w.vod.Inject(vodtest.Fault{Action: vodtest.RefreshUploadVideo, Before: m.come})
		}, false, 1, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			path, checkpoints := w.file("a.mp4", 2000*kib), t.TempDir()
			m := &moment{at: make(chan struct{})}
			tt.setup(w, m)
			if said := w.run(path, checkpoints, m.at); said != "" {
				t.Fatalf("the process was not killed, and said %q", said)
			}
			w.objects.ClearFaults()
			never := make(chan struct{})
			said := w.run(path, checkpoints, never)
			if (said == "lost") != tt.lost {
				t.Fatalf("the second process said %q; want a lost answer: %t", said, tt.lost)
			}
			if tt.lost {
				said = w.run(path, checkpoints, never)
			}
			all := w.vod.Media()
			if len(all) != tt.media {
				t.Fatalf("%d videos were made, want %d", len(all), tt.media)
			}
			last := all[len(all)-1]
			w.same(last, path)
			var id string
			var resumed int
			if _, err := fmt.Sscanf(said, "video %s %d", &id, &resumed); err != nil || id != last.ID || resumed < tt.parts {
				t.Errorf("the last process said %q; want video %s, and %d parts or more resumed", said, last.ID, tt.parts)
			}
			if left := must(os.ReadDir(checkpoints)); len(left) > 0 {
				t.Errorf("%d files are left in the directory of checkpoints, like %s", len(left), left[0].Name())
			}
		})
	}
}

// at lets the n-th request of an operation be the moment.
func (w *world) at(m *moment, op osstest.Op, n int) {
	hang := osstest.Hang(op).Nth(n)
	w.objects.Inject(hang)
	go func() {
		select {
		case <-hang.Fired():
			// What was acknowledged is durable after 100 ms, and not before.
			time.Sleep(150 * time.Millisecond)
			m.closed.Do(func() { close(m.at) })
		case <-w.ctx.Done():
		}
	}()
}
