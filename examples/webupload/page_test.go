package webupload_test

import (
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/examples/webupload"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/sts/appserver"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// sixParts is the size of a file that goes in six parts, the last one short.
const sixParts = 5*partSize + 12345

var long = flag.Bool("long", false, "run all tests of the page")

// always are the tests of the page that run without -long, too: each takes a browser a
// second or two of a processor's time.
var always = []string{
	"goes on with the same upload after a pause and with a new token",
	"uploads small, empty and oddly named files",
	"leaves nothing behind when canceled",
	"gets over trouble",
	"resumes after a reload, when the same file is chosen",
	"says what to do",
	"no CORS rule",
	"an object of that name",
	"goes on when it works again",
}

func needsLong(t *testing.T, name string) {
	t.Helper()
	if !*long && !slices.Contains(always, name) {
		t.Skip("run it with -args -long")
	}
}

// TestPage is the whole chain in a real browser: from the account's key to the object.
func TestPage(t *testing.T) {
	b := startBrowser(t)
	good := []osstest.CORSRule{pageRule}
	tests := []struct {
		name string
		test func(t *testing.T, b *browser)
	}{
		{"goes on with the same upload after a pause and with a new token", func(t *testing.T, b *browser) {
			pauseAndExpiry(t, b, newChain(t, good, nil))
		}},
		{"renews a token ahead of its end, once", func(t *testing.T, b *browser) { renewal(t, b, newChain(t, good, nil)) }},
		{"uploads through a domain that is mapped to the bucket", func(t *testing.T, b *browser) {
			names(t, b, newChain(t, good, func(c *chain, o *webupload.Options) {
				o.Endpoint, o.CustomDomain = strings.Replace(c.oss.URL, "127.0.0.1", "cdn.localhost", 1), true
			}))
		}},
		{"uploads small, empty and oddly named files", func(t *testing.T, b *browser) { names(t, b, newChain(t, good, nil)) }},
		{"leaves nothing behind when canceled", func(t *testing.T, b *browser) { cancel(t, b, newChain(t, good, nil)) }},
		{"gets over trouble", func(t *testing.T, b *browser) { trouble(t, b, newChain(t, good, nil)) }},
		{"takes nobody else's object for its own", func(t *testing.T, b *browser) { takenMeanwhile(t, b, newChain(t, good, nil)) }},
		{"resumes after a reload, when the same file is chosen", func(t *testing.T, b *browser) { reload(t, b, newChain(t, good, nil)) }},
		{"starts over after a reload where the file has other bytes", func(t *testing.T, b *browser) { reloadOther(t, b, newChain(t, good, nil)) }},
		{"leaves a file to the tab that uploads it", func(t *testing.T, b *browser) { twoTabs(t, b, newChain(t, good, nil)) }},
		{"waits for the network, and never goes back", func(t *testing.T, b *browser) { outage(t, b, newChain(t, good, nil)) }},
		{"keeps both files of a name", func(t *testing.T, b *browser) { keepBoth(t, b, newChain(t, good, nil)) }},
		{"speaks Chinese", func(t *testing.T, b *browser) { chinese(t, b, newChain(t, good, nil)) }},
		{"says what to do", func(t *testing.T, b *browser) { advice(t, b) }},
		{"asks for an access code", func(t *testing.T, b *browser) { accessCode(t, b) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			needsLong(t, tt.name)
			t.Parallel()
			tt.test(t, b)
		})
	}
}

func pauseAndExpiry(t *testing.T, b *browser, c *chain) {
	// The three last parts are taken in, and not answered.
	hold := osstest.Hang(osstest.OpUploadPart).Match(func(r osstest.Request) bool { return r.PartNumber > 3 }).BeforeWork().Times(3)
	// Word that the old token has expired comes for one of them when there is a new one.
	late := osstest.Hang(osstest.OpUploadPart).Part(6).Nth(2).AfterWork()
	c.oss.Inject(hold, late)
	talk, small := file(t, "talk.mp4", sixParts), file(t, "notes.txt", 10<<10)
	p := b.open(t, c.url)
	p.choose(talk, small)
	if err := c.oss.WaitRequests(p.Ctx, 6, osstest.OpUploadPart); err != nil {
		t.Fatal(err)
	}
	p.state("talk.mp4", "Uploading")
	p.until(`item("talk.mp4").querySelector("progress").value > 0.5`)
	p.until(`document.title.includes("%")`)

	p.click("Pause talk.mp4")
	p.state("talk.mp4", "Paused")
	if err := c.oss.WaitIdle(p.Ctx); err != nil {
		t.Errorf("the parts in flight continue: %v", err)
	}
	p.until(fmt.Sprintf(`item("talk.mp4").querySelector("progress").value > 3 * %d / %d - 0.001`, partSize, sixParts))
	if got := p.Eval(`document.activeElement.textContent`); got != "Resume" {
		t.Errorf("the keyboard is on %q; want it on the same button, now Resume", got)
	}
	p.state("notes.txt", "Uploaded")

	c.sts.ExpireAll()
	c.restart()
	p.Do(chromedp.KeyEvent(kb.Enter))
	if err := c.oss.WaitRequests(p.Ctx, 6+3+2, osstest.OpUploadPart); err != nil {
		t.Fatal(err)
	}
	c.oss.AssertFired(t)
	late.Release()
	p.state("talk.mp4", "Uploaded")
	c.stored("in/talk.mp4", talk)
	c.stored("in/notes.txt", small)
	if n := c.oss.Count(osstest.OpInitiateMultipartUpload); n != 1 {
		t.Errorf("%d uploads were begun; want 1", n)
	}
	expired := 0
	for part, codes := range c.partCalls() {
		expired += codes["SecurityTokenExpired"]
		if codes[""] != 1 || part <= 3 && len(codes) != 1 {
			t.Errorf("part %d: calls by code %v; want one success, and nothing else before part 4", part, codes)
		}
	}
	if n := c.asks(); n != 2 || expired == 0 {
		t.Errorf("the page asked for %d tokens and met SecurityTokenExpired %d times; want 2, and at least once", n, expired)
	}
	p.until(`document.getElementById("total-title").textContent === "2 of 2 files uploaded"`)
	p.until(`document.getElementById("total-percent").textContent === "100 %"`)
}

func renewal(t *testing.T, b *browser, c *chain) {
	hold := osstest.Hang(osstest.OpUploadPart).Part(2).BeforeWork()
	c.oss.Inject(hold)
	talk := file(t, "talk.mp4", sixParts)
	p := b.open(t, c.url)
	p.choose(talk)
	<-hold.Fired()
	p.Eval(`window.clockAhead = 13 * 60 * 1000`) // of 15 minutes
	hold.Release()
	p.choose(file(t, "next.mp4", sixParts))
	p.state("talk.mp4", "Uploaded")
	p.state("next.mp4", "Uploaded")
	c.stored("in/talk.mp4", talk)
	if n := c.asks(); n != 2 {
		t.Errorf("the page asked for %d tokens; want 2 for 12 parts", n)
	}
}

func names(t *testing.T, b *browser, c *chain) {
	files := []string{file(t, "empty.txt", 0), file(t, "one part.bin", partSize), file(t, "Übung + 100 % 日本.mp4", partSize+1), file(t, "a&lt;b.txt", 5)}
	if runtime.GOOS != "windows" {
		files = append(files, file(t, `<img src=x onerror=alert(1)>.mp4`, 5))
	}
	p := b.open(t, c.url)
	p.choose(files...)
	for _, f := range files {
		p.state(filepath.Base(f), "Uploaded")
		c.stored("in/"+filepath.Base(f), f)
	}
	if got := p.Eval(`document.querySelectorAll("img").length`); got != "0" {
		t.Errorf("%s pictures on the page: a name became markup", got)
	}
	drop := func(names string) {
		p.Eval(`(() => {
			const carried = new DataTransfer();
			for (const name of ` + names + `) carried.items.add(new File(["abc"], name));
			document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: carried, bubbles: true, cancelable: true }));
		})()`)
	}
	drop(`["dropped.txt", "invoice\u202egpj.exe", "{0}.txt", "l" + "o".repeat(800) + "ng.txt"]`)
	p.state("dropped.txt", "Uploaded")
	p.state(`invoice\u202egpj.exe`, "Uploaded") // and not turned round
	if _, ok := c.oss.Object("media", "in/invoice\u202egpj.exe"); !ok {
		t.Error("the object has another name than its file")
	}
	p.until(`item("l" + "o".repeat(800) + "ng.txt").offsetHeight < 400`)
	drop(`["{0}.txt"]`)
	p.until(`document.getElementById("alert").textContent === "{0}.txt is on the list already."`)
	drop(`["dropped.txt", "empty.txt", "{0}.txt", "one part.bin", "dropped.txt"]`)
	p.until(`document.getElementById("alert").textContent.endsWith("{0}.txt is on the list already. Others that were left out: 2.")`)
	p.Eval(`(window.writes = 0, new MutationObserver((all) => window.writes += all.length).observe((` + item + `)("empty.txt"), { subtree: true, childList: true, attributes: true }))`)
	drop(`["last.txt"]`)
	p.state("last.txt", "Uploaded")
	if got := p.Eval(`window.writes`); got != "0" {
		t.Errorf("what is shown of a file that does not change was written again: %s writes", got)
	}
	p.choose(files[0])
	p.until(`document.getElementById("alert").textContent === "empty.txt is on the list already."`)
}

func cancel(t *testing.T, b *browser, c *chain) {
	hold := osstest.Hang(osstest.OpUploadPart).Part(2).BeforeWork()
	c.oss.Inject(hold)
	p := b.open(t, c.url)
	p.choose(file(t, "talk.mp4", sixParts))
	<-hold.Fired()
	p.click("Cancel talk.mp4")
	p.until(`document.querySelectorAll("#list > li").length === 0`)
	if err := c.oss.WaitRequests(p.Ctx, 1, osstest.OpAbortMultipartUpload); err != nil {
		t.Fatal(err)
	}
	if err := c.oss.WaitIdle(p.Ctx); err != nil {
		t.Fatal(err)
	}
	if u, o := c.oss.Uploads("media"), c.oss.Objects("media"); len(u)+len(o) != 0 {
		t.Errorf("left behind: uploads %v, objects %v", u, o)
	}
}

func trouble(t *testing.T, b *browser, c *chain) {
	faults := []*osstest.Fault{
		osstest.Throttle(osstest.OpUploadPart, 0).Part(2).Times(2),
		osstest.LoseAnswer(osstest.OpUploadPart).Part(3),
		osstest.LoseUpload(osstest.OpUploadPart).Part(5),
		osstest.LoseAnswer(osstest.OpCompleteMultipartUpload),
		osstest.LoseAnswer(osstest.OpPutObject),
	}
	c.oss.Inject(faults...)
	talk, small := file(t, "talk.mp4", sixParts), file(t, "notes.txt", 10)
	p := b.open(t, c.url)
	p.choose(talk, small, file(t, "more.txt", 10))
	p.state("talk.mp4", "Uploaded")
	p.state("notes.txt", "Uploaded")
	c.stored("in/talk.mp4", talk)
	c.stored("in/notes.txt", small)
	if n := c.oss.Count(osstest.OpInitiateMultipartUpload); n != 2 {
		t.Errorf("%d uploads were begun; want 2: one was lost", n)
	}
	c.oss.AssertFired(t)
}

// takenMeanwhile lets somebody else make an object of the same name and size, in as many
// parts, just before the page does.
func takenMeanwhile(t *testing.T, b *browser, c *chain) {
	hold := osstest.Hang(osstest.OpCompleteMultipartUpload).BeforeWork()
	c.oss.Inject(hold)
	p := b.open(t, c.url)
	p.choose(file(t, "talk.mp4", sixParts))
	<-hold.Fired()
	other := filepath.Join(t.TempDir(), "other.mp4")
	if err := os.WriteFile(other, make([]byte, sixParts), 0o600); err != nil {
		t.Fatal(err)
	}
	c.oss.AddKey(osstest.DefaultKey)
	client, err := upload.New(&upload.Options{
		Credentials: sts.Static(sts.Credentials{AccessKeyID: osstest.DefaultKey.AccessKeyID, AccessKeySecret: osstest.DefaultKey.AccessKeySecret}),
		Checkpoints: checkpoint.NewMemory(), PartSize: partSize,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := client.Upload(p.Ctx, upload.File{Path: other, Endpoint: c.oss.URL, Bucket: "media", Object: "in/talk.mp4"}); err != nil {
		t.Fatal(err)
	}
	hold.Release()
	p.failed("talk.mp4", "There is a file of this name already")
	c.stored("in/talk.mp4", other)
}

// advice is what the page says where only a person can help.
func advice(t *testing.T, b *browser) {
	hidden := pageRule
	hidden.ExposeHeaders = nil
	noPut := pageRule
	noPut.AllowedMethods = []string{"POST"}
	fewHeaders := pageRule
	fewHeaders.AllowedHeaders = []string{"authorization", "content-type"}
	good := []osstest.CORSRule{pageRule}
	tests := []struct {
		name  string
		rules []osstest.CORSRule
		edit  func(*chain, *webupload.Options)
		after func(*chain)
		texts []string
	}{
		{"ETag is not exposed", []osstest.CORSRule{hidden}, nil, nil, []string{"The bucket hides the ETag", "exposed headers"}},
		{"no CORS rule", nil, nil, nil, []string{"does not accept uploads from this page", "CORS rule", "http://127.0.0.1:", "exposed headers ETag"}},
		{"a CORS rule without PUT", []osstest.CORSRule{noPut}, nil, nil, []string{"CORS rule", "no CORS rule for PUT"}},
		{"a CORS rule without the headers of the SDK", []osstest.CORSRule{fewHeaders}, nil, nil, []string{"CORS rule", "allowed headers *"}},
		{"a prefix that the token is not for", good, func(_ *chain, o *webupload.Options) { o.Prefix = "out/" }, nil,
			[]string{"You may not upload to this place", "media/out/", "AccessDenied", "request "}},
		{"an object of that name", good, nil, func(c *chain) {
			c.oss.Inject(osstest.Fail(osstest.OpInitiateMultipartUpload, 0, "FileAlreadyExists"))
		}, []string{"There is a file of this name already", "Keep both"}},
		{"a public endpoint that the account may not use", good, nil, func(c *chain) {
			c.oss.Inject(osstest.Fail(osstest.OpInitiateMultipartUpload, 400, "PublicEndpointForbidden"))
		}, []string{"does not take uploads at this address", "map a domain to the bucket"}},
		{"the token server is down", good, nil, func(c *chain) {
			c.setTokens(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
		}, []string{"The token server does not answer", "network"}},
		{"the token server keeps an expired token", good, nil, func(c *chain) {
			r := httptest.NewRequest("GET", "http://localhost/token", nil)
			r.RemoteAddr = "127.0.0.1:1"
			c.serveToken(httptest.NewRecorder(), r)
			c.sts.ExpireAll()
		}, []string{"The token has expired, and the token server has no new one yet"}},
		{"STS refuses", good, nil, func(c *chain) { c.sts.FailNext(1000, "NoPermission") },
			[]string{"could not get a token", "NoPermission"}},
		{"the bucket is down", good, nil, func(c *chain) { c.oss.Close() }, []string{"The connection to the bucket broke", "network"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			needsLong(t, tt.name)
			t.Parallel()
			c := newChain(t, tt.rules, tt.edit)
			p := b.open(t, c.url)
			p.Do(chromedp.WaitVisible("#chooser"))
			if tt.after != nil {
				tt.after(c)
			}
			p.choose(file(t, "talk.mp4", sixParts))
			p.failed("talk.mp4", tt.texts...)
		})
	}
	t.Run("goes on when it works again", func(t *testing.T) {
		t.Parallel()
		c := newChain(t, good, nil)
		c.oss.Inject(osstest.Fail(osstest.OpUploadPart, 503, "ServiceUnavailable").Part(4).Times(4))
		talk := file(t, "talk.mp4", sixParts)
		p := b.open(t, c.url)
		p.choose(talk)
		p.failed("talk.mp4", "busy or in trouble", "ServiceUnavailable")
		p.click("Try again talk.mp4")
		p.state("talk.mp4", "Uploaded")
		c.stored("in/talk.mp4", talk)
		if n := c.oss.Count(osstest.OpInitiateMultipartUpload); n != 1 {
			t.Errorf("%d uploads were begun; want 1", n)
		}
	})
}

func accessCode(t *testing.T, b *browser) {
	auth, err := appserver.Bearer(map[string]appserver.Identity{"code-of-alice-123": {Name: "alice", ObjectPrefix: "alice/"}})
	if err != nil {
		t.Fatal(err)
	}
	c := newChain(t, []osstest.CORSRule{pageRule}, func(c *chain, _ *webupload.Options) { c.auth = auth })
	p := b.open(t, c.url)
	p.Do(chromedp.WaitVisible("#access"), chromedp.SendKeys("#code", "wrong code\r"))
	p.until(`document.getElementById("alert").textContent === "This access code is not known."`)
	p.Eval(`document.getElementById("code").value = ""`)
	p.Do(chromedp.SendKeys("#code", "code-of-alice-123\r"))
	talk := file(t, "talk.mp4", partSize+1)
	p.choose(talk)
	p.state("talk.mp4", "Uploaded")
	c.stored("in/alice/talk.mp4", talk)
}
