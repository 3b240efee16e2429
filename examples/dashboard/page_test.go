package main

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/vodupload/vodupload/examples/internal/chromium"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/dashboard"
	"github.com/vodupload/vodupload/upload/osstest"
	"github.com/vodupload/vodupload/upload/uploadtest"
)

var shots = flag.String("shots", "", "`directory` for pictures of the page")

const (
	markup = "<img src=x onerror=alert(1)> bold\u202e.mp4"
	shown  = `<img src=x onerror=alert(1)> bold\u202e.mp4` // as text, and not turned round
	kib    = 1 << 10
)

// A stage is a client whose uploads stand still at a place that tests know.
type stage struct {
	oss    *osstest.Server
	client *upload.Client
	page   *dashboard.Dashboard
	server *httptest.Server
	away   atomic.Bool // the server: it answers nothing
	hang   *osstest.Fault
}

// newStage has one file with parts of each kind, one that failed, one that is done, and
// one that waits for its turn, whose name is markup.
func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{oss: osstest.NewServer(&osstest.Options{Buckets: []string{"media"}})}
	t.Cleanup(s.oss.Close)
	recorder := dashboard.NewRecorder()
	opts := uploadtest.Options(osstest.DefaultKey)
	opts.Observer, opts.Parallel, opts.StallTimeout = recorder.Observer(), 2, time.Hour
	opts.RetryInterval = time.Hour
	var err error
	if s.client, err = upload.New(&opts); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.client.Close() })
	s.page, err = dashboard.New(s.client, &dashboard.Options{Recorder: recorder, Control: true,
		Sweeps: []upload.SweepOptions{{Endpoint: s.oss.URL, Bucket: "media", OlderThan: -1}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.page.Close)
	s.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.away.Load() {
			panic(http.ErrAbortHandler)
		}
		s.page.ServeHTTP(w, r)
	}))
	t.Cleanup(s.server.Close)
	t.Cleanup(s.page.Close) // before the server, which waits for streams

	s.hang = osstest.Hang(osstest.OpUploadPart).Match(func(r osstest.Request) bool { return r.PartNumber == 31 || r.PartNumber == 32 }).BeforeWork().Times(2)
	s.oss.Inject(
		osstest.Fail(osstest.OpPutObject, 403, "AccessDenied").Key("in/forbidden.mp4"),
		osstest.Fail(osstest.OpUploadPart, 500, "InternalError").Part(20),
		s.hang,
	)
	s.add(t, "done.mp4", 10*kib)
	s.add(t, "forbidden.mp4", 10*kib)
	s.add(t, "film.mp4", 120*100*kib)
	s.add(t, markup, 40*kib)
	for i := range 6 {
		s.add(t, fmt.Sprintf("next %d.mp4", i+1), 300*kib)
	}
	if err := s.client.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-s.hang.Fired()
	return s
}

func (s *stage) add(t *testing.T, name string, size int64) {
	t.Helper()
	object := strings.NewReplacer("\u202e", "", "<", "", ">", "", "=", "", " ", "-").Replace(name)
	_, err := s.client.AddFile(upload.File{Path: "/recordings/" + name, Source: upload.NewSource(noise(7), size, name),
		Endpoint: s.oss.URL, Bucket: "media", Object: "in/" + object})
	if err != nil {
		t.Fatal(err)
	}
}

// row is a JavaScript expression for the row of a file.
func row(name string) string {
	return fmt.Sprintf(`[...document.querySelectorAll("#table tbody tr")].find((tr) => tr.querySelector(".name").textContent === %q)`, name)
}

