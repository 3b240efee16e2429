package upload

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"unicode"
)

func TestLogLinesAreOneLine(t *testing.T) {
	const bad = "a\n\u202eb"
	var out bytes.Buffer
	plain := slog.NewJSONHandler(&out, nil) // it leaves a change of direction as it is
	o, err := (&Options{Logger: slog.New(plain)}).withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	log := o.Logger.With("with", bad).WithGroup("group").With("grouped", errors.New(bad))
	log.Info("m "+bad, "string", bad, "error", errors.New(bad), slog.Group("g", "inner", bad), "number", 7)
	line := strings.TrimSuffix(out.String(), "\n")
	if i := strings.IndexFunc(line, func(r rune) bool { return !unicode.IsGraphic(r) }); i >= 0 {
		t.Errorf("got %q", line)
	}
	if n := strings.Count(line, `a\\n\\u202eb`); n != 6 || !strings.Contains(line, `"number":7`) {
		t.Errorf("got %d of 6 texts escaped: %s", n, line)
	}
}
