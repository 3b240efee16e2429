package main

import (
	"bytes"
	"flag"
	"fmt"
	"hash/crc64"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload/osstest"
)

var watchKills = flag.Int("watch.kills", 12, "how often the test of watch kills it")

// A scribe writes files into a folder, as programs do, and knows what they should be.
type scribe struct {
	dir  string
	rng  *rand.Rand
	want map[string][]byte
}

// write makes one file: in steps, under a temporary name or not, with an old time or not.
func (s *scribe) write(n int) error {
	name := fmt.Sprintf("%d/clip %d.mov", n%3, n)
	size := []int{0, 1, 5000, 150 << 10, 450 << 10}[s.rng.IntN(5)]
	data := make([]byte, size)
	for i := range data {
		data[i] = byte(s.rng.Uint32())
	}
	s.want[name] = data
	path := filepath.Join(s.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	at := path
	if n%2 == 0 {
		at += ".part"
	}
	f, err := os.Create(at)
	if err != nil {
		return err
	}
	for step := range 4 {
		if _, err := f.Write(data[step*size/4 : (step+1)*size/4]); err != nil {
			return err
		}
		time.Sleep(time.Duration(s.rng.IntN(8)) * time.Millisecond)
	}
	if err := f.Close(); err != nil {
		return err
	}
	if n%3 == 0 {
		if err := os.Chtimes(at, time.Time{}, time.Now().Add(-time.Hour)); err != nil {
			return err
		}
	}
	return os.Rename(at, path)
}

// TestWatchSurvivesKills kills watch again and again, at any moment, while files are
// written. In the end every file is in the bucket as it was written, and none was stored
// twice, but for one whose request was under way when its process was killed.
func TestWatchSurvivesKills(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("files there cannot be renamed while they are open")
	}
	for _, after := range []string{"leave", "delete"} {
		t.Run(after, func(t *testing.T) {
			watchKilled(t, after, *watchKills/2)
		})
	}
}

func watchKilled(t *testing.T, after string, kills int) {
	w := newWorld(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	s := &scribe{dir: w.dir, rng: rand.New(rand.NewPCG(seed, 2)), want: make(map[string][]byte)}
	// Slow parts, so that kills fall into uploads as well.
	w.server.Inject(osstest.Delay(osstest.OpUploadPart, 5*time.Millisecond).Always())
	args := []string{
		"watch", w.dir, "oss://media/in/", "--settle", "80ms", "--poll", "25ms", "--after", after, "--part-size", "100K",
		"--endpoint", w.server.URL, "--checkpoint-dir", w.state,
	}
	killed := make(map[string]int) // by object: requests to make it that were under way at a kill
	stop := make(chan struct{})
	var writing sync.WaitGroup
	var writeErr error
	writing.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			if writeErr = s.write(n); writeErr != nil {
				return
			}
			time.Sleep(time.Duration(s.rng.IntN(60)) * time.Millisecond)
		}
	})
	for n := range kills {
		cmd, out := w.command(args...)
		key := osstest.Key{AccessKeyID: fmt.Sprint("run", n), AccessKeySecret: "of this run"}
		w.server.AddKey(key)
		cmd.Env = append(cmd.Env, "ALIBABA_CLOUD_ACCESS_KEY_ID="+key.AccessKeyID, "ALIBABA_CLOUD_ACCESS_KEY_SECRET="+key.AccessKeySecret)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(30+rng.IntN(450)) * time.Millisecond)
		at := time.Now()
		if err := cmd.Process.Kill(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		_ = cmd.Wait()
		w.server.RevokeKey(key.AccessKeyID) // what is in a socket still makes nothing during the next run
		for w.server.InFlight() > 0 {
			time.Sleep(time.Millisecond)
		}
		for _, r := range makes(w.server) {
			if r.AccessKeyID == key.AccessKeyID && r.Start.Add(r.Duration).After(at) {
				killed[r.Key]++
			}
		}
		if strings.Contains(out.String(), "error") || strings.Contains(out.String(), "panic") {
			t.Errorf("a run said\n%s", out)
		}
	}
	close(stop)
	writing.Wait()
	if writeErr != nil {
		t.Fatal(writeErr)
	}
	cmd, out := w.command(append(args, "--once")...)
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	check(t, w, s, killed, after == "delete")
	if t.Failed() {
		t.Logf("the last run said\n%s", out)
	}
	if cmd, out := w.command(append(args, "--once")...); cmd.Run() != nil {
		t.Errorf("a run with nothing to do: %s", out)
	}
}

// makes returns the requests that made an object.
func makes(s *osstest.Server) (made []osstest.Request) {
	for _, r := range s.Requests(osstest.OpPutObject, osstest.OpCompleteMultipartUpload) {
		if r.Status == 200 {
			made = append(made, r)
		}
	}
	return made
}

func check(t *testing.T, w *world, s *scribe, killed map[string]int, deleted bool) {
	t.Helper()
	made := make(map[string]int)
	for _, r := range makes(w.server) {
		made[r.Key]++
	}
	excused := 0
	for name, data := range s.want {
		key := "in/" + name
		o, ok := w.server.Object("media", key)
		if !ok || o.CRC64 != crc64.Checksum(data, crc64.MakeTable(crc64.ECMA)) || o.Size != int64(len(data)) {
			t.Errorf("%s: object %v (%v), want %d bytes", name, o, ok, len(data))
		}
		switch n := made[key]; {
		case n == 1:
		case n == 1+killed[key] && n == 2:
			excused++
		default:
			t.Errorf("%s was made %d times; it was being made at %d kills", name, n, killed[key])
		}
		got, err := os.ReadFile(filepath.Join(w.dir, filepath.FromSlash(name)))
		switch {
		case deleted && err == nil:
			t.Errorf("%s is there still", name)
		case !deleted && (err != nil || !bytes.Equal(got, data)):
			t.Errorf("%s is not what it was: %v", name, err)
		}
	}
	if n := len(w.server.Objects("media")); n != len(s.want) {
		t.Errorf("%d objects, want %d", n, len(s.want))
	}
	if left := w.server.Uploads("media"); len(left) > 0 {
		t.Logf("unfinished uploads: %d", len(left))
	}
	t.Logf("%d files, %d of them made twice since a kill fell into the request", len(s.want), excused)
}
