package osscallback

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"sync"
	"time"
)

// Limits of what is fetched and kept, so that requests with keys that do not exist cost
// little.
const (
	maxKeyBytes = 8 << 10
	maxKeys     = 32              // entries, those of failures included
	maxFetches  = 4               // at once, of keys other than the documented one
	keyPause    = 5 * time.Second // between a fetch that failed and the next of the same key
	staleLives  = 24              // how many times KeyLife a key is used if no newer one can be had
)

// keys are the keys of OSS that were fetched, by their path.
type keys struct {
	client  *http.Client
	timeout time.Duration // of one fetch
	life    time.Duration // after which a key is fetched again

	mu    sync.Mutex
	known map[string]*keyEntry
}

// A keyEntry is a key, or that it could not be fetched.
type keyEntry struct {
	key     *publicKey // nil: none yet
	fetched time.Time
	err     error // of the last fetch
	tried   time.Time
	used    time.Time
	busy    chan struct{} // closed when the fetch under way has ended; nil: there is none
}

// get returns the key at a path. The first request that needs it fetches it; others wait
// for that, or take the key that there was before.
func (k *keys) get(ctx context.Context, path string) (*publicKey, error) {
	for {
		turn, key, err := k.look(path, time.Now())
		if key != nil || err != nil {
			return key, err
		}
		if turn.wait == nil {
			return k.refresh(ctx, path)
		}
		select {
		case <-turn.wait:
		case <-ctx.Done():
			return nil, fmt.Errorf("the key is still being fetched: %w", context.Cause(ctx))
		}
	}
}

// A turn is what a request without a key has to do: wait for the fetch of another one, or
// fetch, where there is nothing to wait for.
type turn struct{ wait chan struct{} }

// look returns the key at a path if there is a fresh one or none can be had now.
func (k *keys) look(path string, now time.Time) (turn, *publicKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	e := k.known[path]
	if e == nil {
		if err := k.makeRoomLocked(path); err != nil {
			return turn{}, nil, err
		}
		e = &keyEntry{}
		k.known[path] = e
	}
	e.used = now
	old := e.usable(now, staleLives*k.life)
	switch {
	case e.usable(now, k.life) != nil:
		return turn{}, e.key, nil
	case e.busy != nil && old == nil:
		return turn{e.busy}, nil, nil
	case e.err != nil && now.Sub(e.tried) < keyPause && old == nil:
		return turn{}, nil, e.err
	case e.busy != nil || e.err != nil && now.Sub(e.tried) < keyPause:
		return turn{}, old, nil
	}
	e.busy = make(chan struct{})
	return turn{}, nil, nil
}

// usable returns the key if it is younger than life.
func (e *keyEntry) usable(now time.Time, life time.Duration) *publicKey {
	if e.key == nil || now.Sub(e.fetched) >= life {
		return nil
	}
	return e.key
}

// makeRoomLocked makes room for the key at a path, and counts the fetches under way.
func (k *keys) makeRoomLocked(path string) error {
	fetches, oldest := 0, ""
	for p, e := range k.known {
		switch {
		case e.busy != nil:
			fetches++
		case oldest == "" || older(e, k.known[oldest]):
			oldest = p
		}
	}
	if fetches >= maxFetches && path != documentedKey {
		return errors.New("too many keys are being fetched")
	}
	if len(k.known) >= maxKeys {
		delete(k.known, oldest) // there is one: fewer than maxKeys are being fetched
	}
	return nil
}

// older reports whether a is to be forgotten before b: failures go first.
func older(a, b *keyEntry) bool {
	if (a.key == nil) != (b.key == nil) {
		return a.key == nil
	}
	return a.used.Before(b.used)
}

// refresh fetches a key on behalf of all who wait for it: the end of the request that was
// the first does not end it.
func (k *keys) refresh(ctx context.Context, path string) (*publicKey, error) {
	ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), k.timeout, fmt.Errorf("no answer within %v", k.timeout))
	defer cancel()
	var key *publicKey
	err := errors.New("the HTTP client panicked") // unless fetch returns
	defer func() { k.settle(path, key, err) }()
	key, err = k.fetch(ctx, path)
	if err == nil {
		return key, nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if old := k.known[path].usable(time.Now(), staleLives*k.life); old != nil {
		return old, nil
	}
	return nil, err
}

// settle records how a fetch ended.
func (k *keys) settle(path string, key *publicKey, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	e := k.known[path] // it is not removed while it is busy
	e.err, e.tried = err, time.Now()
	if err == nil {
		e.key, e.fetched = key, e.tried
	}
	close(e.busy)
	e.busy = nil
}

// fetch gets a key from OSS's host.
func (k *keys) fetch(ctx context.Context, path string) (*publicKey, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+keyHost+"/"+path, nil)
	if err != nil {
		return nil, err // never: the path has nothing that is special in a URL
	}
	resp, err := k.client.Do(r)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return nil, fmt.Errorf("fetch it: %w", withoutURLs(err))
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("fetch it: %s answered %d for /%s, want 200", keyHost, resp.StatusCode, path)
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxKeyBytes+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read it: %w", err)
	case len(text) > maxKeyBytes:
		return nil, fmt.Errorf("read it: got more than %d bytes", maxKeyBytes)
	}
	key, err := parseKey(text)
	if err != nil {
		return nil, fmt.Errorf("read it: %w", err)
	}
	return key, nil
}

var urlLike = regexp.MustCompile(`"[^"]*"|\S+://\S+`)

// withoutURLs returns an error of net/http without the URLs in its text: that of a proxy
// may hold a password.
func withoutURLs(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	if text := err.Error(); urlLike.MatchString(text) {
		return errors.New(urlLike.ReplaceAllString(text, "[hidden]"))
	}
	return err
}
