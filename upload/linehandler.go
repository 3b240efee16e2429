package upload

import (
	"context"
	"log/slog"

	"github.com/vodupload/vodupload/upload/internal/target"
	"github.com/vodupload/vodupload/upload/internal/tasks"
)

// A lineHandler makes the texts of records fit for one line before it passes them on:
// names of files and messages of servers may have line breaks or control characters in
// them, which not every handler escapes.
type lineHandler struct{ slog.Handler }

// Enabled asks the handler on a goroutine of its own: whoever logs continues where the handler
// ends that. Then nothing is logged.
func (h lineHandler) Enabled(ctx context.Context, level slog.Level) (enabled bool) {
	if h.Handler == slog.DiscardHandler { // the default costs nothing
		return false
	}
	_ = tasks.Alone(func() { enabled = h.Handler.Enabled(ctx, level) })
	return enabled
}

// Handle passes r on, on a goroutine of its own as well, which a value of r may end, too.
func (h lineHandler) Handle(ctx context.Context, r slog.Record) (err error) {
	if exit := tasks.Alone(func() { err = h.pass(ctx, r) }); exit != nil {
		return exit
	}
	return err
}

func (h lineHandler) pass(ctx context.Context, r slog.Record) error {
	clean := slog.NewRecord(r.Time, r.Level, target.Line(r.Message), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		clean.AddAttrs(fitAttr(a))
		return true
	})
	return h.Handler.Handle(ctx, clean)
}

// WithAttrs returns a handler that adds attributes to each record.
func (h lineHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	clean := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		clean[i] = fitAttr(a)
	}
	return lineHandler{h.Handler.WithAttrs(clean)}
}

// WithGroup returns a handler that puts the attributes that follow into a group.
func (h lineHandler) WithGroup(name string) slog.Handler {
	return lineHandler{h.Handler.WithGroup(name)}
}

func fitAttr(a slog.Attr) slog.Attr {
	a.Value = a.Value.Resolve()
	switch a.Value.Kind() {
	case slog.KindString:
		a.Value = slog.StringValue(target.Line(a.Value.String()))
	case slog.KindGroup:
		group := a.Value.Group()
		clean := make([]slog.Attr, len(group))
		for i, inner := range group {
			clean[i] = fitAttr(inner)
		}
		a.Value = slog.GroupValue(clean...)
	case slog.KindAny:
		if err, ok := a.Value.Any().(error); ok {
			a.Value = slog.AnyValue(target.OneLine(err))
		}
	}
	return a
}
