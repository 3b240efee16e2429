package webupload_test

import (
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/vodupload/vodupload/upload/osstest"
)

// kept is a condition: the browser keeps a record with that many parts.
const kept = `Object.keys(localStorage).some((k) => k.startsWith("vodupload ") &&
	JSON.parse(localStorage[k]).etags.filter(Boolean).length === 3)`

// mayLeave is a script that keeps the browser from asking whether to leave the page.
const mayLeave = `addEventListener("beforeunload", (event) => event.stopImmediatePropagation(), true);`

// untilHalf chooses a file of six parts, and waits until the browser has kept three.
func untilHalf(c *chain, p *tab, path string) {
	c.t.Helper()
	c.oss.Inject(osstest.Hang(osstest.OpUploadPart).Match(func(r osstest.Request) bool { return r.PartNumber > 3 }).BeforeWork().Always())
	p.choose(path)
	p.until(kept)
	p.until(`/· \d\d %$/.test(item("talk.mp4").querySelector(".detail").textContent)`) // 100 % is for the end
}

func reload(t *testing.T, b *browser, c *chain) {
	talk := file(t, "talk.mp4", sixParts)
	p := b.open(t, c.url, mayLeave)
	untilHalf(c, p, talk)
	if all := p.Eval(`JSON.stringify(localStorage)`); strings.Contains(all, "STS.") || strings.Contains(all, "oken") {
		t.Errorf("the browser keeps a token: %s", all)
	}
	p.Do(chromedp.Reload())
	c.oss.ClearFaults()
	p.choose(talk)
	p.state("talk.mp4", "Uploaded")
	c.stored("in/talk.mp4", talk)
	if n := c.oss.Count(osstest.OpInitiateMultipartUpload); n != 1 {
		t.Errorf("%d uploads were begun; want 1", n)
	}
	for part, codes := range c.partCalls() {
		if part <= 3 && codes[""] != 1 {
			t.Errorf("part %d was sent again: calls by code %v", part, codes)
		}
	}
	p.until(`!Object.keys(localStorage).some((k) => k.startsWith("vodupload "))`)
}

