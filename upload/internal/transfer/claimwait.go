package transfer

import (
	"context"
	"errors"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/tasks"
)

const (
	// claimPoll is how often a claim that another holder has is asked for.
	claimPoll = time.Second

	// maxLease bounds the wait for the end of a lease. No store has longer ones.
	maxLease = 5 * time.Minute
)

// A claimWait is the wait for a claim that another holder has.
type claimWait struct {
	limit time.Duration // see [Options].ClaimWait
	since time.Time
	until time.Time // when the lease ends that was met first; zero: it is none
}

// pause returns how long to wait before the claim is asked for again, now that a lease
// until the given time was met; false: it is not asked for any more. The holder of a
// lease that has been renewed is alive. The clocks of here and of the store need not
// agree.
func (w claimWait) pause(until, now time.Time) (time.Duration, bool) {
	waited := now.Sub(w.since)
	switch {
	case w.limit > 0:
		left := w.limit - waited
		return min(claimPoll, left), left > 0
	case w.limit < 0, w.until.IsZero(), until.After(w.until):
		return 0, false
	}
	return claimPoll, waited < maxLease
}

// OpenClaim opens a checkpoint. It waits, as Options.ClaimWait says, while another holder
// has the claim, and while a sweep of this service has it. waiting is called before it
// waits for a holder, and what it returns at the end, like what [Job].Waits does.
func (s *Service) OpenClaim(ctx context.Context, store checkpoint.Store, key checkpoint.Key, starved func(error), waiting func(error) (end func(error) error)) (checkpoint.Claim, error) {
	open := func() (checkpoint.Claim, error) {
		cp, err := OpenCheckpoint(ctx, store, key, starved)
		for errors.Is(err, checkpoint.ErrInUse) && s.sweeping.wait(ctx, key) {
			cp, err = OpenCheckpoint(ctx, store, key, starved)
		}
		return cp, err
	}
	cp, err := open()
	if !errors.Is(err, checkpoint.ErrInUse) {
		return cp, err
	}
	w := claimWait{limit: s.opts.ClaimWait, since: time.Now(), until: leaseOf(err)}
	pause, again := w.pause(w.until, time.Now())
	if !again {
		return nil, err
	}
	end := waiting(err)
	for again && errors.Is(err, checkpoint.ErrInUse) {
		if serr := tasks.Sleep(ctx, pause); serr != nil {
			return nil, end(serr)
		}
		if cp, err = open(); err != nil {
			pause, again = w.pause(leaseOf(err), time.Now())
		}
	}
	_ = end(nil)
	return cp, err
}

// leaseOf returns when the lease ends that a claim has met; zero: it is none, or unknown.
func leaseOf(err error) time.Time {
	if used, ok := errors.AsType[*checkpoint.InUseError](err); ok {
		return used.Until
	}
	return time.Time{}
}
