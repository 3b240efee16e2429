package embedded

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
)

// A logger passes on what the server logs, and remembers its last error.
type logger struct {
	to *slog.Logger

	mu     sync.Mutex
	failed string
}

func newLogger(to *slog.Logger) *logger {
	if to == nil {
		to = slog.New(slog.DiscardHandler)
	}
	return &logger{to: to}
}

func (l *logger) debug() bool { return l.to.Enabled(context.Background(), slog.LevelDebug) }

func (l *logger) log(level slog.Level, format string, v []any) {
	text := fmt.Sprintf(format, v...)
	if level == slog.LevelError {
		l.mu.Lock()
		l.failed = text
		l.mu.Unlock()
	}
	l.to.Log(context.Background(), level, "NATS server: "+text)
}

// last returns the last error that the server logged.
func (l *logger) last() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.failed
}

// The server's notices are about each start and each election: they are of interest
// when something is being looked for.
func (l *logger) Noticef(format string, v ...any) { l.log(slog.LevelDebug, format, v) }
func (l *logger) Warnf(format string, v ...any)   { l.log(slog.LevelWarn, format, v) }
func (l *logger) Errorf(format string, v ...any)  { l.log(slog.LevelError, format, v) }
func (l *logger) Fatalf(format string, v ...any)  { l.log(slog.LevelError, format, v) }
func (l *logger) Debugf(format string, v ...any)  { l.log(slog.LevelDebug, format, v) }
func (l *logger) Tracef(format string, v ...any)  { l.log(slog.LevelDebug, format, v) }
