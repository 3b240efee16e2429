package vodserver

import (
	"context"
	"sync"

	"github.com/vodupload/vodupload/sts/appserver"
)

// maxOwners is how many videos a handler knows the users of.
const maxOwners = 10_000

// owners are for whom videos were made. The oldest is forgotten when there are too many.
type owners struct {
	mu     sync.Mutex
	byID   map[string]owner
	oldest []string // video IDs, a ring once it is full
	next   int
}

type owner struct{ name, prefix string }

func ownerOf(who appserver.Identity) owner { return owner{who.Name, who.ObjectPrefix} }

func (o *owners) remember(who appserver.Identity, videoID string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.byID == nil {
		o.byID = make(map[string]owner)
	}
	if len(o.oldest) < maxOwners {
		o.oldest = append(o.oldest, videoID)
	} else {
		delete(o.byID, o.oldest[o.next])
		o.oldest[o.next] = videoID
		o.next = (o.next + 1) % maxOwners
	}
	o.byID[videoID] = ownerOf(who)
}

// mayRefresh is the default of Options.MayRefresh.
func (o *owners) mayRefresh(_ context.Context, who appserver.Identity, videoID string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if known, ok := o.byID[videoID]; !ok || known != ownerOf(who) {
		return ErrForbidden
	}
	return nil
}