func TestPage(t *testing.T) {
	browser := chromium.Start(t)
	s := newStage(t)
	p := openTab(t, browser, s.server.URL+"/", 1280, 900, false)
	t.Run("shows what is under way", func(t *testing.T) {
		p.T = t
		p.Until(row("film.mp4") + `?.children[1].textContent === "uploading"`)
		p.Until(row("forbidden.mp4") + `?.children[1].textContent === "failed"`)
		p.Until(`document.getElementById("slots").textContent === "2 of 2"`)
		p.Until(`document.title.includes("%")`)
		p.Until(`document.getElementById("graph").width > 100`)
	})
	t.Run("makes no element of a name", func(t *testing.T) {
		p.T = t
		p.Until(row(shown) + ` !== undefined`)
		if got := p.Eval(`document.querySelectorAll("img").length`); got != "0" {
			t.Errorf("%s pictures on the page", got)
		}
	})
	t.Run("draws the parts of a file", func(t *testing.T) {
		p.T = t
		p.Do(chromedp.Focus(`#text`))
		p.Eval(row("film.mp4") + `.querySelector(".name").focus()`)
		p.Do(chromedp.KeyEvent(kb.Enter))
		part := func(state string) string {
			return fmt.Sprintf(`document.querySelector('[data-part="%s"]').textContent`, state)
		}
		p.Until(part("f") + ` === "2"`)
		p.Until(part("t") + ` === "1"`)
		p.Until(part("a") + ` === "29"`)
		p.Until(part("m") + ` === "88"`)
		p.Until(`document.getElementById("map-note").textContent === "Retrying: 20. In flight: 31 to 32."`)
		if got := p.Eval(`document.activeElement.id`); got != "detail-title" {
			t.Errorf("the keyboard is on %q, want it on the title of the parts", got)
		}
		// What is drawn has the colours of the legend.
		pixel := func(i int) string {
			return fmt.Sprintf(`(() => { const c = document.getElementById("map"), r = devicePixelRatio, n = Math.floor(c.clientWidth / 18);
				return [...c.getContext("2d").getImageData(((%[1]d %% n) * 18 + 3) * r, (Math.floor(%[1]d / n) * 18 + 3) * r, 1, 1).data.slice(0, 3)].join(); })()`, i)
		}
		if total := p.Eval(`[...document.querySelectorAll("#map-legend b")].reduce((n, b) => n + Number(b.textContent), 0)`); total != "120" {
			t.Errorf("%s parts in the legend", total)
		}
		p.Until(fmt.Sprintf(`%s === "46,139,87" && %s === "194,87,0" && %s === "11,102,195" && %s === "217,222,230"`, pixel(0), pixel(19), pixel(30), pixel(100)))
		p.shoot("desktop")
		p.Do(chromedp.KeyEvent(kb.Escape))
		p.Until(`document.getElementById("detail").hidden && document.activeElement.textContent === "film.mp4"`)
	})
	t.Run("has request IDs to copy", func(t *testing.T) {
		p.T = t
		id := ""
		for _, r := range s.oss.Requests(osstest.OpPutObject) {
			if r.Status == 403 {
				id = r.RequestID
			}
		}
		p.Until(fmt.Sprintf(`document.querySelector("#problems").innerText.includes(%q)`, id))
		p.Until(fmt.Sprintf(`document.querySelector('button[aria-label="Copy the request ID %s"]') !== null`, id))
		p.Until(`document.querySelector("#problems").innerText.includes("UploadPart, part 20")`)
	})
	t.Run("searches on the server", func(t *testing.T) {
		p.T = t
		p.Do(chromedp.SendKeys("#text", "next 3"))
		p.Until(`document.querySelectorAll("#table tbody tr").length === 1`)
		p.Eval(`(document.getElementById("text").value = "", document.getElementById("which").value = "failed", document.getElementById("which").dispatchEvent(new Event("change")))`)
		p.Until(`document.querySelectorAll("#table tbody tr").length === 1 && ` + row("forbidden.mp4") + ` !== undefined`)
		p.Eval(`(document.getElementById("which").value = "", document.getElementById("which").dispatchEvent(new Event("change")))`)
		p.Until(`document.querySelectorAll("#table tbody tr").length === 10`)
	})
	t.Run("fits a phone", func(t *testing.T) {
		phone := openTab(t, browser, s.server.URL+"/", 360, 740, false)
		phone.Until(row("film.mp4") + ` !== undefined`)
		phone.Eval(row("film.mp4") + `.querySelector(".name").click()`)
		phone.Until(`document.querySelector('[data-part="f"]').textContent === "2"`)
		if got := phone.Eval(`document.documentElement.scrollWidth - document.documentElement.clientWidth`); got != "0" {
			t.Errorf("the page is %s pixels wider than the phone", got)
		}
		phone.shoot("phone")
		phone.Close()
	})
	t.Run("is dark where that is wanted", func(t *testing.T) {
		dark := openTab(t, browser, s.server.URL+"/", 1280, 900, true)
		dark.Until(row("film.mp4") + ` !== undefined`)
		dark.Eval(row("film.mp4") + `.querySelector(".name").click()`)
		dark.Until(`document.querySelector('[data-part="f"]').textContent === "2"`)
		if got := dark.Eval(`getComputedStyle(document.body).backgroundColor`); got != "rgb(16, 21, 28)" {
			t.Errorf("the background is %s", got)
		}
		dark.shoot("dark")
		dark.Close()
	})
	t.Run("comes back when the server does", func(t *testing.T) {
		p.T = t
		p.Until(`document.getElementById("link").hidden`)
		s.away.Store(true)
		s.server.CloseClientConnections()
		p.Until(`document.getElementById("link").textContent.startsWith("No connection to the server: this is of ")`)
		p.Until(`document.body.classList.contains("stale") && document.title.startsWith("No connection")`)
		p.shoot("away")
		s.away.Store(false)
		if _, err := s.client.AddFile(upload.File{Path: "/recordings/late.mp4", Source: upload.NewSource(noise(9), kib, "late"),
			Endpoint: s.oss.URL, Bucket: "media", Object: "late.mp4"}); err != nil {
			t.Fatal(err)
		}
		p.Until(row("late.mp4") + ` !== undefined`)
		p.Until(`document.getElementById("link").hidden && !document.body.classList.contains("stale")`)
	})
	t.Run("asks again when the server has fallen silent", func(t *testing.T) {
		lines := &silentLines{page: s.page, silent: 2, asked: make(chan int64, 100)}
		server := httptest.NewServer(lines)
		defer server.Close()
		defer server.CloseClientConnections()
		p := openTab(t, browser, server.URL+"/", 1280, 900, false)
		defer p.Close()
		lines.next(t, 1)
		p.Eval(`(() => { const now = Date.now; window.ahead = 0; Date.now = () => now() + window.ahead; })()`)
		p.Eval(`window.ahead += 41_000`)
		lines.next(t, 2)
		p.Until(`document.getElementById("link").textContent === "No connection to the server. Trying again."`)
		p.Until(`document.body.classList.contains("stale")`)
		p.Eval(`window.ahead += 41_000`)
		lines.next(t, 3)
		p.Until(`document.getElementById("link").hidden && !document.body.classList.contains("stale")`)
		p.Until(row("film.mp4") + ` !== undefined`)
	})
	t.Run("pauses and resumes", func(t *testing.T) {
		p.T = t
		p.Do(chromedp.Click("#pause", chromedp.NodeEnabled))
		p.Until(`document.getElementById("state").textContent === "paused"`)
		if got := s.client.Status(); got != upload.StatePaused {
			t.Errorf("the client is %v", got)
		}
		s.add(t, "unwanted.mp4", kib)
		p.Until(row("unwanted.mp4") + ` !== undefined`)
		p.Eval(row("unwanted.mp4") + `.querySelector(".name").click()`)
		p.Do(chromedp.Click("#detail-cancel", chromedp.NodeVisible))
		p.Until(`document.getElementById("detail-cancel").textContent === "Drop what was sent?"`)
		if n := s.client.Stats().Files[upload.FileCanceled]; n != 0 {
			t.Error("the first click has canceled a file")
		}
		p.Do(chromedp.Click("#detail-cancel", chromedp.NodeVisible))
		p.Until(row("unwanted.mp4") + `.children[1].textContent === "canceled"`)
		p.Do(chromedp.Click("#resume", chromedp.NodeEnabled))
		p.Until(`["started", "finished"].includes(document.getElementById("state").textContent)`)
		p.Until(`document.getElementById("counts").textContent.includes("10 succeeded")`)
		p.Do(chromedp.Click("#retry-failed", chromedp.NodeEnabled))
		p.Until(`document.getElementById("counts").textContent === "11 succeeded, 1 canceled"`)
		p.Until(`document.getElementById("percent").textContent === "100 %"`)
		p.Eval(row("film.mp4") + `.querySelector(".name").click()`)
		p.Until(`document.querySelector('[data-part="r"]').textContent === "29"`)
		p.shoot("finished")
	})
	t.Run("finds leftovers", func(t *testing.T) {
		p.T = t
		s.leave(t)
		p.Do(chromedp.Click("#look"))
		p.Until(`document.getElementById("leftovers-said").textContent.startsWith("1 upload, ")`)
		p.Until(`document.querySelector("#leftovers tbody").innerText.includes("media/in/left.mp4")`)
	})
}

