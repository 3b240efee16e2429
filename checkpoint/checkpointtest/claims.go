package checkpointtest

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/vodupload/vodupload/checkpoint"
)

var claims = []test{
	{"a second claim is ErrInUse", func(t *testing.T, s checkpoint.Store) {
		u := claim(t, s, Key("a"))
		defer u.Close()
		_, err := s.Open(t.Context(), Key("a"))
		wantError(t, "Open before Begin", err, checkpoint.ErrInUse)
		noError(t, "Begin", u.Begin(t.Context(), Record(Key("a"))))
		_, err = s.Open(t.Context(), Key("a"))
		wantError(t, "Open after Begin", err, checkpoint.ErrInUse)
		holds(t, u, Record(Key("a")))
	}},
	{"each field of the key names another upload", func(t *testing.T, s checkpoint.Store) {
		keys := []checkpoint.Key{
			{},
			{Source: "ab", Endpoint: "c", Bucket: "d", Object: "e"},
			{Source: "a", Endpoint: "bc", Bucket: "d", Object: "e"},
			{Source: "ab", Endpoint: "c", Bucket: "de", Object: ""},
			{Source: "ab", Endpoint: "c", Bucket: "", Object: "de"},
			{Source: "AB", Endpoint: "c", Bucket: "d", Object: "e"},
		}
		for _, key := range keys {
			defer begun(t, s, Record(key)).Close()
		}
		if n := len(list(t, s)); n != len(keys) {
			t.Errorf("List: %d uploads, want %d", n, len(keys))
		}
	}},
	{"Close and Remove give the claim up at once", func(t *testing.T, s checkpoint.Store) {
		for range 20 {
			noError(t, "Close", claim(t, s, Key("a")).Close())
			noError(t, "Close", begun(t, s, Record(Key("a")), Part(1)).Close())
			noError(t, "Remove", claim(t, s, Key("a")).Remove())
			noError(t, "Remove", claim(t, s, Key("a")).Remove())
		}
	}},
	{"one of many goroutines gets the claim", func(t *testing.T, s checkpoint.Store) {
		const goroutines, rounds = 8, 20
		var holders, got atomic.Int32
		var wg sync.WaitGroup
		for range goroutines {
			wg.Go(func() {
				for range rounds {
					u, err := s.Open(context.Background(), Key("a"))
					if err != nil {
						if !errors.Is(err, checkpoint.ErrInUse) {
							t.Errorf("Open: error is %v, want %v", err, checkpoint.ErrInUse)
						}
						continue
					}
					if n := holders.Add(1); n != 1 {
						t.Errorf("%d holders at the same time, want 1", n)
					}
					got.Add(1)
					noError(t, "Begin", u.Begin(context.Background(), Record(Key("a"))))
					holders.Add(-1)
					noError(t, "Remove", u.Remove())
				}
			})
		}
		wg.Wait()
		if got.Load() == 0 {
			t.Error("nobody got the claim")
		}
		if n := len(list(t, s)); n != 0 {
			t.Errorf("List: %d uploads after all were removed, want 0", n)
		}
	}},
	{"Open ends with its context", func(t *testing.T, s checkpoint.Store) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := s.Open(ctx, Key("a"))
		wantError(t, "Open", err, context.Canceled)
		noError(t, "Close", claim(t, s, Key("a")).Close())
	}},
}
