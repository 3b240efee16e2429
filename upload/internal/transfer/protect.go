package transfer

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/vodupload/vodupload/upload/internal/tasks"
)

// errPanic is for code of the user's that panics. It runs on goroutines of this
// library and of net/http, where a panic would end the process.
var errPanic = errors.New("panicked")

// Isolate is [Protect] for code that may end its goroutine, as testing.T.FailNow does: it
// gets one of its own, and its end is an error. On one of this library or of net/http,
// somebody would wait for ever for what it was to do.
func Isolate(what string, fn func() error) (err error) {
	if exit := tasks.Alone(func() { err = Protect(what, fn) }); exit != nil {
		return fmt.Errorf("%s %w", what, exit)
	}
	return err
}

// Protect calls fn, and makes an error of its panic that says what panicked, and where;
// of that of a method of its error as well.
// Where fn ends its goroutine, Protect does not return: see [Isolate].
func Protect(what string, fn func() error) (err error) {
	returned := false
	defer func() {
		if returned {
			return
		}
		switch v := recover().(type) {
		case nil:
		case error:
			err = fmt.Errorf("%s %w: %w%s", what, errPanic, v, panicPlace())
		default:
			err = fmt.Errorf("%s %w: %v%s", what, errPanic, v, panicPlace())
		}
	}()
	err = fn()
	use(err)
	returned = true
	return err
}

// use does with an error what is done with it later, outside of [Protect]: methods of
// errors panic, too, those of a nil *fs.PathError for example.
func use(err error) {
	if err != nil && err != io.EOF {
		_ = err.Error()
		_, _ = outlook(err)
		_ = asked(err)
	}
}

// panicPlace returns where the panic that is being recovered from began.
func panicPlace() string {
	pcs := make([]uintptr, 32)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs)])
	for panicked, more := false, true; more; {
		var f runtime.Frame
		f, more = frames.Next()
		inRuntime := strings.HasPrefix(f.Function, "runtime.")
		if panicked && !inRuntime {
			return fmt.Sprintf(" (%s:%d)", filepath.Base(f.File), f.Line)
		}
		panicked = panicked || f.Function == "runtime.gopanic"
	}
	return ""
}