// A client without files shows the fleet alone, and counts in the order of the fleet.
func TestPageOfAFleet(t *testing.T) {
	browser := chromium.Start(t)
	opts := uploadtest.Options(osstest.DefaultKey)
	client, err := upload.New(&opts)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	page, err := dashboard.New(client, &dashboard.Options{Fleet: func(context.Context) (dashboard.Fleet, error) {
		return dashboard.Fleet{
			Counts:  []dashboard.FleetCount{{State: "working", Jobs: 1}, {State: "dead", Jobs: 1200}},
			Workers: []dashboard.FleetWorker{{Name: "w1", State: "working", Jobs: 1}},
			Jobs:    []dashboard.FleetJob{{ID: "j", State: "running", Worker: "w1", Object: "media/" + markup, Attempts: 2, Takeovers: 1}},
		}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(page)
	defer server.Close()
	defer page.Close()
	p := openTab(t, browser, server.URL+"/", 1100, 700, false)
	p.Until(`document.getElementById("fleet-counts").textContent === "Jobs: 1 working, 1,200 dead"`)
	p.Until(`document.querySelector("#jobs tbody td:last-child").textContent === "attempt 2, taken over once"`)
	p.Until(fmt.Sprintf(`document.querySelector("#jobs tbody td").textContent === %q`, "media/"+shown))
	p.Until(`document.querySelector(".cards").offsetHeight === 0 && document.getElementById("fleet").offsetHeight > 0`)
	if got := p.Eval(`document.querySelectorAll("img").length`); got != "0" {
		t.Errorf("%s pictures on the page", got)
	}
	p.shoot("fleet")
}

// leave leaves an unfinished upload at the server, as a program does that never comes back.
func (s *stage) leave(t *testing.T) {
	t.Helper()
	s.oss.Inject(osstest.Fail(osstest.OpUploadPart, 403, "AccessDenied").Part(2).Key("in/left.mp4"))
	opts := uploadtest.Options(osstest.DefaultKey)
	other, err := upload.New(&opts)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	_, err = other.Upload(t.Context(), upload.File{Path: "left.mp4", Source: upload.NewSource(noise(1), 300*kib, "left"),
		Endpoint: s.oss.URL, Bucket: "media", Object: "in/left.mp4"})
	if err == nil {
		t.Fatal("the upload is finished")
	}
}
