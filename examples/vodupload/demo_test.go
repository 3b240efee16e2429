package main

import (
	"strings"
	"testing"
)

func TestDemo(t *testing.T) {
	w := newWorld(t)
	w.chdir()
	r := w.run("demo", "--size", "8M").wants(t, exitOK)
	for _, want := range []string{
		"$ vodupload cp films oss://demo/2026/", "resume with: vodupload cp films", "are kept",
		"of an earlier run", "nothing to upload: 3 files there already", "$ vodupload verify films",
	} {
		if !strings.Contains(r.stderr, want) {
			t.Errorf("no %q in\n%s", want, r.stderr)
		}
	}
	if !strings.Contains(r.stdout, "environment VODUPLOAD_CREDENTIALS_URI") {
		t.Errorf("stdout: %s", r.stdout)
	}
}
