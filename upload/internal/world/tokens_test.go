package world

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload/osstest"
)

// secretMark is in every secret and token, and in no text that anybody may see.
const secretMark = "WORLDSECRET"

// A tokens is where credentials come from. It knows which ones are good, so that it sees
// when somebody asks for others too early.
type tokens struct {
	w    *world
	life time.Duration // 0: a long-lived key

	mu      sync.Mutex
	n       int
	out     int       // of service, that many times
	by      *process  // that was given the current one
	good    time.Time // until when the current one is, by the clock of here; zero: it is not
	refused bool      // the server has refused the current one
}

func (k *tokens) keyID() string {
	if k.life == 0 {
		return fmt.Sprint("KEY", k.n) // those of STS begin with STS
	}
	return fmt.Sprint("STS.", k.n)
}

// currentLocked returns whether the current token is good.
func (k *tokens) currentLocked() bool {
	return !k.refused && (k.life == 0 || time.Now().Before(k.good))
}

// give returns a new token for a process.
func (k *tokens) give(p *process) (sts.Credentials, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if p.dead.Load() {
		return sts.Credentials{}, errKilled
	}
	if k.by == p && k.currentLocked() {
		k.w.violated("another token is asked for while the last one, %s, is good", k.keyID())
	}
	if k.out > 0 {
		return sts.Credentials{}, errors.New("no token is handed out at the moment")
	}
	k.n++
	c := sts.Credentials{AccessKeyID: k.keyID(), AccessKeySecret: fmt.Sprint(secretMark, k.n)}
	key := osstest.Key{AccessKeyID: c.AccessKeyID, AccessKeySecret: c.AccessKeySecret}
	if k.life > 0 {
		c.SecurityToken = fmt.Sprint(secretMark, "token", k.n)
		c.Expiration = time.Now().Add(k.life)
		key.SecurityToken, key.Expires = c.SecurityToken, k.w.serverNow().Add(k.life)
		// The client asks a minute, or a tenth of its life, before the end.
		k.good = time.Now().Add(k.life - min(time.Minute, k.life/10))
	}
	k.by, k.refused = p, false
	k.w.server.AddKey(key)
	return c, nil
}

// expire makes the server refuse the current token. A long-lived key does not expire.
func (k *tokens) expire() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.life > 0 {
		k.w.server.ExpireKey(k.keyID())
		k.refused = true
	}
}

// refuse records that the server has refused a key.
func (k *tokens) refuse(authorization string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if strings.Contains(authorization, k.keyID()+"/") || strings.Contains(authorization, k.keyID()+":") {
		k.refused = true
	}
}

// serve says whether tokens are handed out.
func (k *tokens) serve(yes bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if yes {
		k.out--
	} else {
		k.out++
	}
}

// A provider is the token source of one process.
type provider struct{ p *process }

func (v provider) Credentials(context.Context) (sts.Credentials, error) {
	return v.p.w.tokens.give(v.p)
}
