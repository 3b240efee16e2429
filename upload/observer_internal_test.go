package upload

import (
	"context"
	"testing"
)

func TestObserverThatWantsNothingIsNone(t *testing.T) {
	file := func(context.Context, FileInfo) {}
	for name, c := range map[string]struct {
		observer *Observer
		want     bool
	}{
		"none":                     {nil, false},
		"without functions":        {&Observer{}, false},
		"several without any":      {MultiObserver(nil, &Observer{}, &Observer{}), false},
		"with one":                 {&Observer{FileEnd: file}, true},
		"several of which one has": {MultiObserver(nil, &Observer{}, &Observer{FileEnd: file}), true},
	} {
		o, err := (&Options{Observer: c.observer}).withDefaults()
		if err != nil {
			t.Fatal(err)
		}
		if got := o.Observer != nil; got != c.want {
			t.Errorf("%s: there is one: %t, want %t", name, got, c.want)
		}
	}
}
