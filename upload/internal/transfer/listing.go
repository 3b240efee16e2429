package transfer

import (
	"cmp"
	"context"
	"fmt"
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

// find looks for the object of a job. Where known is false, the listing does not say.
func (l *Listing) find(ctx context.Context, u *upload) (there *existing, known bool, err error) {
	name := u.job.Target.Object
	after, ok := justBefore(name)
	if !ok || !l.covers(u.job.Target) {
		return nil, false, nil
	}
	if there, known = l.look(name); known {
		return there, true, nil
	}
	if err := l.take(ctx, u); err != nil {
		return nil, false, err
	}
	defer func() { <-l.turn }()
	if there, known = l.look(name); known || l.isOff() {
		return there, known, nil
	}
	for from := l.from(name, after); ; from = after {
		if kept, err := l.ask(ctx, u, from); err != nil || !kept {
			return nil, false, err
		}
		if there, known = l.look(name); known || from == after {
			return there, known, nil
		}
		l.isSparse()
	}
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

// take waits for the turn to ask. What another job is asking for may be the answer.
func (l *Listing) take(ctx context.Context, u *upload) error {
	select {
	case l.turn <- struct{}{}:
		return nil
	default:
	}
	if u.putDown != nil {
		u.putDown() // the job that asks may need it
	}
	select {
	case l.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
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

// ask gets one page, and returns whether it did. Failing to is no error of the job's, which
// can ask by a HEAD: only the end of ctx is.
func (l *Listing) ask(ctx context.Context, u *upload, after string) (kept bool, err error) {
	t := l.prefix
	t.RequestPayer = u.job.target().RequestPayer
	bucket, err := u.wire.Bucket(t)
	if err != nil {
		return false, err
	}
	p := span{after: after, at: time.Now()}
	var page wire.ObjectsPage
	err = u.once(ctx, func(ctx context.Context, s Snapshot) (err error) {
		page, err = bucket.ListObjects(ctx, s, l.prefix.Object, after)
		return err
	})
	we, answered := answer(err)
	switch {
	case ctx.Err() != nil:
		return false, context.Cause(ctx)
	case err == nil:
		l.keep(p, page)
	case !answered:
		return false, err // there are no credentials
	case we.Status != 0 && we.Status < 500 && we.Class != wire.Throttle:
		u.warn(fmt.Errorf("the bucket cannot be listed, so that each object is asked for; it takes the right oss:ListObjects: %w", err))
		l.mu.Lock()
		defer l.mu.Unlock()
		l.off = true
	}
	return err == nil, nil
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
