package webupload_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/vodupload/vodupload/examples/internal/chromium"
)

// A browser is a running Chromium.
type browser struct{ ctx context.Context }

// startBrowser starts Chromium, or skips the test and says how to get what is missing.
func startBrowser(t *testing.T) *browser {
	t.Helper()
	if _, err := os.Stat(filepath.Join("node_modules", "ali-oss")); err != nil {
		chromium.Lack(t, `the web SDK is not here: run "npm ci" in examples/webupload`)
	}
	return &browser{chromium.Start(t)}
}

// A tab shows the page of a chain.
type tab struct{ *chromium.Tab }

const script = `
	const wait = setTimeout, now = Date.now;
	window.setTimeout = (f, ms) => wait(f, ms >= 1000 && ms <= 20000 ? ms / 100 : ms);
	window.clockAhead = 0;
	Date.now = () => now() + window.clockAhead;`

// open shows a page. Waits for a retry are a hundredth of what they are, and the page's
// clock can be put forward by the variable clockAhead. The scripts run before the page's own.
func (b *browser) open(t *testing.T, url string, scripts ...string) *tab {
	t.Helper()
	return &tab{chromium.Open(t, b.ctx, url, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script + strings.Join(scripts, "\n")})
		return err
	}))}
}

// choose picks files as the dialog of the browser does.
func (p *tab) choose(paths ...string) {
	p.T.Helper()
	p.Do(chromedp.WaitVisible("#chooser"), chromedp.SetUploadFiles("#files", paths, chromedp.NodeReady))
}

// click presses the button with that name for screen readers.
func (p *tab) click(name string) {
	p.T.Helper()
	p.Do(chromedp.Click(fmt.Sprintf(`button[aria-label=%q]`, name), chromedp.NodeEnabled))
}

// item is a JavaScript function of a file's name that returns its item on the list.
const item = `(name) => [...document.querySelectorAll("#list > li")].find((i) => i.querySelector(".name").textContent === name)`

// until waits until a condition in JavaScript holds, in which item is the function above.
func (p *tab) until(condition string) {
	p.T.Helper()
	p.Until(fmt.Sprintf(`(() => { const item = %s; return (%s); })()`, item, condition))
}

// state waits until a file is in a state.
func (p *tab) state(name, state string) {
	p.T.Helper()
	p.until(fmt.Sprintf(`item(%q)?.querySelector(".state").textContent === %q`, name, state))
}

// failed waits until a file has failed, and checks that what the page says has all the
// texts in it.
func (p *tab) failed(name string, texts ...string) {
	p.T.Helper()
	p.state(name, "Failed")
	said := p.Eval(fmt.Sprintf(`(%s)(%q).querySelector(".problem").innerText`, item, name))
	for _, text := range texts {
		if !strings.Contains(said, text) {
			p.T.Errorf("%q is missing in %q", text, said)
		}
	}
}
