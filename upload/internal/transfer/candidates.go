package transfer

import (
	"cmp"
	"errors"
	"strings"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/wire"
)

// A candidate is an upload that is a leftover by all that is known before the server is
// asked about it.
type candidate struct {
	Leftover
	recorded  bool      // in a checkpoint of the store
	serverNow time.Time // the server's clock when it was listed
}

// candidates returns the uploads that nobody works on: of the checkpoints that are not
// claimed, and of the server's list without those that anything here names. now is the
// time by the clock of here, serverNow that of the first page of the list, so that
// nothing looks older than it is.
func (j *SweepJob) candidates(view storeView, listed []wire.Unfinished, now, serverNow time.Time) []candidate {
	var found []candidate
	for _, e := range view.unclaimed {
		r := e.Record
		active := cmp.Or(e.Saved, r.Started)
		if j.inScope(r.Key) && !j.isWanted(r.Key) && j.isOld(active, now) {
			bytes := min(int64(e.Parts)*r.PartSize, r.Source.Size)
			found = append(found, candidate{recorded: true, Leftover: Leftover{
				Key: r.Key, UploadID: r.UploadID, Started: r.Started, Active: active, Parts: e.Parts, Bytes: bytes,
			}})
		}
	}
	for _, u := range listed {
		if view.ids[u.UploadID] || u.Initiated.IsZero() || !j.isOld(u.Initiated, serverNow) {
			continue
		}
		c := candidate{serverNow: serverNow, Leftover: Leftover{
			Key:      checkpoint.Key{Endpoint: j.Target.Endpoint.String(), Bucket: j.Target.Bucket, Object: u.Object},
			UploadID: u.UploadID, Started: u.Initiated, Active: u.Initiated,
		}}
		if view.unreadable {
			c.Err = errUnreadable
		}
		found = append(found, c)
	}
	return found
}

// errUnreadable says why an upload that may be nobody's is left alone.
var errUnreadable = errors.New("a checkpoint that is in use could not be read: it may be the one of this upload")

func (j *SweepJob) isWanted(k checkpoint.Key) bool { return j.Wanted != nil && j.Wanted(k) }

// isOld reports whether the last sign of life is long enough ago. A server reports
// whole seconds, so that what was begun just now may seem to be of the future.
func (j *SweepJob) isOld(active, now time.Time) bool {
	return j.OlderThan <= 0 || now.Sub(active) > j.OlderThan
}

// inScope reports whether the job is about the destination of a checkpoint.
func (j *SweepJob) inScope(k checkpoint.Key) bool {
	t := j.Target
	return t.Bucket == "" ||
		k.Endpoint == t.Endpoint.String() && k.Bucket == t.Bucket && strings.HasPrefix(k.Object, t.Object)
}
