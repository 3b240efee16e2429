package dashboard

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vodupload/vodupload/upload"
)

func TestNoViewerNoWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &fakeClient{files: manyFiles(100)}
		d := open(t, c, nil)
		time.Sleep(time.Hour)
		if c.asked != 0 || c.walks != 0 || c.looks != 0 {
			t.Errorf("without a viewer: %d Stats, %d walks, %d files looked at", c.asked, c.walks, c.looks)
		}
		v := view(t, d, "")
		time.Sleep(10 * time.Second)
		v.cancel()
		<-v.ended
		time.Sleep(tick)
		synctest.Wait()
		before := c.asked
		if before < 30 {
			t.Errorf("%d updates in 10 s of a viewer", before)
		}
		time.Sleep(time.Hour)
		if c.asked != before {
			t.Errorf("%d updates after the last viewer has left", c.asked-before)
		}
	})
}

func TestViewersShareUpdates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &fakeClient{files: manyFiles(100), grow: true}
		d := open(t, c, nil)
		var all []*viewing
		for range 50 {
			all = append(all, view(t, d, ""))
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if c.asked > 4*11 {
			t.Errorf("%d updates in 10.5 s: want at most 4 a second, for 50 viewers as for one", c.asked)
		}
		for i, v := range all {
			figures := v.of("figures")
			if n := len(figures); n < 40 || n > 43 {
				t.Fatalf("viewer %d saw %d changes of the figures, want 4 a second", i, n)
			}
			for j := 1; j < len(figures); j++ {
				if gap := figures[j].at.Sub(figures[j-1].at); gap < tick {
					t.Fatalf("viewer %d: %v between two updates", i, gap)
				}
			}
			if n := len(v.of("files")); n != 1 {
				t.Errorf("viewer %d got files that did not change %d times", i, n)
			}
		}
	})
}

// The bytes of a frame are made once: all viewers write the same.
func TestFramesAreMadeOnce(t *testing.T) {
	c := &fakeClient{files: manyFiles(300)}
	d := open(t, c, nil)
	a, b := &viewer{ready: map[string]frame{}, seen: map[string]uint64{}}, &viewer{ready: map[string]frame{}, seen: map[string]uint64{}}
	d.hub.viewers[a], d.hub.viewers[b] = true, true
	d.hub.update()
	for topic, f := range a.ready {
		if other := b.ready[topic]; &f.body[0] != &other.body[0] {
			t.Errorf("%s was made twice", topic)
		}
	}
	a.next()
	d.hub.update()
	if again := a.next(); len(again) != 0 {
		t.Errorf("what is as it was is sent again: %v", again)
	}
}

func TestQuietStreamIsKeptAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := open(t, &fakeClient{}, nil)
		v := view(t, d, "")
		time.Sleep(61 * time.Second)
		if n := len(v.of("beat")); n != 4 {
			t.Errorf("%d signs of life in 61 s that a page is told of: want one each 15 s", n)
		}
		v.mu.Lock()
		defer v.mu.Unlock()
		if v.comments != 1 {
			t.Errorf("%d comments in 61 s: want one at once", v.comments)
		}
		for name, want := range map[string]string{"X-Accel-Buffering": "no", "Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-store"} {
			if got := v.header.Get(name); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
	})
}

func TestSlowViewerSeesTheLatest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &fakeClient{grow: true}
		d := open(t, c, nil)
		slow, pipe := newViewing(t, d, "")
		quick := view(t, d, "")
		time.Sleep(10 * time.Minute)
		if n := len(quick.of("figures")); n < 2000 {
			t.Errorf("the other viewer saw %d updates", n)
		}
		d.hub.mu.Lock()
		for v := range d.hub.viewers {
			v.mu.Lock()
			if len(v.ready) > 2 {
				t.Errorf("%d frames wait for a viewer: want one for each topic at most", len(v.ready))
			}
			v.mu.Unlock()
		}
		d.hub.mu.Unlock()
		go slow.read(pipe)
		time.Sleep(time.Second)
		synctest.Wait()
		seen := slow.of("figures")
		if len(seen) == 0 || len(seen) > 6 {
			t.Fatalf("the slow viewer saw %d updates, want the latest few", len(seen))
		}
		var got figures
		if err := json.Unmarshal([]byte(seen[0].data), &got); err != nil || got.Acked < 2000 {
			t.Errorf("the first that it sees is of %d acknowledged bytes, %v: want the latest", got.Acked, err)
		}
	})
}

func TestStreamEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := open(t, &fakeClient{}, nil)
		gone, stays := view(t, d, ""), view(t, d, "")
		time.Sleep(time.Second)
		gone.cancel()
		<-gone.ended
		d.Close()
		<-stays.ended
		if got := ask(d, "GET", "/state", "").Code; got != http.StatusServiceUnavailable {
			t.Errorf("after Close: status %d", got)
		}
		late := view(t, d, "")
		<-late.ended
	})
}

func TestTooManyViewers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := open(t, &fakeClient{}, nil)
		for range maxViewers {
			view(t, d, "")
		}
		synctest.Wait()
		w := ask(d, "GET", "/events", "")
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
			t.Errorf("status %d, want 503 with Retry-After", w.Code)
		}
	})
}

func TestEachViewerSeesTheFileOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &fakeClient{files: manyFiles(10)}
		d := open(t, c, &Options{Recorder: NewRecorder()})
		one, other, none := view(t, d, "?file=1"), view(t, d, "?file=2"), view(t, d, "")
		time.Sleep(time.Second)
		synctest.Wait()
		for want, v := range map[upload.FileID]*viewing{1: one, 2: other} {
			seen := v.of("parts")
			var m partMap
			if len(seen) != 1 || json.Unmarshal([]byte(seen[0].data), &m) != nil || m.File != want {
				t.Errorf("the viewer of file %d saw %v", want, seen)
			}
		}
		if seen := none.of("parts"); len(seen) > 0 {
			t.Errorf("a viewer of no file saw %v", seen)
		}
	})
}

// A server's timeouts are for whole requests and answers, and a stream has no end.
func TestStreamOutlivesTimeoutsOfTheServer(t *testing.T) {
	t.Parallel()
	const timeout = 2 * time.Second // within which a busy machine has to begin the stream
	d := open(t, &fakeClient{grow: true}, nil)
	s := httptest.NewUnstartedServer(d)
	s.Config.ReadTimeout, s.Config.WriteTimeout = timeout, timeout
	s.Start()
	defer s.Close()
	defer d.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "GET", s.URL+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	began, updates := time.Now(), 0
	for lines := bufio.NewScanner(res.Body); time.Since(began) < timeout+time.Second || updates < 4; {
		if !lines.Scan() {
			t.Fatalf("the stream ended after %v: %v", time.Since(began), lines.Err())
		}
		if strings.HasPrefix(lines.Text(), "event: figures") {
			updates++
		}
	}
}
