package filelist

import (
	"errors"
	"testing"

	"github.com/vodupload/vodupload/checkpoint"
)

// TestShelvedFilesOfAGroup count for their group as if they were listed.
func TestShelvedFilesOfAGroup(t *testing.T) {
	key := func(name string) checkpoint.Key { return checkpoint.Key{Source: name} }
	// failed is a list with a segment that has failed and left, and a playlist that waits for it.
	failed := func(t *testing.T) (l *List, left *Left, playlist ID) {
		l = New(Limits{Parallel: 1, Started: 10, ShelveEnded: true})
		left = new(Left)
		l.Shelved = func(ID) File { return left.File }
		g := new(Group)
		segment, err := l.Add(key("segment"), AddOptions{Size: 1, Group: g})
		playlist, err2 := l.Add(key("playlist"), AddOptions{Size: 1, Group: g, Rank: 1})
		if err = errors.Join(err, err2, l.Fail(segment, errors.New("gone"))); err != nil {
			t.Fatal(err)
		}
		l.Take()
		f := l.files[segment]
		var ok bool
		if *left, ok = l.Leave(segment, f.ends, nil); !ok || left.Rank == nil {
			t.Fatalf("the segment has left: %t, with its rank: %t", ok, left.Rank != nil)
		}
		l.Take()
		l.Take()
		if l.files[segment] != nil {
			t.Fatal("the segment is still listed")
		}
		return l, left, playlist
	}
	t.Run("the playlist fails", func(t *testing.T) {
		l, _, playlist := failed(t)
		if err := l.Do(Start, nil); err != nil {
			t.Fatal(err)
		}
		l.Turn(1)
		var group *GroupError
		for _, e := range l.Take() {
			if e.File == playlist && e.Err != nil && !errors.As(e.Err, &group) {
				t.Errorf("got %v, want an error of the group", e.Err)
			}
		}
		if group == nil || group.Key != key("segment") || group.State != FileFailed {
			t.Errorf("got %+v, want the segment named", group)
		}
	})
	t.Run("the segment is deleted: the playlist has its turn", func(t *testing.T) {
		l, left, playlist := failed(t)
		l.Return(*left)
		if err := errors.Join(l.Delete(left.ID, errors.New("deleted")), l.Do(Start, nil)); err != nil {
			t.Fatal(err)
		}
		l.Turn(1)
		if f, _ := l.Get(playlist); !f.Running() {
			t.Errorf("the playlist is %v, %v", f.State, f.Phase)
		}
	})
	t.Run("the segment is tried again: the playlist waits for it", func(t *testing.T) {
		l, left, playlist := failed(t)
		l.Return(*left)
		if err := errors.Join(l.Retry(left.ID), l.Do(Start, nil)); err != nil {
			t.Fatal(err)
		}
		l.Turn(2)
		segment, _ := l.Get(left.ID)
		if f, _ := l.Get(playlist); !segment.Running() || f.Running() || f.State != FileInit {
			t.Errorf("the segment is %v, the playlist %v, %v", segment.State, f.State, f.Phase)
		}
	})
}
