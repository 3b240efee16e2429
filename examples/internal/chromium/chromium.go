// Package chromium drives a Chromium without a window, for tests of pages.
package chromium

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Patience bounds what is done in a tab.
const Patience = 60 * time.Second

// Start starts Chromium until the test ends, or skips the test as [Lack] does.
func Start(t *testing.T) context.Context {
	t.Helper()
	path := find()
	if path == "" {
		Lack(t, `there is no Chromium here: install it ("apt-get install chromium", or Chrome), or set CHROMIUM to its path`)
	}
	// Without the flags after no-sandbox, Chromium calls its maker's hosts.
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), opts...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	// A browser that is killed leaves its temporary files.
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		if err := chromedp.Cancel(ctx); err != nil {
			t.Logf("close the browser: %v", err)
		}
	})
	return ctx
}

// Lack skips the test and says what it lacks, and how to get it. Where CI is true, a test
// that did not run is a failure.
func Lack(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(what)
	}
	t.Skip(what)
}

func find() string {
	for _, name := range []string{os.Getenv("CHROMIUM"), "chromium", "chromium-browser", "google-chrome", "chrome",
		"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", `C:\Program Files\Google\Chrome\Application\chrome.exe`} {
		if path, err := exec.LookPath(name); name != "" && err == nil {
			return path
		}
	}
	return ""
}

// A Tab shows a page.
type Tab struct {
	T     *testing.T
	Ctx   context.Context
	Close func()

	mu       sync.Mutex
	problems []string
}

// Open shows a page, after the actions. At its end the test fails for scripts that failed,
// and for violations of the policy for content.
func Open(t *testing.T, browser context.Context, url string, before ...chromedp.Action[chromedp.Void]) *Tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser)
	t.Cleanup(cancel)
	p := &Tab{T: t, Close: cancel}
	if err := chromedp.Listen(ctx, p.listen); err != nil {
		t.Fatalf("open a tab: %v", err)
	}
	p.Ctx, cancel = context.WithTimeout(ctx, Patience)
	t.Cleanup(cancel)
	p.Do(append(before, chromedp.Navigate(url))...)
	t.Cleanup(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, problem := range p.problems {
			t.Errorf("in the browser: %s", problem)
		}
	})
	return p
}

// listen notes problems. Requests that fail are what many of the tests are about.
func (p *Tab) listen(event any) {
	text := ""
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		text = e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			text += " " + e.ExceptionDetails.Exception.Description
		}
	case *log.EventEntryAdded:
		if strings.Contains(e.Entry.Text, "Content Security Policy") {
			text = e.Entry.Text
		}
	}
	if text != "" {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.problems = append(p.problems, text)
	}
}

// Do does things in the tab, one after the other.
func (p *Tab) Do(actions ...chromedp.Action[chromedp.Void]) {
	p.T.Helper()
	if err := chromedp.Do(p.Ctx, actions...); err != nil {
		p.T.Fatalf("%v; the page shows:\n%s", err, p.shown())
	}
}

// shown is the page as text, for the messages of tests.
func (p *Tab) shown() string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(p.Ctx), 2*time.Second)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.body.innerText`))
	if err != nil {
		return err.Error()
	}
	return text
}

// Until waits until a condition in JavaScript holds.
func (p *Tab) Until(condition string) {
	p.T.Helper()
	if err := chromedp.Do(p.Ctx, chromedp.Poll[chromedp.Void]("Boolean("+condition+")",
		chromedp.WithPollingInterval(20*time.Millisecond), chromedp.WithPollingTimeout(Patience))); err != nil {
		p.T.Fatalf("%s: %v; the page shows:\n%s", condition, err, p.shown())
	}
}

// Eval returns the value of an expression as text.
func (p *Tab) Eval(expression string) string {
	p.T.Helper()
	text, err := chromedp.Run(p.Ctx, chromedp.Evaluate[string]("String("+expression+")"))
	if err != nil {
		p.T.Fatalf("%s: %v", expression, err)
	}
	return text
}