// reloadOther changes the bytes of a file whose size and time stay.
func reloadOther(t *testing.T, b *browser, c *chain) {
	talk := file(t, "talk.mp4", sixParts)
	before, err := os.Stat(talk)
	if err != nil {
		t.Fatal(err)
	}
	p := b.open(t, c.url, mayLeave)
	untilHalf(c, p, talk)
	if err := os.WriteFile(talk, make([]byte, sixParts), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(talk, before.ModTime(), before.ModTime()); err != nil {
		t.Fatal(err)
	}
	p.Do(chromedp.Reload())
	c.oss.ClearFaults()
	p.choose(talk)
	p.state("talk.mp4", "Uploaded")
	c.stored("in/talk.mp4", talk)
	if n := c.oss.Count(osstest.OpInitiateMultipartUpload); n != 2 {
		t.Errorf("%d uploads were begun; want 2, since the first is of other bytes", n)
	}
	if err := c.oss.WaitIdle(p.Ctx); err != nil {
		t.Fatal(err)
	}
	if left := c.oss.Uploads("media"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// twoTabs chooses the same file in two tabs.
func twoTabs(t *testing.T, b *browser, c *chain) {
	talk := file(t, "talk.mp4", sixParts)
	first := b.open(t, c.url)
	untilHalf(c, first, talk)
	second := b.open(t, c.url)
	second.choose(talk)
	second.until(`item("talk.mp4")?.querySelector(".detail").textContent === "Another tab uploads this file. This one waits for it …"`)
	if n := c.oss.Count(osstest.OpInitiateMultipartUpload); n != 1 {
		t.Errorf("%d uploads were begun; want 1", n)
	}
	first.click("Pause talk.mp4")
	second.until(`!item("talk.mp4").querySelector(".detail").textContent.includes("Another tab")`)
	c.oss.ClearFaults()
	second.state("talk.mp4", "Uploaded")
	c.stored("in/talk.mp4", talk)
	for part, codes := range c.partCalls() {
		if part <= 3 && codes[""] != 1 {
			t.Errorf("part %d was sent by both: calls by code %v", part, codes)
		}
	}
	first.click("Resume talk.mp4")
	first.failed("talk.mp4", "There is a file of this name already", "Keep both")
	if left := c.oss.Uploads("media"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// outage cuts the network for a minute, after half of the file.
func outage(t *testing.T, b *browser, c *chain) {
	hold := osstest.Hang(osstest.OpUploadPart).Part(4).BeforeWork()
	c.oss.Inject(hold)
	talk := file(t, "talk.mp4", sixParts)
	p := b.open(t, c.url)
	p.choose(talk)
	<-hold.Fired()
	p.Eval(`(() => {
		window.lowered = 0;
		let last = 0;
		setInterval(() => {
			const now = document.querySelector("#list progress")?.value ?? 0;
			window.lowered += now < last ? 1 : 0;
			last = now;
		}, 10);
	})()`)
	cut := osstest.Reset(osstest.AnyOp).Always()
	c.oss.Inject(cut)
	hold.Release()
	tries := c.oss.Count() + 30 // more than the retries of all parts together
	if err := c.oss.WaitRequests(p.Ctx, tries); err != nil {
		t.Fatal(err)
	}
	p.Eval(`window.clockAhead = 60 * 1000`)
	p.until(`item("talk.mp4").querySelector(".detail").textContent.includes("Trying again")`)
	c.oss.ClearFaults()
	p.state("talk.mp4", "Uploaded")
	c.stored("in/talk.mp4", talk)
	if n := c.oss.Count(osstest.OpInitiateMultipartUpload); n != 1 {
		t.Errorf("%d uploads were begun; want 1", n)
	}
	if n := p.Eval(`window.lowered`); n != "0" {
		t.Errorf("the progress went back %s times", n)
	}
}

func keepBoth(t *testing.T, b *browser, c *chain) {
	const right = `Math.round(document.querySelector("#list .end").getBoundingClientRect().left)`
	paths := []string{file(t, "talk.mp4", partSize+1), file(t, "talk.mp4", 10), file(t, "talk.mp4", sixParts)}
	for i, path := range paths {
		hold := osstest.Hang(osstest.AnyOp).Nth(1)
		c.oss.Inject(hold)
		p := b.open(t, c.url)
		p.choose(path)
		<-hold.Fired()
		p.state("talk.mp4", "Uploading")
		before := p.Eval(right)
		hold.Release()
		if i > 0 {
			p.failed("talk.mp4", "There is a file of this name already")
			p.click("Keep both talk.mp4")
		}
		p.state("talk.mp4", "Uploaded")
		object := []string{"in/talk.mp4", "in/talk (2).mp4", "in/talk (3).mp4"}[i]
		c.stored(object, path)
		if got := p.Eval(`document.querySelector("#list .link").textContent`); got != "media/"+object {
			t.Errorf("the page says that the file is %q, want media/%s", got, object)
		}
		want := "/media/" + strings.ReplaceAll(object, " ", "%20")
		if got := p.Eval(`document.querySelector("#list .link").href`); !strings.HasSuffix(got, want) {
			t.Errorf("the link is %s, want one that ends in %s", got, want)
		}
		if after := p.Eval(right); after != before {
			t.Errorf("the last button has moved from %s to %s", before, after)
		}
	}
	c.stored("in/talk.mp4", paths[0])
	if left := c.oss.Uploads("media"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func chinese(t *testing.T, b *browser, c *chain) {
	p := b.open(t, c.url, `Object.defineProperty(navigator, "language", { get: () => "zh-CN" });`)
	talk := file(t, "talk.mp4", sixParts)
	p.choose(talk)
	p.state("talk.mp4", "已上传")
	p.until(`document.documentElement.lang === "zh-CN" && document.querySelector("h1").textContent === "上传媒体文件"`)
	p.choose(talk)
	p.until(`document.getElementById("alert").textContent === "talk.mp4 已在列表中。"`)
	p.Do(chromedp.Click("#language", chromedp.NodeEnabled))
	p.state("talk.mp4", "Uploaded")
	p.until(`document.querySelector("h1").textContent === "Upload media" && document.getElementById("language").textContent === "中文"`)
	p.Do(chromedp.Reload())
	p.until(`document.querySelector("h1").textContent === "Upload media"`)
}
