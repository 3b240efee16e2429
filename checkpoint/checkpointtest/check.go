package checkpointtest

import (
	"errors"
	"slices"
	"testing"

	"github.com/vodupload/vodupload/checkpoint"
)

func noError(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %v", what, err)
	}
}

func wantError(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: error is %v, want %v", what, err, want)
	}
}

// claim opens the upload that key names.
func claim(t *testing.T, s checkpoint.Store, key checkpoint.Key) checkpoint.Claim {
	t.Helper()
	u, err := s.Open(t.Context(), key)
	if err != nil {
		t.Fatalf("Open of %v: %v", key, err)
	}
	if err := u.Damaged(); err != nil {
		t.Errorf("Open of %v: damaged: %v", key, err)
	}
	return u
}

// begun opens the upload that rec is of, and begins it with parts.
func begun(t *testing.T, s checkpoint.Store, rec checkpoint.Record, parts ...checkpoint.Part) checkpoint.Claim {
	t.Helper()
	u := claim(t, s, rec.Key)
	if err := u.Begin(t.Context(), rec); err != nil {
		t.Fatalf("Begin: %v", err)
	}
	add(t, u, parts...)
	return u
}

func add(t *testing.T, u checkpoint.Claim, parts ...checkpoint.Part) {
	t.Helper()
	for _, p := range parts {
		if err := u.Add(p); err != nil {
			t.Fatalf("Add of part %d: %v", p.Number, err)
		}
	}
}

// reopened closes u and opens the same upload again.
func reopened(t *testing.T, s checkpoint.Store, u checkpoint.Claim, key checkpoint.Key) checkpoint.Claim {
	t.Helper()
	noError(t, "Close", u.Close())
	return claim(t, s, key)
}

func holds(t *testing.T, u checkpoint.Claim, rec checkpoint.Record, parts ...checkpoint.Part) {
	t.Helper()
	got, have, ok := u.Load()
	switch {
	case !ok:
		t.Errorf("Load: no record, want the one of %s", rec.UploadID)
	case got != rec:
		t.Errorf("Load: record is\n%+v, want\n%+v", got, rec)
	case !slices.Equal(have, parts):
		t.Errorf("Load: %d parts %v, want %d %v", len(have), brief(have), len(parts), brief(parts))
	}
}

func holdsNothing(t *testing.T, u checkpoint.Claim) {
	t.Helper()
	if rec, parts, ok := u.Load(); ok {
		t.Errorf("Load: record of %s with %d parts, want none", rec.UploadID, len(parts))
	}
}

// brief cuts a list that is too long to be read.
func brief(parts []checkpoint.Part) []checkpoint.Part { return parts[:min(len(parts), 5)] }

func list(t *testing.T, s checkpoint.Store) []checkpoint.Entry {
	t.Helper()
	entries, err := s.List(t.Context())
	if err != nil {
		t.Fatalf("List: %v", err)
	}
	return entries
}

func has(t *testing.T, f checkpoint.Finder, when string, key checkpoint.Key, want bool) {
	t.Helper()
	got, err := f.Has(t.Context(), key)
	noError(t, "Has "+when, err)
	if got != want {
		t.Errorf("Has %s is %t, want %t", when, got, want)
	}
}
