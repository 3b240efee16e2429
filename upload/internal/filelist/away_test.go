package filelist

import (
	"testing"

	"github.com/vodupload/vodupload/checkpoint"
)

// TestHold keeps the files of an endpoint that is away from being started, and no others.
func TestHold(t *testing.T) {
	l := New(Limits{Parallel: 5, Started: 100})
	add := func(source, endpoint string, lane Lane) ID {
		t.Helper()
		id, err := l.Add(checkpoint.Key{Source: source, Endpoint: endpoint}, AddOptions{Lane: lane})
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	queued, other, direct := add("a", "away", Queue), add("b", "other", Queue), add("c", "away", Direct)
	l.Hold(1, map[string]error{"away": errRun})
	late := add("d", "away", Queue)
	if err := l.Do(Start, nil); err != nil {
		t.Fatal(err)
	}
	l.Turn(5)
	running := func(id ID) bool { f, _ := l.Get(id); return f.Running() }
	if running(queued) || running(late) || !running(other) || !running(direct) {
		t.Errorf("running: queued %v, late %v, other %v, direct %v", running(queued), running(late), running(other), running(direct))
	}
	l.Ended(other, 1, Outcome{})
	l.Turn(5)
	if l.State() != Started || l.Want() != 0 {
		t.Errorf("the list is %v and wants %d slots, with files that are held", l.State(), l.Want())
	}
	l.Hold(2, nil)
	l.Turn(5)
	if !running(queued) || !running(late) || l.Away() != 2 {
		t.Error("the files are not started when the endpoint is back")
	}
}
