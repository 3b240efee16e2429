package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

func TestVersion(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), []string{"-version"}, &out); err != nil || !strings.HasPrefix(out.String(), "webstream ") || strings.Count(out.String(), "\n") != 1 {
		t.Errorf("got %q, %v", out.String(), err)
	}
}

func TestHelp(t *testing.T) {
	if err := run(t.Context(), []string{"-help"}, io.Discard); err != nil {
		t.Errorf("got %v", err)
	}
}
