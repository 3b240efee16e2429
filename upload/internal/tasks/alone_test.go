package tasks

import (
	"errors"
	"runtime"
	"testing"
)

func TestAlone(t *testing.T) {
	ran := false
	if err := Alone(func() { ran = true }); err != nil || !ran {
		t.Errorf("got %v, ran %t", err, ran)
	}
	if err := Alone(runtime.Goexit); !errors.Is(err, ErrGoexit) {
		t.Errorf("got %v, want ErrGoexit", err)
	}
}
