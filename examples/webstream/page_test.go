package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/vodupload/vodupload/examples/internal/chromium"
	"github.com/vodupload/vodupload/upload/osstest"
)

// The page as a phone has it that came over http from another machine.
func TestPage(t *testing.T) {
	browser := chromium.Start(t)
	s := newSite(t)
	p := chromium.Open(t, browser, s.url, chromedp.EmulateViewport(360, 640, chromedp.EmulateMobile),
		chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, cdppage.AddScriptToEvaluateOnNewDocument,
				cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: `delete Crypto.prototype.randomUUID`})
			return err
		}))
	path := filepath.Join(t.TempDir(), "talk <b>.mp4")
	if err := os.WriteFile(path, content(3*partSize), 0o600); err != nil {
		t.Fatal(err)
	}
	choose := func() {
		p.Eval(`document.getElementById("file").onclick()`) // what opens the dialog
		p.Do(chromedp.SetUploadFiles("#file", []string{path}, chromedp.NodeReady))
	}
	const text = `document.getElementById("text").textContent`

	t.Run("is as wide as the screen", func(t *testing.T) {
		if got := p.Eval(`innerWidth`); got != "360" {
			t.Errorf("the page is %s pixels wide, want 360", got)
		}
	})
	t.Run("uploads a file", func(t *testing.T) {
		p.T = t
		choose()
		p.Until(text + `.startsWith("stored as in/")`)
		p.Until(`!document.getElementById("file").disabled && document.activeElement.id === "file"`)
	})
	t.Run("says what the server says", func(t *testing.T) {
		p.T = t
		s.oss.Inject(osstest.Fail(osstest.OpUploadPart, 403, "AccessDenied"))
		choose()
		p.Until(text + `.startsWith("the file could not be stored")`)
		p.Until(`document.getElementById("bar").hidden`)
	})
	t.Run("says in its own words that the server is gone", func(t *testing.T) {
		p.T = t
		p.Eval(`window.fetch = () => Promise.reject(new TypeError("Failed to fetch"))`)
		choose()
		p.Until(text + `.startsWith("the connection to the server broke")`)
	})
}
