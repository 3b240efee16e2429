package upload

import (
	"errors"
	"testing"

	"github.com/vodupload/vodupload/checkpoint"
)

func TestCloseClosesTheStoreThatTheClientOpened(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	t.Setenv("LocalAppData", t.TempDir())
	own, err := New(nil)
	if err != nil {
		t.Fatal(err)
	}
	given := checkpoint.NewMemory()
	guest, err := New(&Options{Checkpoints: given})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(own.Close(), guest.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := own.store.List(t.Context()); !errors.Is(err, checkpoint.ErrClosed) {
		t.Errorf("the client's own store: got %v, want ErrClosed", err)
	}
	if _, err := given.List(t.Context()); err != nil {
		t.Errorf("the store that was given: got %v, want it open", err)
	}
}
