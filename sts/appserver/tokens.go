package appserver

import (
	"container/list"
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/vodupload/vodupload/sts"
)

// A tokenKey is what tokens are shared by.
type tokenKey struct {
	session string
	policy  string
}

// tokens are the caches of all identities, the least recently used of which is
// dropped when there are too many.
type tokens struct {
	base     sts.Provider
	config   Config
	client   *http.Client
	logger   *slog.Logger
	max      int
	inFlight chan struct{} // one element for each call of STS

	mu     sync.Mutex
	recent *list.List // of *cached, the latest first
	byKey  map[tokenKey]*list.Element
	closed bool
	code   string // how the last call of STS went: "", "ok" or a code
}

type cached struct {
	key   tokenKey
	cache *sts.Cache
}

// margin is how long a token that is handed out lasts at least, if STS can be
// reached: a client needs some time to do anything with it.
const margin = 2 * time.Minute

// stsTimeout ends a call of STS.
const stsTimeout = 15 * time.Second

// maxBehind is how far this machine's clock may be off without a word.
const maxBehind = time.Minute

// get returns a token, from a cache if it can.
func (t *tokens) get(ctx context.Context, key tokenKey) (sts.Credentials, error) {
	c, err := t.cache(key)
	if err != nil {
		return sts.Credentials{}, err
	}
	return c.Credentials(ctx)
}

func (t *tokens) cache(key tokenKey) (*sts.Cache, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil, sts.ErrClosed
	}
	if e, ok := t.byKey[key]; ok {
		t.recent.MoveToFront(e)
		return e.Value.(*cached).cache, nil
	}
	p, err := t.provider(key)
	if err != nil {
		return nil, err
	}
	c, err := sts.NewCache(p, &sts.CacheOptions{Margin: margin, Timeout: stsTimeout})
	if err != nil {
		return nil, err
	}
	t.byKey[key] = t.recent.PushFront(&cached{key, c})
	if t.recent.Len() > t.max {
		// A call of STS that this one still has under way ends by itself, for
		// those who wait for it.
		oldest := t.recent.Remove(t.recent.Back()).(*cached)
		delete(t.byKey, oldest.key)
	}
	return c, nil
}

// provider returns what calls STS for key. It logs each call, once, however many
// clients wait for it.
func (t *tokens) provider(key tokenKey) (sts.Provider, error) {
	assumed, err := sts.NewAssumeRole(t.base, t.config.RoleARN, &sts.AssumeRoleOptions{
		SessionName: key.session,
		Duration:    t.config.TokenExpireTime,
		Policy:      key.policy,
		Endpoint:    t.config.STSEndpoint,
		HTTPClient:  t.client,
		Timeout:     stsTimeout,
	})
	if err != nil {
		return nil, err
	}
	return sts.ProviderFunc(func(ctx context.Context) (sts.Credentials, error) {
		select {
		case t.inFlight <- struct{}{}:
			defer func() { <-t.inFlight }()
		case <-ctx.Done():
			return sts.Credentials{}, context.Cause(ctx)
		}
		begin := time.Now()
		c, err := assumed.Credentials(ctx)
		took := time.Since(begin).Round(time.Millisecond)
		if err != nil {
			p := problemOf(err)
			t.note(p.code)
			t.logger.Error("no token from STS", "session", key.session, "code", p.code, "request_id", p.requestID,
				"error", err, "took", took)
			return c, err
		}
		t.note("ok")
		if behind := c.Expiration.Sub(c.Deadline()); behind.Abs() > maxBehind {
			t.logger.Warn("this machine's clock is off", "behind", behind.Round(time.Second))
		}
		t.logger.Info("token from STS", "session", key.session, "credentials", c, "took", took)
		return c, nil
	}), nil
}

func (t *tokens) note(code string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.code = code
}

func (t *tokens) lastCode() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.code
}

// close ends what is under way and waits for it.
func (t *tokens) close() {
	t.mu.Lock()
	t.closed = true
	var caches []*sts.Cache
	for e := t.recent.Front(); e != nil; e = e.Next() {
		caches = append(caches, e.Value.(*cached).cache)
	}
	t.mu.Unlock()
	for _, c := range caches {
		_ = c.Close()
	}
}
