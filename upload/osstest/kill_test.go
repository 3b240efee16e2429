package osstest

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// killedServerDir makes this test's binary run as a server, until it is killed.
const killedServerDir = "OSSTEST_KILLED_SERVER_DIR"

// TestKilledServerProcess is no test, but the process that TestKilledServer
// kills.
func TestKilledServerProcess(t *testing.T) {
	dir := os.Getenv(killedServerDir)
	if dir == "" {
		t.Skip("for another test's process")
	}
	s := NewServer(&Options{Dir: dir, Buckets: []string{"media"}})
	defer s.Close()
	fmt.Printf("\nlistening on %s\n", s.URL)
	io.Copy(io.Discard, os.Stdin) // ends if the test does
}

// startKilledServer returns a server's process and its URL.
func startKilledServer(t *testing.T, dir string) (*exec.Cmd, string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilledServerProcess$")
	cmd.Env = append(os.Environ(), killedServerDir+"="+dir)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stdin.Close() })
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if url, ok := strings.CutPrefix(lines.Text(), "listening on "); ok {
			return cmd, url
		}
	}
	cmd.Wait()
	t.Fatalf("the server's process did not start: %v", lines.Err())
	return nil, ""
}

// TestKilledServer kills a server while it is busy, and looks whether the next
// one has all that was acknowledged, and nothing that is half there.
func TestKilledServer(t *testing.T) {
	dir := t.TempDir()
	cmd, url := startKilledServer(t, dir)
	s := &Server{opts: &Options{Now: time.Now}} // for its addressing only
	c := newTestClient(t, s)
	c.url = url
	body := letters(minPartSize)
	id := c.initiate("/media/k")

	var mu sync.Mutex
	objects, parts := map[string]bool{}, map[int]bool{}
	var clients sync.WaitGroup
	enough := make(chan struct{})
	for worker := range 4 {
		clients.Go(func() {
			for i := 1; ; i++ {
				number := worker*1000 + i
				key := fmt.Sprint("k", number)
				a, err := c.try(c.request("PUT", "/media/"+key, strings.NewReader(body)))
				b, err2 := c.try(c.request("PUT", fmt.Sprintf("/media/k?partNumber=%d&uploadId=%s", number, id), strings.NewReader(body)))
				mu.Lock()
				if err == nil && a.status == 200 {
					objects[key] = true
				}
				if err2 == nil && b.status == 200 {
					parts[number] = true
				}
				n := len(parts)
				mu.Unlock()
				if err != nil || err2 != nil {
					return
				}
				if n == 20 {
					close(enough)
				}
			}
		})
	}
	<-enough
	cmd.Process.Kill()
	cmd.Wait()
	clients.Wait()

	next, err := New(&Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer next.Close()
	blobs := 0
	for _, o := range next.Objects("media") {
		if stored(t, next, "media", o.Key) != body {
			t.Errorf("object %s is damaged", o.Key)
		}
		delete(objects, o.Key)
		blobs++
	}
	for _, p := range next.Uploads("media")[0].Parts {
		if p.Size != int64(len(body)) {
			t.Errorf("part %d has %d bytes; want %d", p.Number, p.Size, len(body))
		}
		delete(parts, p.Number)
		blobs++
	}
	if len(objects) != 0 || len(parts) != 0 {
		t.Errorf("lost what was acknowledged: objects %v, parts %v", objects, parts)
	}
	wantBlobs(t, dir, blobs)
}
