package osstest

import (
	"crypto/hmac"
	"sync"
	"time"

	"github.com/vodupload/vodupload/upload/osstest/internal/osserr"
	"github.com/vodupload/vodupload/upload/osstest/internal/policy"
)

// A keyring holds the keys that a server accepts. It is safe for concurrent use.
type keyring struct {
	lookup func(accessKeyID, securityToken string) (Key, bool) // may be nil

	mu       sync.RWMutex
	keys     map[string]Key
	revoked  map[string]bool // by AccessKeyID
	expired  map[string]bool // by AccessKeyID, whatever Key.Expires says
	policies map[string]*policy.Policy
}

// maxCachedPolicies bounds what a server remembers of documents that it has
// read; an STS server can hand out a new one with each key.
const maxCachedPolicies = 1024

// newKeyring returns a ring of keys. What they lack is asked of lookup, if
// there is one; it must be safe for concurrent use, and is asked outside of
// all locks. Without keys and lookup, the ring has DefaultKey.
// It panics if a key is not valid.
func newKeyring(keys []Key, lookup func(accessKeyID, securityToken string) (Key, bool)) *keyring {
	if len(keys) == 0 && lookup == nil {
		keys = []Key{DefaultKey}
	}
	r := &keyring{
		lookup:   lookup,
		keys:     make(map[string]Key),
		revoked:  make(map[string]bool),
		expired:  make(map[string]bool),
		policies: make(map[string]*policy.Policy),
	}
	for _, k := range keys {
		r.add(k)
	}
	return r
}

// add puts k in place of any key of its ID, and takes back a revocation or an
// expiry of that ID. It panics if k is not valid: a test that continues with a
// key other than the one it wrote down would prove nothing.
func (r *keyring) add(k Key) {
	if err := k.validate(); err != nil {
		panic(err.Error())
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keys[k.AccessKeyID] = k
	delete(r.revoked, k.AccessKeyID)
	delete(r.expired, k.AccessKeyID)
}

// revoke makes the ring deny that it ever knew the key. It holds for keys that
// lookup knows, too.
func (r *keyring) revoke(accessKeyID string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.revoked[accessKeyID] = true
}

// expire makes the key's token an expired one. It holds for keys that lookup
// knows, too.
func (r *keyring) expire(accessKeyID string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.expired[accessKeyID] = true
}

// find returns the key of a request that names accessKeyID and brings token,
// as of now; or the error that OSS answers when the two do not belong together
// or are no longer good.
func (r *keyring) find(accessKeyID, token string, now time.Time) (Key, *osserr.Error) {
	k, expired, ok := r.get(accessKeyID, token)
	if !ok {
		return Key{}, osserr.InvalidAccessKeyID(accessKeyID)
	}
	if !hmac.Equal([]byte(k.SecurityToken), []byte(token)) {
		switch {
		case token == "":
			// OSS does not know temporary keys by their ID alone.
			return Key{}, osserr.InvalidAccessKeyID(accessKeyID)
		case r.knowsToken(token):
			return Key{}, osserr.TokenOfOtherKey()
		}
		return Key{}, osserr.InvalidSecurityToken(token)
	}
	if expired || !k.Expires.IsZero() && !now.Before(k.Expires) {
		return Key{}, osserr.SecurityTokenExpired(token)
	}
	return k, nil
}

// get returns a key by its ID, and whether it was declared expired.
func (r *keyring) get(accessKeyID, token string) (k Key, expired, ok bool) {
	r.mu.RLock()
	k, ok = r.keys[accessKeyID]
	revoked, expired := r.revoked[accessKeyID], r.expired[accessKeyID]
	r.mu.RUnlock()

	if revoked {
		return Key{}, false, false
	}
	if !ok && r.lookup != nil {
		k, ok = r.lookup(accessKeyID, token)
		k.AccessKeyID = accessKeyID
	}
	return k, expired, ok
}

// knowsToken reports whether token belongs to one of the ring's own keys.
func (r *keyring) knowsToken(token string) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, k := range r.keys {
		if k.SecurityToken == token {
			return true
		}
	}
	return false
}

// policy returns the policy of a document, read once. The error is that of a
// key which came by lookup, since add refuses such documents.
func (r *keyring) policy(document string) (*policy.Policy, error) {
	r.mu.RLock()
	p := r.policies[document]
	r.mu.RUnlock()
	if p != nil {
		return p, nil
	}
	p, err := policy.Parse(document)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.policies) >= maxCachedPolicies {
		clear(r.policies)
	}
	r.policies[document] = p
	return p, nil
}
