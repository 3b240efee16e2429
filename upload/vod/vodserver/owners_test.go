package vodserver

import (
	"strconv"
	"testing"

	"github.com/vodupload/vodupload/sts/appserver"
)

func TestOwnersAreBounded(t *testing.T) {
	var o owners
	alice := appserver.Identity{Name: "alice"}
	for i := range 2*maxOwners + 5 {
		o.remember(alice, strconv.Itoa(i))
	}
	if len(o.byID) != maxOwners || len(o.oldest) != maxOwners {
		t.Errorf("%d videos are known, want %d", len(o.byID), maxOwners)
	}
	for id, want := range map[int]bool{0: false, maxOwners + 4: false, maxOwners + 5: true, 2*maxOwners + 4: true} {
		if err := o.mayRefresh(t.Context(), alice, strconv.Itoa(id)); (err == nil) != want {
			t.Errorf("video %d: error is %v, want that it may be refreshed: %t", id, err, want)
		}
	}
	if err := o.mayRefresh(t.Context(), appserver.Identity{Name: "alice", ObjectPrefix: "x/"}, strconv.Itoa(2*maxOwners)); err == nil {
		t.Error("somebody else of that name may refresh it")
	}
}
