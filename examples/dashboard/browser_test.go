package main

import (
	"context"
	"os"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/vodupload/vodupload/examples/internal/chromium"
)

// A tab shows a dashboard.
type tab struct{ *chromium.Tab }

// openTab shows a page in a window of some width.
func openTab(t *testing.T, browser context.Context, url string, width, height int64, dark bool) *tab {
	t.Helper()
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	return &tab{chromium.Open(t, browser, url, chromedp.EmulateViewport(width, height), chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
		}})
		return err
	}))}
}

// shoot keeps a picture of the page in the directory of the flag -shots, for people.
func (p *tab) shoot(name string) {
	p.T.Helper()
	if *shots == "" {
		return
	}
	picture, err := chromedp.Run(p.Ctx, chromedp.FullScreenshot(100))
	if err != nil {
		p.T.Fatal(err)
	}
	if err := os.WriteFile(*shots+"/"+name+".png", picture, 0o644); err != nil {
		p.T.Fatal(err)
	}
}
