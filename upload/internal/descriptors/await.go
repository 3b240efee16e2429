package descriptors

import (
	"context"
	"fmt"
	"time"

	"github.com/vodupload/vodupload/upload/internal/tasks"
)

const (
	// Pause is how long to wait before the next attempt.
	Pause = 250 * time.Millisecond

	// Patience bounds the wait. A process that has had no descriptor left for so long
	// leaks them, and will not get better.
	Patience = 10 * time.Minute
)

// Await calls open, and again after a pause while it fails for want of a descriptor. It
// returns any other error at once, and that one after Patience. waits, which may be nil,
// is called before the first pause.
func Await(ctx context.Context, open func() error, waits func(error)) error {
	for began := time.Now(); ; {
		err := open()
		switch {
		case !Exhausted(err):
			return err
		case time.Since(began) >= Patience:
			return fmt.Errorf("%w (for %v)", err, Patience)
		case waits != nil:
			waits(err)
			waits = nil
		}
		if cause := tasks.Sleep(ctx, Pause); cause != nil {
			return fmt.Errorf("%w; before that: %w", cause, err)
		}
	}
}
