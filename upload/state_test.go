package upload

import (
	"fmt"
	"testing"

	"github.com/vodupload/vodupload/upload/internal/filelist"
)

// TestStatesAgreeWithTheList, in number and name.
func TestStatesAgreeWithTheList(t *testing.T) {
	for inner, outer := range states {
		if got, want := outer.String(), filelist.State(inner).String(); got != want {
			t.Errorf("state %d is %q here, %q in the list", inner, got, want)
		}
	}
	if len(states) != len(stateNames)-1 { // expired is not the list's
		t.Errorf("%d states of the list, %d names here", len(states), len(stateNames))
	}
	if FileCanceled != FileState(filelist.FileCanceled) || int(FileCanceled) != filelist.FileStates-1 {
		t.Error("the states of files have other numbers in the list")
	}
}

// TestStatesHaveNames covers numbers that are no state as well: a program may have
// one from elsewhere.
func TestStatesHaveNames(t *testing.T) {
	for got, want := range map[fmt.Stringer]string{
		StateInit: "init", StateExpired: "expired", StateClosed: "closed", State(7): "State(7)", State(-1): "State(-1)",
		FileInit: "init", FileCanceled: "canceled", FileState(6): "FileState(6)", FileState(-1): "FileState(-1)",
	} {
		if got.String() != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
