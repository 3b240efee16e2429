package main

import (
	"io"
	"os"
	"testing"

	"github.com/vodupload/vodupload/examples/compare/link"
)

func TestEveryContenderSendsOverALink(t *testing.T) {
	t.Parallel() // they wait, most of the time
	if err := link.Possible(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	scenarios := pick(linkScenarios(tiny), "100 Mbit/s, 50 ms, parts of 1 MiB", "")
	if len(scenarios) != 1 {
		t.Fatalf("%d scenarios, want one", len(scenarios))
	}
	res, err := (&director{rounds: 1, progress: io.Discard}).runLinks(t.Context(), t.TempDir(), scenarios)
	if err != nil {
		t.Fatal(err)
	}
	r := res.Scenarios[0]
	for _, one := range r.Samples {
		if one.Wall < r.Ideal {
			t.Errorf("%s: %v for %d bytes, want at least %v: they did not go over the link", one.Contender, one.Wall, r.Size, r.Ideal)
		}
	}
	if len(r.Samples) != len(r.contenders) {
		t.Errorf("%d samples, want one of each of %d", len(r.Samples), len(r.contenders))
	}
}
