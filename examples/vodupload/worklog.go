package main

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/vodupload/vodupload/examples/vodupload/internal/output"
)

// A workLog shows what a worker logs in lines for people.
type workLog struct {
	report *output.Reporter
	least  slog.Level
	attrs  []slog.Attr
}

// Enabled implements slog.Handler.
func (h *workLog) Enabled(_ context.Context, level slog.Level) bool { return level >= h.least }

// Handle implements slog.Handler.
func (h *workLog) Handle(_ context.Context, r slog.Record) error {
	attrs := slices.Clone(h.attrs)
	r.Attrs(func(a slog.Attr) bool {
		attrs = append(attrs, a)
		return true
	})
	h.report.Log(r.Level >= slog.LevelError, workLine(r.Message, attrs))
	return nil
}

// WithAttrs implements slog.Handler.
func (h *workLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &workLog{h.report, h.least, append(slices.Clone(h.attrs), attrs...)}
}

// WithGroup implements slog.Handler. A worker makes no groups.
func (h *workLog) WithGroup(string) slog.Handler { return h }

// workLine returns a message and its attributes as one line, with an error at the end.
func workLine(message string, attrs []slog.Attr) string {
	var words []string
	because := ""
	for _, a := range attrs {
		value := a.Value.Resolve()
		switch text := value.String(); {
		case a.Key == "error":
			because = ": " + text
		case a.Key == "source":
			words = append(words, shownSource(text))
		case value.Kind() == slog.KindDuration:
			words = append(words, a.Key+" "+output.Duration(value.Duration().Round(time.Second)))
		case value.Kind() == slog.KindInt64 && (a.Key == "bytes" || a.Key == "resumed"):
			words = append(words, a.Key+" "+output.Bytes(value.Int64()))
		default:
			words = append(words, a.Key+" "+text)
		}
	}
	if len(words) > 0 {
		message += ": " + strings.Join(words, ", ")
	}
	return message + because
}
