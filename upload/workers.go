package upload

import (
	"context"

	"github.com/vodupload/vodupload/upload/internal/tasks"
)

// workers are the goroutines of a client: runs, clean-ups, and calls of providers.
type workers struct {
	tasks.Group
	reads tasks.Group             // Reads of Readers whose files have ended
	ctx   context.Context         // of all of them; ends with Close
	end   context.CancelCauseFunc // ends ctx
}

// goAnyway runs fn on a goroutine that Close waits for, unless Close has given up waiting:
// then fn runs all the same.
func (w *workers) goAnyway(fn func()) {
	if !w.Go(fn) {
		go fn()
	}
}

// goDo runs fn on a goroutine that Close waits for. It returns false after Close.
func (c *Client) goDo(fn func(context.Context)) bool {
	return c.workers.Go(func() { fn(c.workers.ctx) })
}
