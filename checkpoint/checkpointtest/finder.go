package checkpointtest

import (
	"testing"

	"github.com/vodupload/vodupload/checkpoint"
)

// finder is for stores that are a [checkpoint.Finder]. Others pass it as well.
var finder = []test{
	{"Has finds a claim and a record, and nothing else", func(t *testing.T, s checkpoint.Store) {
		f, ok := s.(checkpoint.Finder)
		if !ok {
			return
		}
		rec := Record(Key("a"))
		has(t, f, "before Open", rec.Key, false)
		u := claim(t, s, rec.Key)
		has(t, f, "of an open upload", rec.Key, true)
		has(t, f, "of another upload", Key("b"), false)
		noError(t, "Begin", u.Begin(t.Context(), rec))
		noError(t, "Close", u.Close())
		has(t, f, "of a closed upload", rec.Key, true)
		noError(t, "Remove", claim(t, s, rec.Key).Remove())
		has(t, f, "after Remove", rec.Key, false)
		noError(t, "Close of an upload that was not begun", claim(t, s, rec.Key).Close())
		has(t, f, "of what was never begun", rec.Key, false)
		noError(t, "Close of the store", s.Close())
		_, err := f.Has(t.Context(), rec.Key)
		wantError(t, "Has of a closed store", err, checkpoint.ErrClosed)
	}},
}
