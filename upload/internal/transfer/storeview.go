package transfer

import (
	"context"
	"fmt"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/tasks"
)

// A storeView is what the store's checkpoints say.
type storeView struct {
	unclaimed  []checkpoint.Entry
	ids        map[string]bool // of uploads, also of those in use, and of those that this service is sending
	unreadable bool            // a checkpoint that is in use could not be read
}

// viewOf sorts the entries of a store.
func viewOf(entries []checkpoint.Entry) storeView {
	v := storeView{ids: make(map[string]bool)}
	for _, e := range entries {
		if e.Record.UploadID == "" {
			// A claim on a source, without a destination, hides no upload.
			v.unreadable = v.unreadable || e.InUse && e.Record.Key.Source == ""
			continue
		}
		if !e.InUse {
			v.unclaimed = append(v.unclaimed, e)
		}
		v.ids[e.Record.UploadID] = true
	}
	return v
}

// viewStore looks at the store, and at what this service is sending that is not in it. A
// checkpoint that is being written may not be readable at that moment, so it is looked
// at again. wanted may be nil.
func (s *Service) viewStore(ctx context.Context, wanted func(checkpoint.Key) bool) (storeView, error) {
	const tries = 5
	for try := 1; ; try++ {
		entries, err := s.opts.Checkpoints.List(ctx)
		if err != nil {
			return storeView{}, fmt.Errorf("list checkpoints: %w", err)
		}
		v := viewOf(entries)
		if !v.unreadable || try == tries {
			s.working.addTo(v.ids)
			volatile, err := s.volatile.List(ctx)
			for _, e := range volatile {
				if e.InUse || wanted != nil && wanted(e.Record.Key) {
					v.ids[e.Record.UploadID] = true
				}
			}
			return v, err
		}
		if err := tasks.Sleep(ctx, 20*time.Millisecond); err != nil {
			return storeView{}, err
		}
	}
}
