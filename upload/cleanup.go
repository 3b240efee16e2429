package upload

import (
	"context"

	"github.com/vodupload/vodupload/upload/internal/filelist"
	"github.com/vodupload/vodupload/upload/internal/target"
	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// A cleanup removes what a file that is not running has left at the server and on disk.
type cleanup struct {
	e       *entry
	session *transfer.Session
	job     *transfer.Job
	steps   transfer.Steps
}

func (c *Client) newCleanupLocked(e *entry) *cleanup {
	up := &cleanup{e: e, session: c.sessionLocked(e)}
	e.steps = &up.steps
	up.job = &transfer.Job{
		Name: e.source, Target: e.target(), Gate: &fileGate{c: c, e: e, cleanup: true},
		Slots: &fileSlots{c: c, rank: cleanupRank}, Volatile: e.unfingerprinted, VideoID: e.made(),
		Object: target.ObjectOptions{RequestPayer: e.options != nil && e.options.RequestPayer},
		Emit:   func(ev transfer.Event) { c.logCleanup(ev, func() []any { return c.attrs(e) }) },
		Steps:  &up.steps,
	}
	return up
}

func (c *Client) cleanUp(up *cleanup) {
	ctx, cancel := context.WithTimeout(c.workers.ctx, c.opts.CleanupTimeout)
	defer cancel()
	ctx = c.observed(ctx, up.e.id)
	var err error
	if up.e.stream != nil {
		err = up.session.Abandon(ctx, up.job)
	} else {
		err = c.abandon(ctx, up)
	}
	if err != nil {
		c.opts.Logger.Warn("an unfinished upload stays at the server", c.attrs(up.e, "error", err)...)
	}
	_ = c.decide(func(l *filelist.List) error {
		up.e.steps = nil
		l.Cleaned(filelist.ID(up.e.id))
		return nil
	})
}

// logCleanup logs what happened in the clean-up after a file, in a sweep or in a Stat. There is no
// callback for it: the file has ended, or there is none.
func (c *Client) logCleanup(e transfer.Event, about func() []any) {
	switch e.Kind {
	case transfer.Warning:
		c.opts.Logger.Warn("clean-up", append(about(), "warning", e.Err)...)
	case transfer.Retrying:
		c.shared.counters.retried(e.Err)
		c.opts.Logger.Warn("retry of a clean-up", append(about(), "attempt", e.Attempt, "delay", e.Delay, "error", e.Err)...)
	}
}
