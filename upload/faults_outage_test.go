package upload_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vodupload/vodupload/upload"
)

// outageScenes are how an outage meets an upload.
var outageScenes = []struct {
	name string
	act  func(w *outageWorld, set func(*outageWorld, bool)) error
}{
	{"for a minute, after an answer", func(w *outageWorld, set func(*outageWorld, bool)) error {
		c := w.client()
		if _, err := c.Upload(w.ctx, w.bytesOf("first", kib)); err != nil {
			return err
		}
		set(w, true)
		time.AfterFunc(time.Minute, func() { set(w, false) })
		_, err := c.Upload(w.ctx, w.bytesOf("a", 250*kib))
		return err
	}},
	{"for ever, after an answer", func(w *outageWorld, set func(*outageWorld, bool)) error {
		c := w.client()
		if _, err := c.Upload(w.ctx, w.bytesOf("first", kib)); err != nil {
			return err
		}
		set(w, true)
		_, err := c.Upload(w.ctx, w.bytesOf("a", 250*kib))
		return err
	}},
	{"for ever, no answer before", func(w *outageWorld, set func(*outageWorld, bool)) error {
		set(w, true)
		_, err := w.client().Upload(w.ctx, w.bytesOf("a", 250*kib))
		return err
	}},
}

// drawOutages uploads a file against each outage, with the defaults.
func drawOutages(t *testing.T) string {
	var b strings.Builder
	b.WriteString(`
## Outages

Written by the same test, with the default options: nothing gets through to the endpoint.

- "ok": the object is there; the retries of no request were spent
- "fails": with that code, when the outage has lasted longer than Options.OutageWait, or
  after Options.RetryCount retries
- "OnRetry": how often it was called

| outage |`)
	for _, s := range outageScenes {
		b.WriteString(" " + s.name + " |")
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(outageScenes)) + "\n")
	for _, name := range slices.Sorted(maps.Keys(away)) {
		b.WriteString("| " + name + " |")
		for _, s := range outageScenes {
			synctest.Test(t, func(t *testing.T) {
				w := newOutageWorld(t)
				b.WriteString(" " + outageText(s.act(w, away[name]), w.retries.Load()) + " |")
			})
		}
		b.WriteString("\n")
	}
	return b.String()
}

func outageText(err error, retries int32) string {
	text := "ok"
	var e *upload.Error
	switch {
	case errors.As(err, &e) && strings.Contains(err.Error(), "Options.OutageWait"):
		text = "fails: " + e.Code + ", OutageWait"
	case errors.As(err, &e):
		text = "fails: " + e.Code + ", RetryCount"
	case err != nil:
		text = "fails: " + err.Error()
	}
	return fmt.Sprintf("%s, OnRetry %d", text, retries)
}
