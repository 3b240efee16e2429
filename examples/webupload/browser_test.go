package webupload_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// A browser is a running Chromium.
type browser struct{ ctx context.Context }

// patience bounds each test in the browser.
const patience = 60 * time.Second

// startBrowser starts Chromium without a window, or skips the test and says how to get
// what is missing. Where CI is true, a test that did not run is a failure.
func startBrowser(t *testing.T) *browser {
	t.Helper()
	path := findBrowser()
	if path == "" {
		lack(t, `there is no Chromium here: install it ("apt-get install chromium", or Chrome), or set CHROMIUM to its path`)
	}
	if _, err := os.Stat(filepath.Join("node_modules", "ali-oss")); err != nil {
		lack(t, `the web SDK is not here: run "npm ci" in examples/webupload`)
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
	return &browser{ctx}
}

func lack(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(what)
	}
	t.Skip(what)
}

func findBrowser() string {
	for _, name := range []string{os.Getenv("CHROMIUM"), "chromium", "chromium-browser", "google-chrome", "chrome",
		"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", `C:\Program Files\Google\Chrome\Application\chrome.exe`} {
		if path, err := exec.LookPath(name); name != "" && err == nil {
			return path
		}
	}
	return ""
}

// A tab shows the page of a chain.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu       sync.Mutex
	problems []string
}

const script = `
	const wait = setTimeout, now = Date.now;
	window.setTimeout = (f, ms) => wait(f, ms >= 1000 && ms <= 20000 ? ms / 100 : ms);
	window.clockAhead = 0;
	Date.now = () => now() + window.clockAhead;`

// open shows a page. Waits for a retry are a hundredth of what they are, and the page's
// clock can be put forward by the variable clockAhead. The scripts run before the page's own.
func (b *browser) open(t *testing.T, url string, scripts ...string) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	t.Cleanup(cancel)
	p := &tab{t: t}
	if err := chromedp.Listen(ctx, p.listen); err != nil {
		t.Fatalf("open a tab: %v", err)
	}
	p.ctx, cancel = context.WithTimeout(ctx, patience)
	t.Cleanup(cancel)
	p.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script + strings.Join(scripts, "\n")})
		return err
	}), chromedp.Navigate(url))
	t.Cleanup(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, problem := range p.problems {
			t.Errorf("in the browser: %s", problem)
		}
	})
	return p
}

// listen notes scripts that fail and violations of the policy for content. Requests that
// fail are what many of the tests are about.
func (p *tab) listen(event any) {
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

func (p *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, actions...); err != nil {
		p.t.Fatalf("%v; the page shows:\n%s", err, p.shown())
	}
}

// shown is the page as text, for the messages of tests.
func (p *tab) shown() string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(p.ctx), 2*time.Second)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.body.innerText`))
	if err != nil {
		return err.Error()
	}
	return text
}

// choose picks files as the dialog of the browser does.
func (p *tab) choose(paths ...string) {
	p.t.Helper()
	p.do(chromedp.WaitVisible("#chooser"), chromedp.SetUploadFiles("#files", paths, chromedp.NodeReady))
}

// click presses the button with that name for screen readers.
func (p *tab) click(name string) {
	p.t.Helper()
	p.do(chromedp.Click(fmt.Sprintf(`button[aria-label=%q]`, name), chromedp.NodeEnabled))
}

// item is a JavaScript function of a file's name that returns its item on the list.
const item = `(name) => [...document.querySelectorAll("#list > li")].find((i) => i.querySelector(".name").textContent === name)`

// until waits until a condition in JavaScript holds, in which item is the function above.
func (p *tab) until(condition string) {
	p.t.Helper()
	p.do(chromedp.Poll[chromedp.Void](fmt.Sprintf(`(() => { const item = %s; return Boolean(%s); })()`, item, condition),
		chromedp.WithPollingInterval(20*time.Millisecond), chromedp.WithPollingTimeout(patience)))
}

// state waits until a file is in a state.
func (p *tab) state(name, state string) {
	p.t.Helper()
	p.until(fmt.Sprintf(`item(%q)?.querySelector(".state").textContent === %q`, name, state))
}

// failed waits until a file has failed, and checks that what the page says has all the
// texts in it.
func (p *tab) failed(name string, texts ...string) {
	p.t.Helper()
	p.state(name, "Failed")
	said := p.eval(fmt.Sprintf(`(%s)(%q).querySelector(".problem").innerText`, item, name))
	for _, text := range texts {
		if !strings.Contains(said, text) {
			p.t.Errorf("%q is missing in %q", text, said)
		}
	}
}

// eval returns the value of an expression as text.
func (p *tab) eval(expression string) string {
	p.t.Helper()
	text, err := chromedp.Run(p.ctx, chromedp.Evaluate[string]("String("+expression+")"))
	if err != nil {
		p.t.Fatalf("%s: %v", expression, err)
	}
	return text
}
