package main

import (
	"context"
	"log/slog"
	"sync/atomic"
)

// A startLog makes warnings of the start remarks: with an STS in this process there is
// nothing to be warned of, since its tokens open nothing. What comes later is as it was.
type startLog struct {
	slog.Handler
	started *atomic.Bool
}

// quietStart returns the logger, with its warnings made remarks until started is called.
func quietStart(l *slog.Logger) (quiet *slog.Logger, started func()) {
	h := startLog{l.Handler(), &atomic.Bool{}}
	return slog.New(h), func() { h.started.Store(true) }
}

func (h startLog) level(l slog.Level) slog.Level {
	if !h.started.Load() && l == slog.LevelWarn {
		return slog.LevelDebug
	}
	return l
}

// Enabled implements [slog.Handler].
func (h startLog) Enabled(ctx context.Context, l slog.Level) bool {
	return h.Handler.Enabled(ctx, h.level(l))
}

// Handle implements [slog.Handler].
func (h startLog) Handle(ctx context.Context, r slog.Record) error {
	r.Level = h.level(r.Level)
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements [slog.Handler].
func (h startLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	return startLog{h.Handler.WithAttrs(attrs), h.started}
}

// WithGroup implements [slog.Handler].
func (h startLog) WithGroup(name string) slog.Handler {
	return startLog{h.Handler.WithGroup(name), h.started}
}
