package transfer

import (
	"cmp"
	"crypto/fips140"
	"crypto/md5"
	"encoding/hex"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vodupload/vodupload/upload/internal/target"
	"github.com/vodupload/vodupload/upload/internal/wire"
)

// What a Listing remembers, and for how long: a minute later it asks again, since the
// bucket may have changed. 8 pages are some 2 MB.
const (
	listingAge   = time.Minute
	listingPages = 8
)

// A Listing answers for the files of a folder which objects there are, by listing the
// bucket: a page answers for up to 1,000 objects. Each question takes one request at most,
// as a HEAD would, but for the first that shows that the bucket has many more objects than
// the folder has files. It is used by many jobs at once, which need not ask in order.
type Listing struct {
	prefix target.Target // Object is the prefix
	turn   chan struct{} // is full while a page is asked for

	mu     sync.Mutex
	pages  []span // the newest last
	sparse bool   // the next object that is asked for may be far from the last of a page
	off    bool   // the server does not list the objects
}

// A span is what the server has between two names.
type span struct {
	after, last string // last is the name of the last object; empty: all after after
	at          time.Time
	objects     []wire.Listed // by name
}

// NewListing returns a listing of the objects whose names begin with t.Object.
func NewListing(t target.Target) *Listing {
	return &Listing{prefix: t, turn: make(chan struct{}, 1)}
}

// covers reports whether the listing could have t.
func (l *Listing) covers(t target.Target) bool {
	p := &l.prefix
	return t.Endpoint == p.Endpoint && t.Region == p.Region && t.Bucket == p.Bucket && strings.HasPrefix(t.Object, p.Object)
}

// from returns after what the next page begins: where the page before ends, so that it
// answers for jobs that ask later for what comes earlier, too.
func (l *Listing) from(name, after string) (from string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sparse {
		return after
	}
	for _, p := range l.pages {
		if p.last != "" && p.last < name {
			from = max(from, p.last)
		}
	}
	return from
}

func (l *Listing) isSparse() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sparse = true
}

// look returns what is known of an object.
func (l *Listing) look(name string) (there *existing, known bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range slices.Backward(l.pages) {
		if name <= p.after || p.last != "" && name > p.last || time.Since(p.at) > listingAge {
			continue
		}
		i, ok := slices.BinarySearchFunc(p.objects, name, func(o wire.Listed, name string) int { return cmp.Compare(o.Object, name) })
		if !ok {
			return nil, true
		}
		o := p.objects[i]
		return &existing{wire.ObjectInfo{Size: o.Size, ETag: o.ETag, Type: o.Type, LastModified: o.LastModified}, true}, true
	}
	return nil, false
}

func (l *Listing) isOff() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.off
}

// keep remembers a page, and forgets the oldest if there are too many.
func (l *Listing) keep(p span, page wire.ObjectsPage) {
	if p.objects = page.Objects; page.More {
		p.last = page.Objects[len(page.Objects)-1].Object
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pages = append(l.pages, p)
	if len(l.pages) > listingPages {
		l.pages = slices.Delete(l.pages, 0, 1)
	}
}

// justBefore returns a name that comes before another, with next to none between them:
// the list that begins after it begins with the other, if that is there. It is false for
// names that this cannot be done for.
func justBefore(name string) (string, bool) {
	const room = 1000 // of 1,023 bytes
	last := len(name) - 1
	if last < 0 || len(name) > room || name[last] <= ' ' || name[last] > '~' {
		return "", false
	}
	return name[:last] + string(name[last]-1) + "~", true
}

// An existing is an object that is there. Of one that was only listed, neither CRC64 nor
// version is known.
type existing struct {
	wire.ObjectInfo
	listed bool
}

// hasMD5 reports whether a listed ETag may be the MD5 of the bytes. That of an object made
// by PutObject is, in hexadecimal digits; others are not (OSS documentation, GetObjectMeta).
// In FIPS 140-only mode MD5 panics.
func (e *existing) hasMD5() bool {
	_, err := hex.DecodeString(e.ETag)
	return !fips140.Enforced() && e.Type == typeNormal && e.Size <= maxMD5 && len(e.ETag) == 2*md5.Size && err == nil
}

// maxMD5 is the largest size for which the MD5 that is in a list may decide. Up to smallMD5
// it does: a HEAD would need the processor for longer. In between it depends on the network.
const (
	maxMD5   = 16 << 20
	smallMD5 = 128 << 10
)
