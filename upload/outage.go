package upload

import (
	"time"

	"github.com/vodupload/vodupload/upload/internal/filelist"
	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// endpointsChanged starts files whose endpoint is back. What was measured in an outage says
// nothing of the link.
func (c *Client) endpointsChanged() {
	c.slots.Restart()
	c.startFiles()
}

// waitReasonOf has the reasons of the waits of transfer.
var waitReasonOf = [...]WaitReason{transfer.ForNetwork: WaitNetwork, transfer.ForThrottle: WaitThrottle, transfer.ForClaim: WaitClaim}

// waits shows what a request of the run waits for. An outage is reported once to a file,
// however many probes it makes.
func (r *run) waits(f transfer.WaitFor, outage int, why error) (end func(error) error) {
	if f == transfer.ForClaim {
		r.c.opts.Logger.Warn("waits for a claim", r.c.attrs(r.e, inUseAttrs(why)...)...)
	}
	w := r.c.wait(r.e, waitReasonOf[f])
	w.outage(&r.outage, outage, why)
	return func(err error) error {
		was := w.end()
		if err == nil {
			return nil
		}
		return was.after(err)
	}
}

// A shownOutage is the last one that was reported to a run, or to a file before it is
// started. The client's lock guards it.
type shownOutage struct {
	number int // 0: none
	since  time.Time
}

// outage reports why the file waits, unless that outage was reported before.
func (w *wait) outage(shown *shownOutage, number int, why error) {
	w.c.view(func(*filelist.List) { w.outageLocked(shown, number, why) })
}

func (w *wait) outageLocked(shown *shownOutage, number int, why error) {
	one := w.e.waits.of(w.why)
	if number > 0 && shown.number == number {
		one.reported = true
		one.now.Since, one.now.Err, one.attempt = shown.since, why, 1
		return
	}
	*shown = shownOutage{number, one.now.Since}
	w.failedLocked(1, why)
}
